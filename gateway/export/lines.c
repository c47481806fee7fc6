/* CSV and NDJSON: a line a row, gathered before they are handed on. */
#include "gateway/export/file.h"

#define GATHER ((size_t)256 * 1024) /* bytes */

struct lines {
	const struct gw_params *params;
	struct gw_sink sink;
	struct bus_buf out;
	struct gw_members members;
};

static void lines_free(void *w)
{
	struct lines *l = w;

	bus_buf_release(&l->out);
	gw_members_release(&l->members);
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

	(void)err;
	gw_format_members(l->params, &l->members);
	*out = l;
	return BUS_OK;
}

static enum bus_err ndjson_row(void *w, const struct gw_value *value, struct bus_error *err)
{
	struct lines *l = w;

	gw_format_row(l->params, &l->members, value, &l->out);
	bus_buf_putc(&l->out, '\n');
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
