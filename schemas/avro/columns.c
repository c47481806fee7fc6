#include "schemas/avro/columns.h"

#include "bus/arena.h"
#include "bus/base64.h"
#include "bus/csv.h"
#include "schemas/avro/json.h"
#include "schemas/avro/plain.h"

struct schema_columns {
	struct schema_reader *reader;
	struct bus_arena *arena; /* text that is made here; bounded by the reader's limits on a datum */
	struct schema_column *column;
	size_t n; /* room for these */
	struct bus_buf json;
};

struct schema_columns *schema_columns_new(const struct schema_limits *limits)
{
	struct schema_columns *c = bus_xcalloc(1, sizeof(*c));

	c->reader = schema_reader_new(limits);
	c->arena = bus_arena_new(0);
	return c;
}

void schema_columns_free(struct schema_columns **c)
{
	if (*c) {
		schema_reader_free(&(*c)->reader);
		bus_arena_free(&(*c)->arena);
		free((*c)->column);
		bus_buf_release(&(*c)->json);
		free(*c);
	}
	*c = NULL;
}

/* A value as plain JSON; text without its quotes: decimals, UUIDs and base64 need no escapes. */
static enum bus_err put_json(struct schema_columns *c, const struct schema_node *type,
			     const struct schema_cell *root, const struct schema_cell *cell,
			     struct schema_column *to)
{
	struct bus_json_out out = { .buf = &c->json };
	struct schema_json_sink sink;
	enum bus_err rc;
	size_t quote;

	bus_buf_reset(&c->json);
	schema_json_sink_init(&sink, &out, SCHEMA_JSON_PLAIN);
	rc = schema_walk(c->reader, type, root, cell, &sink.sink);
	if (rc != BUS_OK)
		return rc;
	quote = c->json.n >= 2 && c->json.p[0] == '"';
	to->kind = SCHEMA_COLUMN_TEXT;
	to->s.n = c->json.n - 2 * quote;
	to->s.p = bus_arena_dup(c->arena, c->json.p + quote, to->s.n);
	return BUS_OK;
}

/* A date or a time; a number when it has no text. */
static void put_time(struct schema_columns *c, const struct schema_node *type, int64_t v,
		     struct schema_column *to)
{
	bus_buf_reset(&c->json);
	if (!schema_plain_time(type, v, &c->json)) {
		*to = (struct schema_column){ .kind = SCHEMA_COLUMN_INTEGER, .i = v };
		return;
	}
	to->kind = SCHEMA_COLUMN_TEXT;
	to->s = (struct bus_str){ bus_arena_dup(c->arena, c->json.p, c->json.n), c->json.n };
}

static enum bus_err put_column(struct schema_columns *c, const struct schema_node *type,
			       const struct schema_cell *root, const struct schema_cell *cell,
			       struct schema_column *to)
{
	type = schema_cell_type(type, cell);
	*to = (struct schema_column){ .kind = SCHEMA_COLUMN_NULL };
	switch (type->type) {
	case SCHEMA_NULL:
		break;
	case SCHEMA_BOOLEAN:
		to->kind = SCHEMA_COLUMN_BOOLEAN;
		to->i = cell->i;
		break;
	case SCHEMA_INT:
	case SCHEMA_LONG:
		put_time(c, type, cell->i, to);
		break;
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		to->kind = SCHEMA_COLUMN_REAL;
		to->r = cell->r;
		break;
	case SCHEMA_STRING:
		to->kind = SCHEMA_COLUMN_TEXT;
		to->s = (struct bus_str){ cell->p, cell->n };
		break;
	case SCHEMA_ENUM:
		to->kind = SCHEMA_COLUMN_TEXT;
		to->s = bus_str(type->symbol[cell->i]);
		break;
	case SCHEMA_BYTES:
	case SCHEMA_FIXED:
		if (type->logical != SCHEMA_LOGICAL_NONE)
			return put_json(c, type, root, cell, to);
		to->kind = SCHEMA_COLUMN_BLOB;
		to->s = (struct bus_str){ cell->p, cell->n };
		break;
	default:
		return put_json(c, type, root, cell, to);
	}
	return BUS_OK;
}

enum bus_err schema_columns_read(struct schema_columns *c, const struct schema_plan *p, struct bus_str datum,
				 const struct schema_column **column, struct bus_error *err)
{
	const struct schema_node *record = schema_root(schema_plan_reader(p));
	const struct schema_cell *root;
	enum bus_err rc;

	*column = NULL;
	if (record->type != SCHEMA_RECORD)
		return bus_fail(err, BUS_EINVAL, "a %s has no columns: only a record has",
				schema_type_name(record->type));
	bus_arena_reset(c->arena);
	rc = schema_read_cells(c->reader, p, datum, &root, err);
	if (rc != BUS_OK)
		return rc;
	if (record->n > c->n) {
		c->column = bus_xrealloc(c->column, record->n * sizeof(*c->column));
		c->n = record->n;
	}
	for (size_t i = 0; i < record->n && rc == BUS_OK; i++)
		rc = put_column(c, record->field[i].type, root, root + root->at + i, &c->column[i]);
	if (rc != BUS_OK)
		return bus_fail(err, rc, "a value cannot be spelt as JSON");
	*column = c->column;
	return BUS_OK;
}

void schema_csv_head(const struct schema_node *record, char separator, struct bus_buf *out)
{
	for (size_t i = 0; i < record->n; i++) {
		if (i > 0)
			bus_buf_putc(out, separator);
		bus_csv_put(out, bus_str(record->field[i].name), separator);
	}
	bus_buf_puts(out, "\r\n");
}

static void put_cell(const struct schema_column *column, char separator, struct bus_buf *out)
{
	struct bus_json_out number = { .buf = out };

	switch (column->kind) {
	case SCHEMA_COLUMN_NULL:
		break;
	case SCHEMA_COLUMN_BOOLEAN:
		bus_buf_puts(out, column->i ? "true" : "false");
		break;
	case SCHEMA_COLUMN_INTEGER:
		bus_json_put_int(&number, column->i);
		break;
	case SCHEMA_COLUMN_REAL:
		bus_json_put_double(&number, column->r);
		break;
	case SCHEMA_COLUMN_TEXT:
		bus_csv_put(out, column->s, separator);
		break;
	case SCHEMA_COLUMN_BLOB:
		bus_base64_put(column->s, out);
		break;
	}
}

void schema_csv_row(const struct schema_column *column, size_t n, char separator, struct bus_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			bus_buf_putc(out, separator);
		put_cell(&column[i], separator, out);
	}
	bus_buf_puts(out, "\r\n");
}
