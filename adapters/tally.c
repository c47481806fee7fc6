#include "adapters/tally.h"

#include "bus/wire.h"
#include "schemas/avro/write.h"
#include "schemas/store/plan.h"

enum {
	ID,
	FEED,
	NAME,
	SHA256,
	SIZE,
	STATUS,
	REASON,
	COMPLETE,
	ORDER,
	PHYSICAL,
	ROWS,
	ACCEPTED,
	REFUSED,
	LOOSE,
	PUBLISHED,
	SAME,
	REMOVED,
	CLASSES,
	NOTES,
	CONTROLS,
	STARTED,
	ENDED,
	N_FIELDS
};

static const struct adapter_shape_field field[N_FIELDS] = {
	[ID] = { "id", SCHEMA_STRING, false },
	[FEED] = { "umpan", SCHEMA_STRING, false },
	[NAME] = { "nama", SCHEMA_STRING, false },
	[SHA256] = { "sha256", SCHEMA_STRING, false },
	[SIZE] = { "ukuran", SCHEMA_LONG, false },
	[STATUS] = { "status", SCHEMA_ENUM, false },
	[REASON] = { "alasan", SCHEMA_STRING, true },
	[COMPLETE] = { "lengkap", SCHEMA_BOOLEAN, false },
	[ORDER] = { "urutan", SCHEMA_LONG, false },
	[PHYSICAL] = { "baris_fisik", SCHEMA_LONG, false },
	[ROWS] = { "baris_data", SCHEMA_LONG, false },
	[ACCEPTED] = { "diterima", SCHEMA_LONG, false },
	[REFUSED] = { "ditolak", SCHEMA_LONG, false },
	[LOOSE] = { "tak_tergabung", SCHEMA_LONG, false },
	[PUBLISHED] = { "diterbitkan", SCHEMA_LONG, false },
	[SAME] = { "sama", SCHEMA_LONG, false },
	[REMOVED] = { "dihapus", SCHEMA_LONG, false },
	[CLASSES] = { "kelas", SCHEMA_MAP, false },
	[NOTES] = { "pengamatan", SCHEMA_MAP, false },
	[CONTROLS] = { "kendali", SCHEMA_ARRAY, false },
	[STARTED] = { "mulai", SCHEMA_LONG, false },
	[ENDED] = { "selesai", SCHEMA_LONG, true },
};

static const char *const status_name[] = {
	[ADAPTER_READING] = "DIPROSES",
	[ADAPTER_DONE] = "SELESAI",
	[ADAPTER_CUT] = "TERPOTONG",
	[ADAPTER_REFUSED] = "DITOLAK",
};

const char *adapter_status_name(enum adapter_status s)
{
	return status_name[s];
}

bool adapter_status_parse(const char *name, enum adapter_status *out)
{
	for (size_t i = 0; i < BUS_LEN(status_name); i++) {
		if (strcmp(status_name[i], name) == 0) {
			*out = (enum adapter_status)i;
			return true;
		}
	}
	return false;
}

bool adapter_tally_control_wrong(const struct adapter_tally *t)
{
	for (size_t i = 0; i < t->end.n_controls; i++)
		if (t->end.control[i].said != t->end.control[i].counted)
			return true;
	return false;
}

void adapter_tally_each(const struct adapter_tally *t, bool observations,
			void (*fn)(void *ctx, const char *name, uint64_t n), void *ctx)
{
	uint64_t control = adapter_tally_control_wrong(t) ? 1 : 0;

	for (size_t i = 0; i < t->n_classes; i++) {
		const struct adapter_class *c = &t->class[i];
		bool observation = c->fate == ADAPTER_CLASS_NOTE || c->fate == ADAPTER_CLASS_SEEN;
		uint64_t n = t->count[i];

		if (strcmp(c->name, ADAPTER_CLASS_CONTROL) == 0)
			continue;
		if (observation == observations && n > 0)
			fn(ctx, c->name, n);
	}
	if (!observations && control > 0)
		fn(ctx, ADAPTER_CLASS_CONTROL, control);
	if (!observations && t->too_big > 0)
		fn(ctx, ADAPTER_CLASS_TOO_BIG, t->too_big);
}

void adapter_tally_key(const char *feed, const char *sha256, struct bus_buf *out)
{
	bus_buf_reset(out);
	bus_buf_puts(out, feed);
	bus_buf_putc(out, ':');
	bus_buf_put(out, sha256, BUS_WIRE_FILE_LEN);
}

enum bus_err adapter_tally_bind(struct adapter_shape *shape, struct schema_store *store, const char *subject,
				struct bus_error *err)
{
	return adapter_shape_bind(shape, store, subject, field, N_FIELDS, err);
}

enum bus_err adapter_tally_fit(struct adapter_shape *shape, struct schema *schema, int32_t id,
			       struct bus_error *err)
{
	return adapter_shape_fit(shape, schema, id, field, N_FIELDS, err);
}

/* An Avro map as blocks of one entry each: the number of entries need not be known before. */
static void put_entry(void *ctx, const char *name, uint64_t n)
{
	struct bus_buf *out = ctx;

	schema_put_long(out, 1);
	schema_put_text(out, bus_str(name));
	schema_put_long(out, (int64_t)n);
}

static void put_controls(const struct adapter_tally *t, const struct schema_node *item, struct bus_buf *out)
{
	for (size_t i = 0; i < t->end.n_controls; i++) {
		const struct adapter_control *c = &t->end.control[i];

		schema_put_long(out, 1);
		for (size_t f = 0; f < item->n; f++) {
			const char *name = item->field[f].name;

			if (strcmp(name, "nama") == 0)
				schema_put_text(out, bus_str(c->name));
			else
				schema_put_long(out, strcmp(name, "tertulis") == 0 ? c->said : c->counted);
		}
	}
	schema_put_long(out, 0);
}

static int64_t number_of(const struct adapter_tally *t, int known)
{
	switch (known) {
	case SIZE:
		return t->size;
	case ORDER:
		return t->order;
	case PHYSICAL:
		return (int64_t)t->physical;
	case ROWS:
		return (int64_t)t->rows;
	case ACCEPTED:
		return (int64_t)t->accepted;
	case REFUSED:
		return (int64_t)t->refused;
	case LOOSE:
		return (int64_t)t->loose;
	case PUBLISHED:
		return (int64_t)t->published;
	case SAME:
		return (int64_t)t->same;
	case REMOVED:
		return (int64_t)t->removed;
	default:
		return t->started;
	}
}

static void put_field(const struct adapter_tally *t, const struct adapter_shape *shape, int known,
		      struct bus_buf *out)
{
	struct bus_buf key = { 0 };

	switch (known) {
	case ID:
		adapter_tally_key(t->feed, t->sha256, &key);
		schema_put_text(out, bus_buf_str(&key));
		bus_buf_release(&key);
		break;
	case FEED:
		schema_put_text(out, bus_str(t->feed));
		break;
	case NAME:
		schema_put_text(out, bus_str(t->name));
		break;
	case SHA256:
		schema_put_text(out, bus_str(t->sha256));
		break;
	case STATUS:
		adapter_shape_symbol(shape, STATUS, adapter_status_name(t->status), out);
		break;
	case REASON:
		if (t->reason[0] == '\0') {
			adapter_shape_null(shape, REASON, out);
			break;
		}
		adapter_shape_some(shape, REASON, out);
		schema_put_text(out, bus_str(t->reason));
		break;
	case COMPLETE:
		schema_put_boolean(out, t->complete);
		break;
	case CLASSES:
	case NOTES:
		adapter_tally_each(t, known == NOTES, put_entry, out);
		schema_put_long(out, 0);
		break;
	case CONTROLS:
		put_controls(t, shape->node[CONTROLS]->item, out);
		break;
	case ENDED:
		if (t->ended == 0) {
			adapter_shape_null(shape, ENDED, out);
			break;
		}
		adapter_shape_some(shape, ENDED, out);
		schema_put_long(out, t->ended);
		break;
	default:
		schema_put_long(out, number_of(t, known));
		break;
	}
}

void adapter_tally_encode(const struct adapter_tally *t, const struct adapter_shape *shape,
			  struct bus_buf *out)
{
	for (size_t i = 0; i < shape->n; i++)
		put_field(t, shape, shape->known[i], out);
}

/* --- reading it back --- */

struct adapter_tally_reader {
	struct schema_store_plan plan;
	const char *at; /* name of the field being read, at depth 1 */
	int depth;
	struct adapter_tally_past *out;
};

struct adapter_tally_reader *adapter_tally_reader_new(struct schema_store *store)
{
	struct adapter_tally_reader *r = bus_xcalloc(1, sizeof(*r));

	schema_store_plan_init(&r->plan, store, NULL, SCHEMA_STORE_PLAN_WAIT_MS);
	return r;
}

void adapter_tally_reader_free(struct adapter_tally_reader **rp)
{
	struct adapter_tally_reader *r = *rp;

	if (!r)
		return;
	schema_store_plan_release(&r->plan);
	free(r);
	*rp = NULL;
}

static enum bus_err on_begin(void *ctx, const struct schema_node *node)
{
	struct adapter_tally_reader *r = ctx;

	(void)node;
	r->depth++;
	return BUS_OK;
}

static enum bus_err on_end(void *ctx, const struct schema_node *node)
{
	struct adapter_tally_reader *r = ctx;

	(void)node;
	r->depth--;
	return BUS_OK;
}

static enum bus_err on_field(void *ctx, const struct schema_node *node, size_t index)
{
	struct adapter_tally_reader *r = ctx;

	if (r->depth == 1)
		r->at = node->field[index].name;
	return BUS_OK;
}

static enum bus_err on_integer(void *ctx, const struct schema_node *node, int64_t v)
{
	struct adapter_tally_reader *r = ctx;

	(void)node;
	if (r->depth == 1 && strcmp(r->at, field[ORDER].name) == 0)
		r->out->order = v;
	if (r->depth == 1 && strcmp(r->at, field[STARTED].name) == 0)
		r->out->started = v;
	return BUS_OK;
}

static enum bus_err on_symbol(void *ctx, const struct schema_node *node, int32_t index)
{
	struct adapter_tally_reader *r = ctx;

	if (r->depth == 1 && strcmp(r->at, field[STATUS].name) == 0 &&
	    !adapter_status_parse(node->symbol[index], &r->out->status))
		r->out->status = ADAPTER_READING; /* a state of a later program: this one reads it again */
	return BUS_OK;
}

enum bus_err adapter_tally_read(struct adapter_tally_reader *r, struct bus_str value,
				struct adapter_tally_past *out, struct bus_error *err)
{
	const struct schema_sink sink = {
		.ctx = r,
		.record = on_begin,
		.array = on_begin,
		.map = on_begin,
		.end = on_end,
		.field = on_field,
		.integer = on_integer,
		.symbol = on_symbol,
	};

	*out = (struct adapter_tally_past){ .status = ADAPTER_READING };
	r->depth = 0;
	r->at = "";
	r->out = out;
	return schema_store_plan_read(&r->plan, value, &sink, err);
}
