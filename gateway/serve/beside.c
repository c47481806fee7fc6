#include "gateway/serve/beside.h"

#include <stdio.h>

#include "gateway/define/conflict.h"

enum bus_err gw_beside_check(const char *name, struct bus_str text, struct bus_error *err)
{
	struct gw_def *def = NULL, *made = NULL;
	char base[64];
	enum bus_err rc;

	if (gw_conflict_base(name, base))
		return bus_fail(err, BUS_EPARSE,
				"%s: the name is kept for what the authorities of view '%s' give", name,
				base);
	rc = gw_view_parse(name, text.p, text.n, &def, err);
	if (rc == BUS_OK)
		rc = gw_conflict_view(def, &made, err);
	gw_view_free(&made);
	gw_view_free(&def);
	return rc;
}

enum bus_err gw_beside_fits(const struct gw_views *views, const char *name, struct bus_error *err)
{
	struct gw_views *others = bus_xcalloc(1, sizeof(*others) + views->n * sizeof(views->view[0]));
	enum bus_err rc;

	for (size_t i = 0; i < views->n; i++) {
		if (!views->view[i]->conflicts_of || strcmp(views->view[i]->conflicts_of, name) != 0)
			others->view[others->n++] = views->view[i];
	}
	rc = gw_view_fits(others, name, NULL, err);
	free(others);
	return rc;
}

static enum bus_err publish_made(struct gw_engine *e, struct gw_defs *defs, const char *name,
				 const struct bus_str *text, const char *by, struct bus_error *err)
{
	struct gw_def *def = NULL, *made = NULL;
	struct gw_view_state s;
	char beside[64 + sizeof(GW_CONFLICT_SUFFIX)];
	enum bus_err rc = BUS_OK;

	snprintf(beside, sizeof(beside), "%s" GW_CONFLICT_SUFFIX, name);
	if (text) {
		rc = gw_view_parse(name, text->p, text->n, &def, err);
		if (rc == BUS_OK)
			rc = gw_conflict_view(def, &made, err);
		if (rc == BUS_OK && made)
			rc = gw_defs_publish(defs, beside, &made->text, by, err);
	}
	if (rc == BUS_OK && !made && gw_view_state(e, beside, &s) == BUS_OK && s.defined)
		rc = gw_defs_publish(defs, beside, NULL, by, err);
	gw_view_free(&made);
	gw_view_free(&def);
	return rc;
}

enum bus_err gw_beside_publish(struct gw_engine *e, struct gw_defs *defs, const char *name,
			       const struct bus_str *text, const char *by, struct bus_error *err)
{
	enum bus_err rc = text ? BUS_OK : publish_made(e, defs, name, NULL, by, err);

	if (rc == BUS_OK)
		rc = gw_defs_publish(defs, name, text, by, err);
	return rc == BUS_OK && text ? publish_made(e, defs, name, text, by, err) : rc;
}
