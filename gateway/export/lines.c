/* CSV and NDJSON: a line a row, gathered before they are handed on. */
#include "bus/json_out.h"
#include "gateway/export/file.h"

#define GATHER ((size_t)256 * 1024) /* bytes */

struct lines {
	const struct gw_params *params;
	struct gw_sink sink;
	struct bus_buf out;
	struct bus_buf names;		     /* `{"a":` `,"b":` ... */
	size_t name_end[GW_COLUMNS_MAX + 1]; /* in names */
	struct bus_buf text;
};

static void lines_free(void *w)
{
	struct lines *l = w;

	bus_buf_release(&l->out);
	bus_buf_release(&l->names);
	bus_buf_release(&l->text);
	free(l);
}

static enum bus_err lines_flush(struct lines *l, size_t least, struct bus_error *err)
{
	enum bus_err rc;

	if (l->out.n < least || l->out.n == 0)
		return BUS_OK;
	rc = l->sink.put(l->sink.ctx, l->out.p, l->out.n, err);
	bus_buf_reset(&l->out);
	return rc;
}

static enum bus_err lines_end(void *w, struct bus_error *err)
{
	return lines_flush(w, 0, err);
}

static struct lines *lines_new(const struct gw_sheet *s, const struct gw_sink *sink)
{
	struct lines *l = bus_xcalloc(1, sizeof(*l));

	l->params = s->params;
	l->sink = *sink;
	bus_buf_reserve(&l->out, GATHER + 16 * 1024);
	return l;
}

/* --- CSV ---------------------------------------------------------------------------------------------- */

static enum bus_err csv_open(const struct gw_sheet *s, const struct gw_sink *sink, void **out,
			     struct bus_error *err)
{
	struct lines *l = lines_new(s, sink);

	(void)err;
	gw_format_csv_head(l->params, &l->out);
	*out = l;
	return BUS_OK;
}

static enum bus_err csv_row(void *w, const struct gw_value *value, struct bus_error *err)
{
	struct lines *l = w;

	gw_format_csv(l->params, value, &l->out);
	return lines_flush(l, GATHER, err);
}

const struct gw_file_kind gw_file_csv = {
	.name = "csv",
	.suffix = "csv",
	.type = "text/csv; charset=utf-8",
	.open = csv_open,
	.row = csv_row,
	.end = lines_end,
	.free = lines_free,
};

/* --- NDJSON ------------------------------------------------------------------------------------------- */

static enum bus_err ndjson_open(const struct gw_sheet *s, const struct gw_sink *sink, void **out,
				struct bus_error *err)
{
	struct lines *l = lines_new(s, sink);
	struct bus_json_out j = { .buf = &l->names };

	(void)err;
	for (size_t i = 0; i < l->params->n_columns; i++) {
		bus_buf_putc(&l->names, i ? ',' : '{');
		bus_json_put_text(&j, l->params->name[i]);
		bus_buf_putc(&l->names, ':');
		l->name_end[i + 1] = l->names.n;
	}
	*out = l;
	return BUS_OK;
}

static enum bus_err ndjson_row(void *w, const struct gw_value *value, struct bus_error *err)
{
	struct lines *l = w;
	struct bus_json_out j = { .buf = &l->out };

	for (size_t i = 0; i < l->params->n_columns; i++) {
		bus_buf_put(&l->out, l->names.p + l->name_end[i], l->name_end[i + 1] - l->name_end[i]);
		gw_format_value(&j, gw_cell(l->params, value, i));
	}
	bus_buf_put(&l->out, "}\n", 2);
	return lines_flush(l, GATHER, err);
}

const struct gw_file_kind gw_file_ndjson = {
	.name = "ndjson",
	.suffix = "ndjson",
	.type = "application/x-ndjson",
	.open = ndjson_open,
	.row = ndjson_row,
	.end = lines_end,
	.free = lines_free,
};
