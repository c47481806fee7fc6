/* Avro container files. The schema is made from the view's columns: every one but the key may be null. */
#include "bus/json_out.h"
#include "gateway/export/file.h"
#include "schemas/avro/ocf.h"
#include "schemas/avro/write.h"

struct avro {
	const struct gw_params *params;
	struct gw_sink sink;
	struct schema_ocf_writer *ocf;
	struct bus_buf datum, text;
};

static const char *type_of(enum gw_type type)
{
	return type == GW_INT ? "long" : type == GW_REAL ? "double" : type == GW_BOOL ? "boolean" : "string";
}

static void put_title(struct bus_json_out *j, const struct gw_column *c)
{
	bus_json_key(j, "x_title");
	bus_json_object(j);
	bus_json_text_member(j, "id", c->title_id ? c->title_id : c->name);
	bus_json_text_member(j, "en", c->title_en ? c->title_en : c->title_id ? c->title_id : c->name);
	bus_json_object_end(j);
}

static void put_field(struct bus_json_out *j, const struct gw_params *p, size_t i)
{
	const struct gw_column *c = &p->view->column[p->column[i]];
	const char pdp[2] = { c->pdp, 0 };

	bus_json_object(j);
	bus_json_text_member(j, "name", p->name[i]);
	bus_json_key(j, "type");
	if (p->column[i] == p->view->key) {
		bus_json_put_text(j, type_of(c->type));
	} else {
		bus_json_array(j);
		bus_json_put_text(j, "null");
		bus_json_put_text(j, type_of(c->type));
		bus_json_array_end(j);
		bus_json_key(j, "default");
		bus_json_put_null(j);
	}
	bus_json_some_text_member(j, "doc", c->about_id ? c->about_id : c->title_id);
	put_title(j, c);
	bus_json_some_text_member(j, "x_unit", c->unit);
	bus_json_text_member(j, "x_pdp", pdp);
	if (c->type == GW_JSON) {
		bus_json_key(j, "x_json");
		bus_json_put_bool(j, true);
	}
	bus_json_object_end(j);
}

static void put_schema(const struct gw_sheet *s, struct bus_buf *out)
{
	const struct gw_view *v = s->params->view;
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	bus_json_text_member(&j, "type", "record");
	bus_json_text_member(&j, "name", v->name);
	bus_json_some_text_member(&j, "doc", v->about_id ? v->about_id : v->title_id);
	bus_json_key(&j, "fields");
	bus_json_array(&j);
	for (size_t i = 0; i < s->params->n_columns; i++)
		put_field(&j, s->params, i);
	bus_json_array_end(&j);
	bus_json_object_end(&j);
}

static enum bus_err to_sink(void *ctx, const void *p, size_t n, struct bus_error *err)
{
	struct avro *a = ctx;

	return a->sink.put(a->sink.ctx, p, n, err);
}

static enum bus_err nowhere(void *ctx, const void *p, size_t n, struct bus_error *err)
{
	(void)ctx, (void)p, (void)n, (void)err;
	return BUS_OK;
}

static void avro_free(void *w)
{
	struct avro *a = w;

	a->sink.put = nowhere; /* what is still held back of an unfinished file */
	if (a->ocf && schema_ocf_finish(&a->ocf, NULL) != BUS_OK)
		a->ocf = NULL;
	bus_buf_release(&a->datum);
	bus_buf_release(&a->text);
	free(a);
}

static enum bus_err avro_open(const struct gw_sheet *s, const struct gw_sink *sink, void **out,
			      struct bus_error *err)
{
	static const enum schema_codec codec[GW_PACKS] = { SCHEMA_CODEC_NULL, SCHEMA_CODEC_SNAPPY,
							   SCHEMA_CODEC_ZSTANDARD, SCHEMA_CODEC_DEFLATE };
	const struct schema_ocf_meta meta[] = { { BUS_STR("titian.as_of"), bus_str(s->as_of) },
						{ BUS_STR("titian.cursor"), bus_str(s->cursor) } };
	struct avro *a = bus_xcalloc(1, sizeof(*a));
	struct schema *schema = NULL;
	struct bus_buf text = { 0 };
	enum bus_err rc;

	a->params = s->params;
	a->sink = *sink;
	put_schema(s, &text);
	rc = schema_parse(bus_buf_str(&text), SCHEMA_LENIENT, NULL, 0, &schema, err);
	if (rc == BUS_OK)
		rc = schema_ocf_create(schema, codec[s->pack], meta, BUS_LEN(meta), NULL, to_sink, a, &a->ocf,
				       err);
	schema_unref(&schema);
	bus_buf_release(&text);
	if (rc != BUS_OK) {
		avro_free(a);
		a = NULL;
	}
	*out = a;
	return rc;
}

static void put_value(struct avro *a, const struct gw_column *c, const struct gw_value *v)
{
	if (c->type == GW_INT)
		schema_put_long(&a->datum, v->i);
	else if (c->type == GW_REAL)
		schema_put_double(&a->datum, v->r);
	else if (c->type == GW_BOOL)
		schema_put_boolean(&a->datum, v->i != 0);
	else
		schema_put_text(&a->datum, gw_cell_text(v->s, false, &a->text));
}

static enum bus_err avro_row(void *w, const struct gw_value *value, struct bus_error *err)
{
	struct avro *a = w;
	const struct gw_params *p = a->params;
	enum bus_err rc = BUS_OK;

	bus_buf_reset(&a->datum);
	for (size_t i = 0; i < p->n_columns && rc == BUS_OK; i++) {
		const struct gw_column *c = &p->view->column[p->column[i]];
		struct gw_value v;
		char space[32];

		rc = gw_cell_fit(c, gw_cell(p, value, i), space, &v, err);
		if (rc != BUS_OK)
			return rc;
		if (p->column[i] != p->view->key) {
			schema_put_long(&a->datum, v.type != GW_NULL);
			if (v.type == GW_NULL)
				continue;
		} else if (v.type == GW_NULL) {
			return bus_fail(err, BUS_EDATA, "a row has no key");
		}
		put_value(a, c, &v);
	}
	return schema_ocf_append(a->ocf, bus_buf_str(&a->datum), err);
}

static enum bus_err avro_end(void *w, struct bus_error *err)
{
	struct avro *a = w;

	return schema_ocf_finish(&a->ocf, err);
}

const struct gw_file_kind gw_file_avro = {
	.name = "avro",
	.suffix = "avro",
	.type = "application/vnd.apache.avro",
	.packs = 1U << GW_PACK_NONE | 1U << GW_PACK_SNAPPY | 1U << GW_PACK_ZSTD | 1U << GW_PACK_DEFLATE,
	.usual = GW_PACK_DEFLATE, /* the one that every reader of Avro must know */
	.open = avro_open,
	.row = avro_row,
	.end = avro_end,
	.free = avro_free,
};
