#include "gateway/serve/format.h"

#include <stdio.h>

#include "bus/csv.h"
#include "bus/json_out.h"

bool gw_form_of(const char *accept, enum gw_form *out, bool *no_nulls)
{
	*out = GW_FORM_JSON;
	*no_nulls = accept && strstr(accept, "+json;nulls=stripped");
	if (accept && strstr(accept, "application/vnd.pgrst.plan"))
		return false;
	if (!accept || strstr(accept, "application/json"))
		return true;
	if (strstr(accept, "application/vnd.titian.page+json"))
		*out = GW_FORM_PAGE;
	else if (strstr(accept, "application/vnd.pgrst.object+json"))
		*out = GW_FORM_OBJECT;
	else if (strstr(accept, "application/x-ndjson"))
		*out = GW_FORM_NDJSON;
	else if (strstr(accept, "text/csv"))
		*out = GW_FORM_CSV;
	else
		return strstr(accept, "*/*") || strstr(accept, "application/*") ||
		       strstr(accept, "application/vnd.pgrst.array+json");
	return true;
}

const char *gw_form_type(enum gw_form form)
{
	switch (form) {
	case GW_FORM_PAGE:
		return "application/vnd.titian.page+json";
	case GW_FORM_OBJECT:
		return "application/vnd.pgrst.object+json; charset=utf-8";
	case GW_FORM_NDJSON:
		return "application/x-ndjson";
	case GW_FORM_CSV:
		return "text/csv; charset=utf-8";
	case GW_FORM_JSON:
		break;
	}
	return "application/json";
}

void gw_format_value(struct bus_json_out *j, const struct gw_value *v)
{
	if (v->type == GW_NULL)
		bus_json_put_null(j);
	else if (v->type == GW_INT)
		bus_json_put_int(j, v->i);
	else if (v->type == GW_BOOL)
		bus_json_put_bool(j, v->i != 0);
	else if (v->type == GW_REAL)
		bus_json_put_double(j, v->r);
	else if (v->type == GW_JSON)
		bus_json_put_raw(j, v->s);
	else
		bus_json_put_str(j, v->s);
}

static void put_value(struct bus_json_out *j, const struct gw_value *v, bool clear)
{
	if (clear || v->type == GW_NULL)
		gw_format_value(j, v);
	else if (v->type == GW_TEXT)
		bus_json_put_str(j, BUS_STR(GW_MASK));
	else
		bus_json_put_null(j);
}

void gw_format_json(const struct gw_params *p, const struct gw_value *value, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	for (size_t i = 0; i < p->n_columns; i++) {
		size_t c = p->column[i];

		if (p->no_nulls &&
		    (value[c].type == GW_NULL || (!(p->grant.clear >> c & 1) && value[c].type != GW_TEXT)))
			continue;
		bus_json_key(&j, p->name[i]);
		put_value(&j, &value[c], p->grant.clear >> c & 1);
	}
	bus_json_object_end(&j);
}

void gw_format_members(const struct gw_params *p, struct gw_members *out)
{
	struct bus_json_out j = { .buf = &out->text };

	for (size_t i = 0; i < p->n_columns; i++) {
		bus_buf_putc(&out->text, i ? ',' : '{');
		bus_json_put_text(&j, p->name[i]);
		bus_buf_putc(&out->text, ':');
		out->end[i + 1] = out->text.n;
	}
}

void gw_format_row(const struct gw_params *p, const struct gw_members *members, const struct gw_value *value,
		   struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	if (p->no_nulls || p->n_columns == 0) {
		gw_format_json(p, value, out);
		return;
	}
	for (size_t i = 0; i < p->n_columns; i++) {
		size_t c = p->column[i];

		bus_buf_put(out, members->text.p + members->end[i], members->end[i + 1] - members->end[i]);
		put_value(&j, &value[c], p->grant.clear >> c & 1);
	}
	bus_buf_putc(out, '}');
}

void gw_members_release(struct gw_members *members)
{
	bus_buf_release(&members->text);
}

void gw_format_csv_head(const struct gw_params *p, struct bus_buf *out)
{
	if (p->excel)
		bus_buf_puts(out, "\xef\xbb\xbf");
	for (size_t i = 0; i < p->n_columns; i++) {
		if (i > 0)
			bus_buf_putc(out, p->excel ? ';' : ',');
		bus_csv_put(out, bus_str(p->name[i]), p->excel ? ';' : ',');
	}
	bus_buf_puts(out, "\r\n");
}

void gw_format_csv(const struct gw_params *p, const struct gw_value *value, struct bus_buf *out)
{
	struct bus_json_out number = { .buf = out };
	char separator = p->excel ? ';' : ',';

	for (size_t i = 0; i < p->n_columns; i++) {
		size_t c = p->column[i];
		const struct gw_value *v = &value[c];

		if (i > 0)
			bus_buf_putc(out, separator);
		if (v->type == GW_NULL)
			continue;
		if (!(p->grant.clear >> c & 1)) {
			if (v->type == GW_TEXT)
				bus_csv_put(out, BUS_STR(GW_MASK), separator);
		} else if (v->type == GW_INT) {
			bus_json_put_int(&number, v->i);
		} else if (v->type == GW_BOOL) {
			bus_buf_puts(out, v->i ? "true" : "false");
		} else if (v->type == GW_REAL) {
			size_t from = out->n;
			char *point;

			bus_json_put_double(&number, v->r);
			/* Where cells end in a semicolon, a point would make thousands of it. */
			if (p->excel && (point = memchr(out->p + from, '.', out->n - from)))
				*point = ',';
		} else if (v->s.n == 0) {
			bus_buf_put(out, "\"\"", 2); /* nothing at all is null */
		} else {
			bus_csv_put(out, v->s, separator);
		}
	}
	bus_buf_put(out, "\r\n", 2);
}
