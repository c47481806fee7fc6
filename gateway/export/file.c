#include "gateway/export/file.h"

#include <math.h>
#include <stdio.h>

#include "bus/json_out.h"
#include "bus/utf8.h"

const char *const gw_pack_name[GW_PACKS] = { "none", "snappy", "zstd", "deflate" };

const struct gw_file_kind *const gw_file_kinds[] = { &gw_file_csv,  &gw_file_ndjson,  &gw_file_avro,
						     &gw_file_xlsx, &gw_file_parquet, NULL };

const struct gw_value gw_cell_masked = { .type = GW_TEXT, .s = { GW_MASK, sizeof(GW_MASK) - 1 } };
const struct gw_value gw_cell_null = { .type = GW_NULL };

const struct gw_file_kind *gw_file_kind_named(const char *name)
{
	for (size_t i = 0; gw_file_kinds[i]; i++)
		if (strcmp(gw_file_kinds[i]->name, name) == 0)
			return gw_file_kinds[i];
	return NULL;
}

const struct gw_file_kind *gw_file_kind_typed(const char *accept)
{
	static const struct {
		const char *type;
		const struct gw_file_kind *kind;
	} types[] = {
		{ "text/csv", &gw_file_csv },
		{ "application/x-ndjson", &gw_file_ndjson },
		{ "application/vnd.apache.avro", &gw_file_avro },
		{ "avro/binary", &gw_file_avro },
		{ "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", &gw_file_xlsx },
		{ "application/vnd.apache.parquet", &gw_file_parquet },
	};

	/* Who takes JSON too gets a page. */
	if (!accept || strstr(accept, "application/json"))
		return NULL;
	for (size_t i = 0; i < BUS_LEN(types); i++)
		if (strstr(accept, types[i].type))
			return types[i].kind;
	return NULL;
}

const char *gw_column_type_name(enum gw_type type)
{
	static const char *const name[] = { "null", "integer", "number", "string", "boolean", "json" };

	return name[type];
}

static enum bus_err misfit(const struct gw_column *c, struct bus_error *err)
{
	return bus_fail(err, BUS_EDATA, "column '%s' holds a value that is no %s", c->name,
			gw_column_type_name(c->type));
}

enum bus_err gw_cell_fit(const struct gw_column *c, const struct gw_value *v, char space[32],
			 struct gw_value *fit, struct bus_error *err)
{
	bool text = c->type == GW_TEXT || c->type == GW_JSON;

	*fit = *v;
	if (v->type == GW_NULL || v->type == c->type || (text && (v->type == GW_TEXT || v->type == GW_JSON)))
		return BUS_OK;
	if (v == &gw_cell_masked)
		*fit = gw_cell_null;
	else if (text && (v->type == GW_INT || v->type == GW_REAL || v->type == GW_BOOL)) {
		int n = v->type == GW_REAL ? snprintf(space, 32, "%.17g", v->r)
					   : snprintf(space, 32, "%lld", (long long)v->i);

		*fit = (struct gw_value){ .type = GW_TEXT, .s = { space, (size_t)n } };
	} else if (c->type == GW_INT && v->type == GW_REAL && v->r == floor(v->r) &&
		   fabs(v->r) < 9007199254740992.0) {
		*fit = (struct gw_value){ .type = GW_INT, .i = (int64_t)v->r };
	} else {
		return misfit(c, err);
	}
	return BUS_OK;
}

struct bus_str gw_cell_text(struct bus_str s, bool nul, struct bus_buf *b)
{
	size_t i = 0;

	if (bus_utf8_ok(s.p, s.n) == s.n && !(nul && s.n > 0 && memchr(s.p, 0, s.n)))
		return s;
	bus_buf_reset(b);
	while (i < s.n) {
		size_t n = bus_utf8_len(s.p + i, s.n - i);

		if (n == 0 || (nul && s.p[i] == 0)) {
			bus_buf_put(b, "\xef\xbf\xbd", 3);
			i++;
		} else {
			bus_buf_put(b, s.p + i, n);
			i += n;
		}
	}
	return bus_buf_str(b);
}

void gw_sheet_columns(const struct gw_sheet *s, struct bus_json_out *j)
{
	bus_json_array(j);
	for (size_t i = 0; i < s->params->n_columns; i++) {
		size_t k = s->params->column[i];
		const struct gw_column *c = &s->params->view->column[k];
		const char pdp[2] = { c->pdp, 0 };

		bus_json_object(j);
		bus_json_text_member(j, "name", s->params->name[i]);
		bus_json_text_member(j, "type", gw_column_type_name(c->type));
		bus_json_key(j, "title");
		bus_json_object(j);
		bus_json_text_member(j, "id", c->title_id ? c->title_id : c->name);
		bus_json_text_member(j, "en",
				     c->title_en   ? c->title_en
				     : c->title_id ? c->title_id
						   : c->name);
		bus_json_object_end(j);
		bus_json_text_member(j, "pdp", pdp);
		bus_json_key(j, "masked");
		bus_json_put_bool(j, !(s->params->grant.clear >> k & 1));
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}
