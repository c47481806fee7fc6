#include <stdlib.h>

#include "bus/clock.h"
#include "bus/json_out.h"
#include "gateway/define/view.h"
#include "gateway/engine/scan.h"
#include "gateway/figures/figures.h"
#include "gateway/figures/suppress.h"

#define ROWS_MAX 2000000
#define WAIT_MS 2000
#define READ_MS 30000

struct table {
	char *area[GW_FIGURES_AREAS_MAX + 1]; /* in order; then GW_FIGURES_REST */
	int64_t count[GW_FIGURES_AREAS_MAX + 1];
	size_t n;
	const struct gw_view *areas, *view;
	const char *month;
	size_t rows;
};

static enum bus_err many(const struct gw_view *v, struct bus_error *err)
{
	return bus_fail(err, BUS_EDATA, "view '%s' has too many rows for figures", v->name);
}

static enum bus_err take_area(void *ctx, const struct gw_value *value, struct bus_error *err)
{
	struct table *t = ctx;
	const struct gw_value *key = &value[t->areas->key];

	if (t->n == GW_FIGURES_AREAS_MAX)
		return many(t->areas, err);
	t->area[t->n++] = bus_xstrndup(key->s.p, key->s.n);
	return BUS_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Between the areas and the counts. */
static enum bus_err sort_areas(void *ctx, int64_t seq, struct bus_error *err)
{
	struct table *t = ctx;

	(void)seq;
	(void)err;
	qsort(t->area, t->n, sizeof(*t->area), by_name);
	t->area[t->n] = bus_xstrdup(GW_FIGURES_REST);
	return BUS_OK;
}

static enum bus_err take_count(void *ctx, const struct gw_value *value, struct bus_error *err)
{
	struct table *t = ctx;
	const struct gw_figures *f = t->view->figures;
	const struct gw_value *area = &value[f->area], *month = &value[f->month], *count = &value[f->count];
	char *name, **at;

	if (++t->rows > ROWS_MAX)
		return many(t->view, err);
	if (month->type != GW_TEXT || !bus_str_is(month->s, t->month) || count->type != GW_INT ||
	    count->i < 0)
		return BUS_OK;
	name = area->type == GW_TEXT ? bus_xstrndup(area->s.p, area->s.n) : bus_xstrdup("");
	at = bsearch(&name, t->area, t->n, sizeof(*t->area), by_name);
	t->count[at ? (size_t)(at - t->area) : t->n] += count->i;
	free(name);
	return BUS_OK;
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
	struct table *t = bus_xcalloc(1, sizeof(*t));
	struct gw_scan scan = { .query = { .view = v },
				.all = true,
				.before_row = take_area,
				.wait_ms = WAIT_MS,
				.deadline_ms = READ_MS };
	enum bus_err rc = BUS_OK;

	t->month = month;
	t->view = v;
	t->areas = scan.before = gw_views_find(views, v->figures->areas);
	if (!t->areas)
		rc = bus_fail(err, BUS_EDATA, "areas: there is no view '%s'", v->figures->areas);
	else if (gw_figures_fit(v, t->areas, err) != BUS_OK)
		rc = BUS_EDATA;
	else
		rc = gw_scan(gw_reader_of(api->engine), &scan, sort_areas, take_count, t, err);
	if (rc == BUS_OK)
		put_month(t, v, k, out);
	for (size_t i = 0; i <= t->n; i++)
		free(t->area[i]);
	free(t);
	return rc;
}
