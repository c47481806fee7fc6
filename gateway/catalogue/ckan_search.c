/* package_search: docs.ckan.org/en/2.10/api/#ckan.logic.action.get.package_search. */
#include <stdio.h>
#include <strings.h>

#include "gateway/catalogue/ckan.h"
#include "gateway/catalogue/ckan_query.h"

#define SORT_MAX 4

struct sort {
	struct {
		const char *field; /* of the table below */
		bool descending;
	} by[SORT_MAX];
	size_t n;
};

static const char *const sortable[] = { "score",	   "id",	   "name",
					"title",	   "title_string", "metadata_modified",
					"metadata_created" };

static enum gw_ckan_fault query_fault(struct gw_ckan *c, const char *what, const char *why)
{
	snprintf(c->detail, sizeof(c->detail), "Search Query is invalid: %s: %s", what, why);
	return GW_CKAN_QUERY;
}

/* "metadata_modified desc, name asc" */
static enum gw_ckan_fault read_sort(struct gw_ckan *c, const char *text, struct sort *sort)
{
	while (*text) {
		size_t n, i;

		text += strspn(text, " ,");
		n = strcspn(text, " ,");
		if (n == 0)
			break;
		for (i = 0; i < BUS_LEN(sortable); i++) {
			if (strlen(sortable[i]) == n && strncmp(sortable[i], text, n) == 0)
				break;
		}
		if (i == BUS_LEN(sortable) || sort->n == SORT_MAX)
			return query_fault(c, "sort",
					   "a field of score, id, name, title, metadata_modified, "
					   "metadata_created, four at most");
		sort->by[sort->n].field = sortable[i];
		text += n;
		text += strspn(text, " ");
		n = strcspn(text, " ,");
		if (n != 3 && n != 4 && n != 0)
			return query_fault(c, "sort", "asc or desc");
		if (n && strncasecmp(text, "asc", n) != 0 && strncasecmp(text, "desc", n) != 0)
			return query_fault(c, "sort", "asc or desc");
		sort->by[sort->n++].descending = n == 4;
		text += n;
	}
	return GW_CKAN_OK;
}

static int order_of(const struct gw_shelf *s, const char *field, const struct gw_shelf_item *a,
		    const struct gw_shelf_item *b)
{
	char id[2][37];

	if (strcmp(field, "metadata_modified") == 0)
		return (a->modified_ms > b->modified_ms) - (a->modified_ms < b->modified_ms);
	if (strcmp(field, "metadata_created") == 0)
		return (gw_ckan_created(a) > gw_ckan_created(b)) - (gw_ckan_created(a) < gw_ckan_created(b));
	if (strncmp(field, "title", 5) == 0)
		return strcmp(gw_shelf_title(s, a->view), gw_shelf_title(s, b->view));
	if (strcmp(field, "name") == 0)
		return strcmp(a->view->name, b->view->name);
	if (strcmp(field, "id") == 0) {
		gw_shelf_uuid("dataset", a->view->name, "", id[0]);
		gw_shelf_uuid("dataset", b->view->name, "", id[1]);
		return strcmp(id[0], id[1]);
	}
	return 0; /* score: every match is as good */
}

struct order {
	const struct gw_shelf *s;
	const struct sort *sort;
};

static int compare(const void *a, const void *b, void *ctx)
{
	const struct gw_shelf_item *const *x = a, *const *y = b;
	const struct order *o = ctx;

	for (size_t i = 0; i < o->sort->n; i++) {
		int d = order_of(o->s, o->sort->by[i].field, *x, *y);

		if (d)
			return o->sort->by[i].descending ? -d : d;
	}
	return strcmp((*x)->view->name, (*y)->view->name);
}

/* --- facets ------------------------------------------------------------------------------------------- */

struct facet {
	const char *name[256], *title[256];
	size_t count[256], n;
};

static void count_one(struct facet *f, const char *name, const char *title)
{
	size_t i = 0;

	while (i < f->n && strcmp(f->name[i], name) != 0)
		i++;
	if (i == BUS_LEN(f->name))
		return;
	if (i == f->n) {
		f->name[i] = name;
		f->title[i] = title;
		f->count[f->n++] = 0;
	}
	f->count[i]++;
}

static void count_item(struct facet *f, const struct gw_shelf *s, const struct gw_shelf_item *item,
		       const char *field)
{
	const struct gw_view *v = item->view;
	const struct gw_theme *t = gw_shelf_theme(v);
	const char *owner = gw_shelf_owner(s, v);

	if (strcmp(field, "organization") == 0)
		count_one(f, owner, gw_shelf_department(s, owner));
	else if (strcmp(field, "groups") == 0 && t)
		count_one(f, t->code, s->english ? t->en : t->id);
	else if (strcmp(field, "license_id") == 0)
		count_one(f, gw_ckan_licence(v), gw_ckan_licence(v));
	for (size_t i = 0; strcmp(field, "res_format") == 0 && i < item->n_forms; i++)
		count_one(f, item->form[i].format, item->form[i].format);
	for (size_t i = 0; strcmp(field, "tags") == 0 && v->card && i < v->card->n_keywords; i++)
		count_one(f, v->card->keyword[i], v->card->keyword[i]);
}

static void put_facet(struct bus_json_out *j, const struct facet *f, const char *field, bool full)
{
	bus_json_key(j, field);
	bus_json_object(j);
	if (full) {
		bus_json_text_member(j, "title", field);
		bus_json_key(j, "items");
		bus_json_array(j);
	}
	for (size_t i = 0; i < f->n; i++) {
		if (full) {
			bus_json_object(j);
			bus_json_text_member(j, "name", f->name[i]);
			bus_json_text_member(j, "display_name", f->title[i]);
			bus_json_key(j, "count");
			bus_json_put_int(j, (int64_t)f->count[i]);
			bus_json_object_end(j);
		} else {
			bus_json_key(j, f->name[i]);
			bus_json_put_int(j, (int64_t)f->count[i]);
		}
	}
	if (full)
		bus_json_array_end(j);
	bus_json_object_end(j);
}

/* facet.field: `["tags","groups"]`. Fields that are none have no values, as in CKAN with nothing indexed. */
static void put_facets(struct gw_ckan *c, const char *key, const struct gw_shelf_item *const *found, size_t n,
		       bool full)
{
	static const char *const field[] = { "organization", "groups", "tags", "res_format", "license_id" };
	const char *asked = gw_ckan_text(c, "facet.field");
	struct facet *f = bus_xcalloc(1, sizeof(*f));
	char quoted[32];

	bus_json_key(c->j, key);
	bus_json_object(c->j);
	for (size_t i = 0; asked && i < BUS_LEN(field); i++) {
		snprintf(quoted, sizeof(quoted), "\"%s\"", field[i]);
		if (!strstr(asked, quoted))
			continue;
		f->n = 0;
		for (size_t k = 0; k < n; k++)
			count_item(f, c->shelf, found[k], field[i]);
		put_facet(c->j, f, field[i], full);
	}
	bus_json_object_end(c->j);
	free(f);
}

static enum gw_ckan_fault find(struct gw_ckan *c, const struct gw_shelf_item **found, size_t *n)
{
	static const char *const name[] = { "q", "fq" };
	char why[200];

	for (size_t i = 0; i < c->shelf->n; i++) {
		bool holds = true, here = true;

		for (size_t k = 0; k < BUS_LEN(name); k++) {
			const char *query = gw_ckan_text(c, name[k]);

			if (query &&
			    !gw_ckan_query(c->shelf, &c->shelf->item[i], query, &here, why, sizeof(why)))
				return query_fault(c, name[k], why);
			holds &= here;
		}
		if (holds)
			found[(*n)++] = &c->shelf->item[i];
	}
	return GW_CKAN_OK;
}

enum gw_ckan_fault gw_ckan_search(struct gw_ckan *c)
{
	const char *asked = gw_ckan_text(c, "sort");
	const struct gw_shelf_item **found = bus_xcalloc(c->shelf->n + 1, sizeof(struct gw_shelf_item *));
	struct sort sort = { 0 };
	int64_t rows = 10, start = 0;
	enum gw_ckan_fault rc;
	size_t n = 0;

	if (!asked || !*asked)
		asked = "score desc, metadata_modified desc";
	if ((rc = gw_ckan_number(c, "rows", &rows)) || (rc = gw_ckan_number(c, "start", &start)) ||
	    (rc = read_sort(c, asked, &sort)) || (rc = find(c, found, &n)))
		goto out;
	qsort_r(found, n, sizeof(struct gw_shelf_item *), compare, &(struct order){ c->shelf, &sort });
	if (rows > GW_CKAN_ROWS_MAX)
		rows = GW_CKAN_ROWS_MAX;
	bus_json_object(c->j);
	bus_json_key(c->j, "count");
	bus_json_put_int(c->j, (int64_t)n);
	put_facets(c, "facets", found, n, false);
	bus_json_key(c->j, "results");
	bus_json_array(c->j);
	for (int64_t i = start; i < (int64_t)n && i - start < rows; i++)
		gw_ckan_put_package(c->j, c->shelf, found[i]);
	bus_json_array_end(c->j);
	bus_json_text_member(c->j, "sort", asked);
	put_facets(c, "search_facets", found, n, true);
	bus_json_object_end(c->j);
out:
	free(found);
	return rc;
}
