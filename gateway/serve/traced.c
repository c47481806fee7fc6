#include "gateway/serve/traced.h"

#include "gateway/engine/provenance.h"
#include "gateway/store/keys.h"

/* A member more in the JSON object that out ends with. */
static void add_member(struct bus_buf *out, struct bus_str provenance)
{
	while (out->n > 0 && out->p[out->n - 1] != '}')
		out->n--;
	out->n--;
	bus_buf_puts(out, out->p[out->n - 1] == '{' ? "\"_provenance\":" : ",\"_provenance\":");
	bus_buf_put(out, provenance.p, provenance.n);
	bus_buf_putc(out, '}');
}

static uint64_t wanted(const struct gw_params *p)
{
	uint64_t set = 0;

	for (size_t i = 0; i < p->n_columns; i++)
		set |= UINT64_C(1) << p->column[i];
	return set;
}

struct page {
	struct gw_rows *rows;
	struct gw_keys keys;
};

static bool take_key(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct page *p = ctx;

	(void)hash;
	gw_keys_add(&p->keys, value[p->rows->params.view->key].s);
	if (p->keys.n ==
	    (size_t)p->rows->params.query.limit) /* the next page begins there, whatever goes meanwhile */
		gw_place_put(&p->rows->params, value, &p->rows->last);
	return true;
}

static void put_traced(void *ctx, const struct gw_value *value, uint64_t hash, struct bus_str provenance)
{
	struct page *p = ctx;

	gw_rows_put(p->rows, value, hash);
	add_member(&p->rows->body, provenance);
	if (p->rows->form == GW_FORM_NDJSON)
		bus_buf_putc(&p->rows->body, '\n');
}

enum bus_err gw_rows_traced(struct gw_reader *r, struct gw_rows *rows, struct bus_error *err)
{
	const struct gw_params *q = &rows->params;
	struct page p = { .rows = rows };
	enum bus_err rc = gw_page(r, &q->query, take_key, &p, err);

	for (size_t i = 0; i < p.keys.n && rc == BUS_OK; i++) {
		rc = gw_traced(r, &q->query, gw_keys_at(&p.keys, i), wanted(q), q->grant.clear, put_traced,
			       &p, err);
		if (rc == BUS_ENOENT)
			rc = BUS_OK;
	}
	gw_keys_release(&p.keys);
	return rc;
}

struct one {
	const struct gw_params *params;
	struct bus_buf *out;
};

static void put_one(void *ctx, const struct gw_value *value, uint64_t hash, struct bus_str provenance)
{
	struct one *o = ctx;

	(void)hash;
	gw_format_json(o->params, value, o->out);
	add_member(o->out, provenance);
}

enum bus_err gw_row_traced(struct gw_reader *r, const struct gw_params *p, struct bus_str key,
			   struct bus_buf *out, struct bus_error *err)
{
	struct one o = { p, out };

	return gw_traced(r, &p->query, key, wanted(p), p->grant.clear, put_one, &o, err);
}
