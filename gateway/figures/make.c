#include <stdlib.h>

#include "bus/clock.h"
#include "bus/json_out.h"
#include "gateway/figures/figures.h"
#include "gateway/figures/suppress.h"

#define PAGE_ROWS 5000
#define ROWS_MAX 2000000

struct table {
	char *area[GW_FIGURES_AREAS_MAX + 1]; /* in order; then GW_FIGURES_REST */
	int64_t count[GW_FIGURES_AREAS_MAX + 1];
	size_t n;
	const struct gw_view *view; /* in hand */
	const char *month;
	struct bus_buf last; /* key */
	size_t rows;
	bool many;
};

static void read_on(struct table *t, const struct gw_value *value)
{
	const struct gw_value *key = &value[t->view->key];

	bus_buf_reset(&t->last);
	bus_buf_put(&t->last, key->s.p, key->s.n);
	t->rows++;
}

static bool take_area(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct table *t = ctx;

	(void)hash;
	read_on(t, value);
	t->many |= t->n == GW_FIGURES_AREAS_MAX;
	if (!t->many)
		t->area[t->n++] = bus_xstrndup(t->last.p, t->last.n);
	return !t->many;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool take_count(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct table *t = ctx;
	const struct gw_figures *f = t->view->figures;
	const struct gw_value *area = &value[f->area], *month = &value[f->month], *count = &value[f->count];
	char *name, **at;

	(void)hash;
	read_on(t, value);
	if (month->type != GW_TEXT || !bus_str_is(month->s, t->month) || count->type != GW_INT ||
	    count->i < 0)
		return true;
	name = area->type == GW_TEXT ? bus_xstrndup(area->s.p, area->s.n) : bus_xstrdup("");
	at = bsearch(&name, t->area, t->n, sizeof(*t->area), by_name);
	t->count[at ? (size_t)(at - t->area) : t->n] += count->i;
	free(name);
	return true;
}

/* Every row, in pages; each page is one state of the view. */
static enum bus_err every_row(struct gw_api *api, struct table *t, const struct gw_view *v, gw_row_fn fn,
			      struct bus_error *err)
{
	struct gw_query q = { .view = v, .limit = PAGE_ROWS };
	enum bus_err rc = BUS_OK;
	size_t before = 0;

	t->view = v;
	t->rows = 0;
	bus_buf_reset(&t->last);
	do {
		struct bus_buf after = { 0 };

		bus_buf_put(&after, t->last.p, t->last.n);
		q.after = bus_buf_str(&after);
		before = t->rows;
		rc = gw_page(gw_reader_of(api->engine), &q, fn, t, err);
		bus_buf_release(&after);
	} while (rc == BUS_OK && t->rows - before == PAGE_ROWS && t->rows < ROWS_MAX && !t->many);
	if (rc == BUS_OK && (t->many || t->rows >= ROWS_MAX))
		return bus_fail(err, BUS_EDATA, "view '%s' has too many rows for figures", v->name);
	return rc;
}

static void put_month(const struct table *t, const struct gw_view *v, int64_t k, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };
	bool *told = bus_xcalloc(t->n + 1, sizeof(*told)), sum_told;
	struct bus_buf salt = { 0 };
	int64_t sum = 0;
	char when[40];

	bus_buf_printf(&salt, "%s/%s", v->name, t->month);
	sum_told = gw_figures_suppress(bus_buf_cstr(&salt), (const char *const *)t->area, t->count, t->n + 1,
				       k, told);
	bus_json_object(&j);
	bus_json_text_member(&j, "bulan", t->month);
	bus_json_key(&j, "k");
	bus_json_put_int(&j, k);
	bus_json_text_member(&j, "dirilis", bus_clock_iso_wib(bus_clock_ms(), when, sizeof(when)));
	bus_json_key(&j, "wilayah");
	bus_json_object(&j);
	for (size_t i = 0; i <= t->n; i++) {
		bus_json_key(&j, t->area[i]);
		if (told[i])
			bus_json_put_int(&j, t->count[i]);
		else
			bus_json_put_null(&j);
		sum += t->count[i];
	}
	bus_json_object_end(&j);
	bus_json_key(&j, "jumlah");
	if (sum_told)
		bus_json_put_int(&j, sum);
	else
		bus_json_put_null(&j);
	bus_json_object_end(&j);
	bus_buf_release(&salt);
	free(told);
}

enum bus_err gw_figures_make(struct gw_api *api, const struct gw_views *views, const struct gw_view *v,
			     const char *month, int64_t k, struct bus_buf *out, struct bus_error *err)
{
	const struct gw_view *areas = gw_views_find(views, v->figures->areas);
	struct table *t = bus_xcalloc(1, sizeof(*t));
	enum bus_err rc;

	t->month = month;
	if (!areas || areas->dated)
		rc =
		    bus_fail(err, BUS_EDATA, "areas: there is no view '%s' without a day", v->figures->areas);
	else
		rc = every_row(api, t, areas, take_area, err);
	if (rc == BUS_OK) {
		qsort(t->area, t->n, sizeof(*t->area), by_name);
		t->area[t->n] = bus_xstrdup(GW_FIGURES_REST);
		rc = every_row(api, t, v, take_count, err);
	}
	if (rc == BUS_OK)
		put_month(t, v, k, out);
	for (size_t i = 0; i <= t->n; i++)
		free(t->area[i]);
	bus_buf_release(&t->last);
	free(t);
	return rc;
}
