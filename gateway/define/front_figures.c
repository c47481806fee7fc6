/* The front matter's `figures`: counts that are published a month at a time. */
#include "gateway/define/front.h"

/* figures: {area: kode_kel, month: bulan, count: jumlah, areas: penduduk_hidup_per_kelurahan} */
enum bus_err gw_front_figures(struct gw_front *f, struct bus_yaml_node *root)
{
	static const char *const key[] = { "area", "month", "count" };
	static const enum gw_type type[] = { GW_TEXT, GW_TEXT, GW_INT };
	struct bus_yaml_node *n = bus_yaml_get(root, "figures");
	struct gw_figures *g;
	size_t at[BUS_LEN(key)];
	const char *name = NULL;
	enum bus_err rc = BUS_OK;

	if (!n)
		return BUS_OK;
	if (n->kind != BUS_YAML_MAP)
		return bus_yaml_fail(
		    f->y, n, f->err,
		    "'figures' wants {area: kode_kel, month: bulan, count: jumlah, areas: VIEW}");
	if (!f->d->pub.internal || f->d->pub.dated)
		return bus_yaml_fail(
		    f->y, n, f->err,
		    "'figures': what is published leaves small counts out, this view does not: write "
		    "internal: true, and not dated");
	for (size_t i = 0; i < BUS_LEN(key) && rc == BUS_OK; i++) {
		rc = bus_yaml_str(f->y, n, key[i], true, &name, f->err);
		if (rc == BUS_OK)
			rc = gw_front_column(f, bus_yaml_get(n, key[i]), key[i], name, &at[i]);
		if (rc == BUS_OK &&
		    (f->d->pub.column[at[i]].type != type[i] || f->d->pub.column[at[i]].pdp != 'N'))
			rc = bus_yaml_fail(f->y, bus_yaml_get(n, key[i]), f->err, "%s '%s': type: %s, pdp: N",
					   key[i], name, type[i] == GW_INT ? "int" : "text");
	}
	if (rc != BUS_OK)
		return rc;
	g = bus_arena_zalloc(f->d->arena, sizeof(*g));
	*g = (struct gw_figures){ .area = at[0], .month = at[1], .count = at[2] };
	if ((rc = bus_yaml_str(f->y, n, "areas", true, &name, f->err)) != BUS_OK ||
	    (rc = bus_yaml_no_more(f->y, n, f->err)) != BUS_OK)
		return rc;
	g->areas = gw_front_keep(f, name);
	f->d->pub.figures = g;
	return BUS_OK;
}

enum bus_err gw_figures_fit(const struct gw_view *v, const struct gw_view *areas, struct bus_error *err)
{
	const struct gw_column *key = &areas->column[areas->key];

	if (!areas->dated && !areas->internal && key->pdp == 'N')
		return BUS_OK;
	return bus_fail(err, BUS_EPARSE,
			"view '%s': figures: areas: '%s': its keys are told to everybody: they must be of "
			"class N ('%s' is "
			"%c), and the view not internal and not dated",
			v->name, areas->name, key->name, key->pdp);
}
