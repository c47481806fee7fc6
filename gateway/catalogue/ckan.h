/* gateway/catalogue/ckan.h - the reading half of CKAN's action API (docs.ckan.org/en/2.10/api), as far as clients and
 * harvesters use it: envelopes and errors are CKAN's, data sets are the shelf's.
 *
 *   ckan.c         a call: its parameters, its envelope, its refusal
 *   ckan_actions.c what there is to ask
 *   ckan_search.c  package_search: q, fq, sort, facets
 *   ckan_show.c    a data set, a department, a theme as CKAN's dictionaries
 *
 * CKAN's words here: package = data set, organization = the department that answers for it, group = theme,
 * resource = one form of its rows. Thread: any.
 */
#ifndef GATEWAY_CATALOGUE_CKAN_H
#define GATEWAY_CATALOGUE_CKAN_H

#include "bus/json.h"
#include "bus/json_out.h"
#include "gateway/catalogue/shelf.h"

#define GW_CKAN_ROWS_MAX 1000 /* as ckan.search.rows_max */

enum gw_ckan_fault { GW_CKAN_OK, GW_CKAN_MISSING, GW_CKAN_INVALID, GW_CKAN_NOT_FOUND, GW_CKAN_QUERY };

struct gw_ckan { /* one call */
	const struct gw_shelf *shelf;
	struct bus_http_request *req;
	const struct bus_json *body; /* of a POST; NULL: parameters are the query's */
	struct bus_json_out *j;	     /* the result goes here */
	char detail[300];	     /* of a fault: what is wrong */
	const char *field;	     /* of MISSING, INVALID */
};

/* A parameter as text: NULL: not given. Numbers and booleans as written; lists and objects as JSON. */
const char *gw_ckan_text(struct gw_ckan *c, const char *name);
bool gw_ckan_flag(struct gw_ckan *c, const char *name);
/* Not given: *out stays. INVALID: not a whole number of 0 at least. */
enum gw_ckan_fault gw_ckan_number(struct gw_ckan *c, const char *name, int64_t *out);

struct gw_ckan_action {
	const char *name;
	enum gw_ckan_fault (*fn)(struct gw_ckan *c);
	const char *help;
};
const struct gw_ckan_action *gw_ckan_action(const char *name); /* NULL: none */
enum gw_ckan_fault gw_ckan_search(struct gw_ckan *c);

struct gw_ckan_group { /* a department or a theme */
	bool organization;
	const char *name, *title, *about;
	size_t packages;
};
/* The i-th, by name, of those with a data set; false: there are no more. Departments, or themes. */
bool gw_ckan_group(const struct gw_shelf *s, bool organization, size_t i, struct gw_ckan_group *out);
bool gw_ckan_in_group(const struct gw_shelf *s, const struct gw_shelf_item *item,
		      const struct gw_ckan_group *g);
void gw_ckan_put_package(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_shelf_item *item);
void gw_ckan_put_group(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_ckan_group *g,
		       bool packages);
void gw_ckan_put_resource(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_shelf_item *item,
			  size_t form);
void gw_ckan_put_tag(struct bus_json_out *j, const char *name);
const char *gw_ckan_licence(const struct gw_view *v); /* id: "cc-by", "other-closed" */
const char *gw_ckan_moment(int64_t ms, char out[40]); /* "2026-11-23T06:29:51.000000", UTC */
int64_t gw_ckan_created(const struct gw_shelf_item *item);

#endif
