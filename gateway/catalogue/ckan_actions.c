#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "bus/proc.h"
#include "gateway/catalogue/ckan.h"

#define VERSION "2.10.4" /* whose action API this is */

static enum gw_ckan_fault must(struct gw_ckan *c, const char *name, const char **out)
{
	*out = gw_ckan_text(c, name);
	if (*out && **out)
		return GW_CKAN_OK;
	c->field = name;
	snprintf(c->detail, sizeof(c->detail), "Missing value");
	return GW_CKAN_MISSING;
}

static bool is_it(const char *kind, const char *name, const char *part, const char *asked)
{
	char id[37];

	gw_shelf_uuid(kind, name, part, id);
	return strcmp(id, asked) == 0 || (!*part && strcasecmp(name, asked) == 0);
}

static enum gw_ckan_fault window(struct gw_ckan *c, int64_t *limit, int64_t *offset)
{
	enum gw_ckan_fault rc = gw_ckan_number(c, "limit", limit);

	return rc ? rc : gw_ckan_number(c, "offset", offset);
}

static enum gw_ckan_fault package_list(struct gw_ckan *c)
{
	int64_t limit = INT64_MAX, offset = 0;
	enum gw_ckan_fault rc = window(c, &limit, &offset);

	if (rc)
		return rc;
	bus_json_array(c->j);
	for (int64_t i = offset; i < (int64_t)c->shelf->n && i - offset < limit; i++)
		bus_json_put_text(c->j, c->shelf->item[i].view->name);
	bus_json_array_end(c->j);
	return GW_CKAN_OK;
}

static enum gw_ckan_fault packages(struct gw_ckan *c)
{
	int64_t limit = GW_CKAN_ROWS_MAX, offset = 0;
	enum gw_ckan_fault rc = window(c, &limit, &offset);

	if (rc)
		return rc;
	if (limit > GW_CKAN_ROWS_MAX)
		limit = GW_CKAN_ROWS_MAX;
	bus_json_array(c->j);
	for (int64_t i = offset; i < (int64_t)c->shelf->n && i - offset < limit; i++)
		gw_ckan_put_package(c->j, c->shelf, &c->shelf->item[i]);
	bus_json_array_end(c->j);
	return GW_CKAN_OK;
}

static enum gw_ckan_fault package_show(struct gw_ckan *c)
{
	const char *id;

	if (must(c, "id", &id)) {
		c->field = "name_or_id"; /* as CKAN says it */
		return GW_CKAN_MISSING;
	}
	for (size_t i = 0; i < c->shelf->n; i++) {
		if (is_it("dataset", c->shelf->item[i].view->name, "", id)) {
			gw_ckan_put_package(c->j, c->shelf, &c->shelf->item[i]);
			return GW_CKAN_OK;
		}
	}
	return GW_CKAN_NOT_FOUND;
}

static enum gw_ckan_fault resource_show(struct gw_ckan *c)
{
	const char *id;

	if (must(c, "id", &id))
		return GW_CKAN_MISSING;
	for (size_t i = 0; i < c->shelf->n; i++) {
		const struct gw_shelf_item *item = &c->shelf->item[i];

		for (size_t f = 0; f < item->n_forms; f++) {
			if (is_it("resource", item->view->name, item->form[f].name, id)) {
				gw_ckan_put_resource(c->j, c->shelf, item, f);
				return GW_CKAN_OK;
			}
		}
	}
	return GW_CKAN_NOT_FOUND;
}

static void put_lower(struct bus_json_out *j, const char *name)
{
	char lower[80];
	size_t n = 0;

	for (; name[n] && n < sizeof(lower) - 1; n++)
		lower[n] = (char)(name[n] >= 'A' && name[n] <= 'Z' ? name[n] + 32 : name[n]);
	bus_json_put_str(j, (struct bus_str){ lower, n });
}

static enum gw_ckan_fault group_list(struct gw_ckan *c, bool organization)
{
	bool all = gw_ckan_flag(c, "all_fields");
	int64_t limit = GW_CKAN_ROWS_MAX, offset = 0;
	enum gw_ckan_fault rc = window(c, &limit, &offset);
	struct gw_ckan_group g;

	if (rc)
		return rc;
	bus_json_array(c->j);
	for (int64_t i = offset; i - offset < limit && gw_ckan_group(c->shelf, organization, (size_t)i, &g);
	     i++) {
		if (all)
			gw_ckan_put_group(c->j, c->shelf, &g, false);
		else
			put_lower(c->j, g.name);
	}
	bus_json_array_end(c->j);
	return GW_CKAN_OK;
}

static enum gw_ckan_fault group_show(struct gw_ckan *c, bool organization)
{
	struct gw_ckan_group g;
	const char *id;

	if (must(c, "id", &id))
		return GW_CKAN_MISSING;
	for (size_t i = 0; gw_ckan_group(c->shelf, organization, i, &g); i++) {
		if (is_it(organization ? "organization" : "group", g.name, "", id)) {
			gw_ckan_put_group(c->j, c->shelf, &g, gw_ckan_flag(c, "include_datasets"));
			return GW_CKAN_OK;
		}
	}
	return GW_CKAN_NOT_FOUND;
}

static enum gw_ckan_fault organizations(struct gw_ckan *c)
{
	return group_list(c, true);
}

static enum gw_ckan_fault organization_show(struct gw_ckan *c)
{
	return group_show(c, true);
}

static enum gw_ckan_fault groups(struct gw_ckan *c)
{
	return group_list(c, false);
}

static enum gw_ckan_fault group_shown(struct gw_ckan *c)
{
	return group_show(c, false);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum gw_ckan_fault tag_list(struct gw_ckan *c)
{
	const char *query = gw_ckan_text(c, "query"), **tag;
	bool all = gw_ckan_flag(c, "all_fields");
	size_t n = 0, max = 1;

	for (size_t i = 0; i < c->shelf->n; i++)
		max += c->shelf->item[i].view->card ? c->shelf->item[i].view->card->n_keywords : 0;
	tag = bus_xcalloc(max, sizeof(*tag));
	for (size_t i = 0; i < c->shelf->n; i++) {
		const struct gw_card *card = c->shelf->item[i].view->card;

		for (size_t k = 0; card && k < card->n_keywords; k++) {
			if (!query || strcasestr(card->keyword[k], query))
				tag[n++] = card->keyword[k];
		}
	}
	qsort(tag, n, sizeof(*tag), by_name);
	bus_json_array(c->j);
	for (size_t i = 0; i < n; i++) {
		if (i && strcmp(tag[i], tag[i - 1]) == 0)
			continue;
		if (all)
			gw_ckan_put_tag(c->j, tag[i]);
		else
			bus_json_put_text(c->j, tag[i]);
	}
	bus_json_array_end(c->j);
	free(tag);
	return GW_CKAN_OK;
}

static enum gw_ckan_fault status_show(struct gw_ckan *c)
{
	bus_json_object(c->j);
	bus_json_text_member(c->j, "ckan_version", VERSION);
	bus_json_text_member(c->j, "site_url", c->shelf->conf->base);
	bus_json_text_member(c->j, "site_description", "Titian " TITIAN_VERSION);
	bus_json_text_member(c->j, "site_title", c->shelf->conf->publisher);
	bus_json_text_member(c->j, "error_emails_to",
			     *c->shelf->conf->contact ? c->shelf->conf->contact : NULL);
	bus_json_text_member(c->j, "locale_default", "id");
	bus_json_key(c->j, "extensions");
	bus_json_array(c->j);
	bus_json_array_end(c->j);
	bus_json_object_end(c->j);
	return GW_CKAN_OK;
}

static enum gw_ckan_fault site_read(struct gw_ckan *c)
{
	bus_json_put_bool(c->j, true);
	return GW_CKAN_OK;
}

static enum gw_ckan_fault help_show(struct gw_ckan *c);

static const struct gw_ckan_action action[] = {
	{ "package_list", package_list, "Names of the data sets you may know of. limit, offset." },
	{ "package_show", package_show, "A data set. id: its name or id." },
	{ "package_search", gw_ckan_search,
	  "Data sets that match. q, fq, rows (1,000 at most), start, sort, facet.field." },
	{ "current_package_list_with_resources", packages, "Data sets with all they have. limit, offset." },
	{ "resource_show", resource_show, "One form of a data set's rows. id." },
	{ "organization_list", organizations, "Departments with data sets. all_fields, limit, offset." },
	{ "organization_show", organization_show, "A department. id, include_datasets." },
	{ "group_list", groups, "Themes. all_fields, limit, offset." },
	{ "group_show", group_shown, "A theme. id, include_datasets." },
	{ "tag_list", tag_list, "Keywords. query, all_fields." },
	{ "status_show", status_show, "What answers here." },
	{ "site_read", site_read, "True: this site may be read." },
	{ "help_show", help_show, "What an action does. name." },
};

static enum gw_ckan_fault help_show(struct gw_ckan *c)
{
	const struct gw_ckan_action *a;
	const char *name;

	if (must(c, "name", &name))
		return GW_CKAN_MISSING;
	a = gw_ckan_action(name);
	if (!a)
		return GW_CKAN_NOT_FOUND;
	bus_json_put_text(c->j, a->help);
	return GW_CKAN_OK;
}

const struct gw_ckan_action *gw_ckan_action(const char *name)
{
	for (size_t i = 0; i < BUS_LEN(action); i++) {
		if (strcmp(action[i].name, name) == 0)
			return &action[i];
	}
	return NULL;
}
