#include "adapters/quarantine.h"

#include "adapters/stream.h"
#include "bus/crypto.h"
#include "schemas/avro/write.h"

enum {
	ID,
	FEED,
	FILE_NAME,
	SHA256,
	LINE,
	FIELD,
	CLASS,
	DETAIL,
	SEALED,
	TIME,
	CELLS,
	STATE,
	ACT,
	WHO,
	WHY,
	ORDER,
	ACT_TIME,
	N_FIELDS
};

static const struct adapter_shape_field field[N_FIELDS] = {
	[ID] = { "id", SCHEMA_STRING, false },
	[FEED] = { "umpan", SCHEMA_STRING, false },
	[FILE_NAME] = { "berkas", SCHEMA_STRING, false },
	[SHA256] = { "sha256", SCHEMA_STRING, false },
	[LINE] = { "baris", SCHEMA_LONG, false },
	[FIELD] = { "kolom", SCHEMA_STRING, true },
	[CLASS] = { "kelas", SCHEMA_STRING, false },
	[DETAIL] = { "keterangan", SCHEMA_STRING, false },
	[SEALED] = { "baris_tersegel", SCHEMA_BYTES, true },
	[TIME] = { "waktu", SCHEMA_LONG, false },
	[CELLS] = { "isian_tersegel", SCHEMA_BYTES, true },
	[STATE] = { "keadaan", SCHEMA_ENUM, false },
	[ACT] = { "tindakan", SCHEMA_STRING, true },
	[WHO] = { "oleh", SCHEMA_STRING, true },
	[WHY] = { "alasan", SCHEMA_STRING, true },
	[ORDER] = { "perintah", SCHEMA_STRING, true },
	[ACT_TIME] = { "waktu_tindakan", SCHEMA_LONG, true },
};

static const char *const state_name[] = {
	[ADAPTER_ROW_OPEN] = "TERBUKA",
	[ADAPTER_ROW_PUBLISHED] = "TERBIT",
	[ADAPTER_ROW_DISCARDED] = "DIBUANG",
};

const char *adapter_row_state_name(enum adapter_row_state s)
{
	return state_name[s];
}

struct adapter_quarantine {
	struct adapter_seen *ids;
};

enum bus_err adapter_quarantine_new(const char *dir, struct adapter_quarantine **out, struct bus_error *err)
{
	struct adapter_quarantine *q = bus_xcalloc(1, sizeof(*q));
	enum bus_err rc = adapter_seen_new_bare(dir, &q->ids, err);

	if (rc) {
		free(q);
		q = NULL;
	}
	*out = q;
	return rc;
}

void adapter_quarantine_free(struct adapter_quarantine **q)
{
	if (!*q)
		return;
	adapter_seen_free(&(*q)->ids);
	free(*q);
	*q = NULL;
}

enum bus_err adapter_quarantine_put(struct adapter_quarantine *q, struct bus_str id, bool *fresh,
				    struct bus_error *err)
{
	return adapter_seen_put(q->ids, id, NULL, fresh, err);
}

size_t adapter_refusal_id(const struct adapter_refusal *r, char *out)
{
	size_t n = BUS_WIRE_FILE_LEN;

	memcpy(out, r->sha256, n);
	out[n++] = ':';
	n += adapter_put_decimal(out + n, r->line);
	if (r->nth > 1) {
		out[n++] = ':';
		n += adapter_put_decimal(out + n, r->nth);
	}
	return n;
}

enum bus_err adapter_quarantine_bind(struct adapter_shape *shape, struct schema_store *store,
				     const char *subject, struct bus_error *err)
{
	return adapter_shape_bind(shape, store, subject, field, N_FIELDS, err);
}

enum bus_err adapter_quarantine_fit(struct adapter_shape *shape, struct schema *schema, int32_t id,
				    struct bus_error *err)
{
	return adapter_shape_fit(shape, schema, id, field, N_FIELDS, err);
}

bool adapter_quarantine_keeps_acts(const struct adapter_shape *shape)
{
	return shape->node[STATE] && shape->node[ACT] && shape->node[ORDER];
}

struct bus_str adapter_refusal_cells_aad(struct bus_str id, char *out)
{
	static const char tail[] = "/isian";

	memcpy(out, id.p, id.n);
	memcpy(out + id.n, tail, sizeof(tail) - 1);
	return (struct bus_str){ out, id.n + sizeof(tail) - 1 };
}

static void put_optional(const struct adapter_shape *shape, int known, const char *text, struct bus_buf *out)
{
	if (!text || !text[0]) {
		adapter_shape_null(shape, (size_t)known, out);
		return;
	}
	adapter_shape_some(shape, (size_t)known, out);
	schema_put_text(out, bus_str(text));
}

static enum bus_err put_sealed(const struct adapter_shape *shape, int known, const uint8_t *key,
			       struct bus_str aad, struct bus_str plain, struct bus_buf *out,
			       struct bus_error *err)
{
	struct bus_buf sealed = { 0 };
	enum bus_err rc;

	if (!key || !plain.p) {
		adapter_shape_null(shape, (size_t)known, out);
		return BUS_OK;
	}
	rc = bus_seal(key, aad, plain, &sealed, err);
	if (!rc) {
		adapter_shape_some(shape, (size_t)known, out);
		schema_put_text(out, bus_buf_str(&sealed));
	}
	bus_buf_release(&sealed);
	return rc;
}

static enum bus_err put_row(const struct adapter_refusal *r, const struct adapter_shape *shape,
			    const uint8_t *key, struct bus_str id, struct bus_buf *out, struct bus_error *err)
{
	struct bus_str raw = r->raw;

	if (raw.n > ADAPTER_SEALED_MAX)
		raw.n = ADAPTER_SEALED_MAX;
	return put_sealed(shape, SEALED, key, id, raw, out, err);
}

/* Cut columns would be another row: they are kept whole or not at all. */
static enum bus_err put_cells(const struct adapter_refusal *r, const struct adapter_shape *shape,
			      const uint8_t *key, struct bus_str id, struct bus_buf *out,
			      struct bus_error *err)
{
	char aad[ADAPTER_REFUSAL_ID + 8];
	struct bus_str cells = r->cells;

	if (!cells.p && r->sealed_cells.p) {
		adapter_shape_some(shape, CELLS, out);
		schema_put_text(out, r->sealed_cells);
		return BUS_OK;
	}
	if (cells.n > ADAPTER_SEALED_MAX)
		cells.p = NULL;
	return put_sealed(shape, CELLS, key, adapter_refusal_cells_aad(id, aad), cells, out, err);
}

static void put_act(const struct adapter_refusal *r, const struct adapter_shape *shape, int known,
		    struct bus_buf *out)
{
	const struct adapter_act *act = r->act;

	switch (known) {
	case STATE:
		adapter_shape_symbol(shape, STATE, state_name[act ? act->state : ADAPTER_ROW_OPEN], out);
		break;
	case ACT:
		put_optional(shape, ACT, act ? act->what : NULL, out);
		break;
	case WHO:
		put_optional(shape, WHO, act ? act->who : NULL, out);
		break;
	case WHY:
		put_optional(shape, WHY, act ? act->why : NULL, out);
		break;
	case ORDER:
		put_optional(shape, ORDER, act ? act->order : NULL, out);
		break;
	default:
		if (!act) {
			adapter_shape_null(shape, ACT_TIME, out);
			break;
		}
		adapter_shape_some(shape, ACT_TIME, out);
		schema_put_long(out, act->time_ms);
		break;
	}
}

static void put_id(const struct adapter_refusal *r, struct bus_str id, struct bus_buf *out)
{
	size_t order = r->act ? strlen(r->act->order) : 0;

	if (!r->act) {
		schema_put_text(out, id);
		return;
	}
	schema_put_long(out, (int64_t)(id.n + 1 + order));
	bus_buf_put(out, id.p, id.n);
	bus_buf_putc(out, '/');
	bus_buf_put(out, r->act->order, order);
}

enum bus_err adapter_refusal_encode(const struct adapter_refusal *r, const struct adapter_shape *shape,
				    const uint8_t *key, struct bus_buf *out, struct bus_error *err)
{
	char text[ADAPTER_REFUSAL_ID];
	struct bus_str id = { text, adapter_refusal_id(r, text) };
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < shape->n && !rc; i++) {
		switch (shape->known[i]) {
		case ID:
			put_id(r, id, out);
			break;
		case FEED:
			schema_put_text(out, bus_str(r->feed));
			break;
		case FILE_NAME:
			schema_put_text(out, bus_str(r->file));
			break;
		case SHA256:
			schema_put_text(out, bus_str(r->sha256));
			break;
		case LINE:
			schema_put_long(out, (int64_t)r->line);
			break;
		case FIELD:
			put_optional(shape, FIELD, r->field, out);
			break;
		case CLASS:
			schema_put_text(out, bus_str(r->class));
			break;
		case DETAIL:
			schema_put_text(out, bus_str(r->detail ? r->detail : ""));
			break;
		case SEALED:
			rc = put_row(r, shape, key, id, out, err);
			break;
		case TIME:
			schema_put_long(out, r->time_ms);
			break;
		case CELLS:
			rc = put_cells(r, shape, key, id, out, err);
			break;
		default:
			put_act(r, shape, shape->known[i], out);
			break;
		}
	}
	return rc;
}
