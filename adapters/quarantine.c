#include "adapters/quarantine.h"

#include "adapters/stream.h"
#include "bus/crypto.h"
#include "schemas/avro/write.h"

enum { ID, FEED, FILE_NAME, SHA256, LINE, FIELD, CLASS, DETAIL, SEALED, TIME, N_FIELDS };

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
};

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

static enum bus_err put_sealed(const struct adapter_refusal *r, const struct adapter_shape *shape,
			       const uint8_t *key, struct bus_str id, struct bus_buf *out,
			       struct bus_error *err)
{
	struct bus_str raw = r->raw;
	struct bus_buf sealed = { 0 };
	enum bus_err rc;

	if (!key || !raw.p) {
		adapter_shape_null(shape, SEALED, out);
		return BUS_OK;
	}
	if (raw.n > ADAPTER_SEALED_MAX)
		raw.n = ADAPTER_SEALED_MAX;
	rc = bus_seal(key, id, raw, &sealed, err);
	if (!rc) {
		adapter_shape_some(shape, SEALED, out);
		schema_put_text(out, bus_buf_str(&sealed));
	}
	bus_buf_release(&sealed);
	return rc;
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
			schema_put_text(out, id);
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
			if (!r->field) {
				adapter_shape_null(shape, FIELD, out);
				break;
			}
			adapter_shape_some(shape, FIELD, out);
			schema_put_text(out, bus_str(r->field));
			break;
		case CLASS:
			schema_put_text(out, bus_str(r->class));
			break;
		case DETAIL:
			schema_put_text(out, bus_str(r->detail ? r->detail : ""));
			break;
		case SEALED:
			rc = put_sealed(r, shape, key, id, out, err);
			break;
		case TIME:
			schema_put_long(out, r->time_ms);
			break;
		}
	}
	return rc;
}
