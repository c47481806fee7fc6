#include "gateway/decode.h"

#include <assert.h>

#include "bus/clock.h"
#include "schemas/avro_json.h"

struct gw_decode {
	struct schema_sink sink;
	struct schema_reader *reader;
	struct bus_arena *arena; /* text that is made here: dates, JSON */
	struct gw_cell *cell;
	size_t n_fields;
	size_t current;
	int depth; /* 0: outside, 1: in the record, more: in a field that becomes JSON */
	struct bus_buf json;
	struct bus_json_out out;
	struct schema_json_sink json_sink;
};

static struct gw_cell *cell_of(struct gw_decode *d)
{
	assert(d->depth == 1 && d->current < d->n_fields);
	return &d->cell[d->current];
}

static void begin_json(struct gw_decode *d)
{
	bus_buf_reset(&d->json);
	d->out = (struct bus_json_out){ .buf = &d->json };
	schema_json_sink_init(&d->json_sink, &d->out, SCHEMA_JSON_PLAIN);
}

static struct bus_str keep(struct gw_decode *d, const char *p, size_t n)
{
	return (struct bus_str){ bus_arena_dup(d->arena, p, n), n };
}

/* Kinds of values that the catalogue's plain JSON spells well: taken from there, quotes off. */
static void end_scalar_json(struct gw_decode *d)
{
	struct gw_cell *c = cell_of(d);
	size_t quote = d->json.n >= 2 && d->json.p[0] == '"';

	c->kind = GW_CELL_TEXT;
	c->s = keep(d, d->json.p + quote, d->json.n - 2 * quote);
}

static enum bus_err on_null(void *ctx, const struct schema_node *node)
{
	struct gw_decode *d = ctx;

	if (d->depth > 1)
		return d->json_sink.sink.null(d->json_sink.sink.ctx, node);
	cell_of(d)->kind = GW_CELL_NULL;
	return BUS_OK;
}

static enum bus_err on_boolean(void *ctx, const struct schema_node *node, bool v)
{
	struct gw_decode *d = ctx;

	if (d->depth > 1)
		return d->json_sink.sink.boolean(d->json_sink.sink.ctx, node, v);
	*cell_of(d) = (struct gw_cell){ .kind = GW_CELL_INT, .i = v };
	return BUS_OK;
}

static enum bus_err on_integer(void *ctx, const struct schema_node *node, int64_t v)
{
	struct gw_decode *d = ctx;
	struct gw_cell *c;
	char text[40];

	if (d->depth > 1)
		return d->json_sink.sink.integer(d->json_sink.sink.ctx, node, v);
	c = cell_of(d);
	switch (node->logical) {
	case SCHEMA_LOGICAL_NONE:
		*c = (struct gw_cell){ .kind = GW_CELL_INT, .i = v };
		return BUS_OK;
	case SCHEMA_DATE:
		bus_clock_iso_date((int32_t)v, text, sizeof(text));
		break;
	case SCHEMA_TIMESTAMP_MILLIS:
		bus_clock_iso_wib(v, text, sizeof(text));
		break;
	default:
		begin_json(d);
		(void)d->json_sink.sink.integer(d->json_sink.sink.ctx, node, v);
		end_scalar_json(d);
		return BUS_OK;
	}
	*c = (struct gw_cell){ .kind = GW_CELL_TEXT, .s = keep(d, text, strlen(text)) };
	return BUS_OK;
}

static enum bus_err on_real(void *ctx, const struct schema_node *node, double v)
{
	struct gw_decode *d = ctx;

	if (d->depth > 1)
		return d->json_sink.sink.real(d->json_sink.sink.ctx, node, v);
	*cell_of(d) = (struct gw_cell){ .kind = GW_CELL_REAL, .r = v };
	return BUS_OK;
}

static enum bus_err on_text(void *ctx, const struct schema_node *node, struct bus_str v)
{
	struct gw_decode *d = ctx;

	if (d->depth > 1)
		return d->json_sink.sink.text(d->json_sink.sink.ctx, node, v);
	*cell_of(d) = (struct gw_cell){ .kind = GW_CELL_TEXT, .s = v };
	return BUS_OK;
}

static enum bus_err on_bytes(void *ctx, const struct schema_node *node, struct bus_str v)
{
	struct gw_decode *d = ctx;

	if (d->depth > 1)
		return d->json_sink.sink.bytes(d->json_sink.sink.ctx, node, v);
	if (node->logical == SCHEMA_LOGICAL_NONE) {
		*cell_of(d) = (struct gw_cell){ .kind = GW_CELL_BLOB, .s = v };
		return BUS_OK;
	}
	begin_json(d);
	(void)d->json_sink.sink.bytes(d->json_sink.sink.ctx, node, v);
	end_scalar_json(d);
	return BUS_OK;
}

static enum bus_err on_symbol(void *ctx, const struct schema_node *node, int32_t index)
{
	struct gw_decode *d = ctx;

	if (d->depth > 1)
		return d->json_sink.sink.symbol(d->json_sink.sink.ctx, node, index);
	*cell_of(d) = (struct gw_cell){ .kind = GW_CELL_TEXT, .s = bus_str(node->symbol[index]) };
	return BUS_OK;
}

static enum bus_err on_branch(void *ctx, const struct schema_node *node, int32_t index)
{
	struct gw_decode *d = ctx;

	return d->depth > 1 && d->json_sink.sink.branch
		   ? d->json_sink.sink.branch(d->json_sink.sink.ctx, node, index)
		   : BUS_OK;
}

static enum bus_err on_record(void *ctx, const struct schema_node *node)
{
	struct gw_decode *d = ctx;

	if (d->depth == 1)
		begin_json(d);
	d->depth++;
	return d->depth > 1 ? d->json_sink.sink.record(d->json_sink.sink.ctx, node) : BUS_OK;
}

static enum bus_err on_field(void *ctx, const struct schema_node *node, size_t index)
{
	struct gw_decode *d = ctx;

	if (d->depth > 1)
		return d->json_sink.sink.field(d->json_sink.sink.ctx, node, index);
	d->current = index;
	return BUS_OK;
}

static enum bus_err on_array(void *ctx, const struct schema_node *node)
{
	struct gw_decode *d = ctx;

	if (d->depth == 1)
		begin_json(d);
	d->depth++;
	return d->json_sink.sink.array(d->json_sink.sink.ctx, node);
}

static enum bus_err on_map(void *ctx, const struct schema_node *node)
{
	struct gw_decode *d = ctx;

	if (d->depth == 1)
		begin_json(d);
	d->depth++;
	return d->json_sink.sink.map(d->json_sink.sink.ctx, node);
}

static enum bus_err on_key(void *ctx, const struct schema_node *node, struct bus_str name)
{
	struct gw_decode *d = ctx;

	return d->json_sink.sink.key(d->json_sink.sink.ctx, node, name);
}

static enum bus_err on_end(void *ctx, const struct schema_node *node)
{
	struct gw_decode *d = ctx;
	enum bus_err rc = BUS_OK;

	if (d->depth > 1)
		rc = d->json_sink.sink.end(d->json_sink.sink.ctx, node);
	d->depth--;
	if (d->depth == 1)
		*cell_of(d) = (struct gw_cell){ .kind = GW_CELL_TEXT, .s = keep(d, d->json.p, d->json.n) };
	return rc;
}

struct gw_decode *gw_decode_new(size_t n_fields)
{
	struct gw_decode *d = bus_xcalloc(1, sizeof(*d));

	d->sink = (struct schema_sink){
		.ctx = d,
		.null = on_null,
		.boolean = on_boolean,
		.integer = on_integer,
		.real = on_real,
		.text = on_text,
		.bytes = on_bytes,
		.symbol = on_symbol,
		.branch = on_branch,
		.record = on_record,
		.field = on_field,
		.array = on_array,
		.map = on_map,
		.key = on_key,
		.end = on_end,
	};
	d->reader = schema_reader_new(NULL);
	d->arena = bus_arena_new(0); /* bounded by the reader's limits on a record */
	d->n_fields = n_fields;
	d->cell = bus_xcalloc(n_fields, sizeof(*d->cell));
	return d;
}

void gw_decode_free(struct gw_decode **d)
{
	if (!*d)
		return;
	schema_reader_free(&(*d)->reader);
	bus_arena_free(&(*d)->arena);
	bus_buf_release(&(*d)->json);
	free((*d)->cell);
	free(*d);
	*d = NULL;
}

enum bus_err gw_decode_record(struct gw_decode *d, const struct schema_plan *plan, struct bus_str datum,
			      const struct gw_cell **cell, struct bus_error *err)
{
	bus_arena_reset(d->arena);
	memset(d->cell, 0, d->n_fields * sizeof(*d->cell));
	d->depth = 0;
	*cell = d->cell;
	return schema_read(d->reader, plan, datum, &d->sink, err);
}

const char *gw_decode_column_type(const struct schema_node *type)
{
	if (type->type == SCHEMA_UNION) {
		const char *only = NULL, *t;

		for (size_t i = 0; i < type->n; i++) {
			if (type->branch[i]->type == SCHEMA_NULL)
				continue;
			t = gw_decode_column_type(type->branch[i]);
			if (only && strcmp(only, t) != 0)
				return "BLOB"; /* several kinds: no affinity, kept as they come */
			only = t;
		}
		return only ? only : "BLOB";
	}
	if (type->logical != SCHEMA_LOGICAL_NONE)
		return "TEXT";
	switch (type->type) {
	case SCHEMA_BOOLEAN:
	case SCHEMA_INT:
	case SCHEMA_LONG:
		return "INTEGER";
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return "REAL";
	case SCHEMA_BYTES:
	case SCHEMA_FIXED:
	case SCHEMA_NULL:
		return "BLOB";
	default:
		return "TEXT";
	}
}
