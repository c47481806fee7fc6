/* GET /catalog: the catalogue as JSON-LD or Turtle, in pages of 100 data sets with hydra's links, and `modified_since`, as
 * ckanext-dcat has them. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "gateway/catalogue/dcat.h"

#define PAGE 100

/* hydra's page: where the next and the last one are. */
static void put_paging(struct gw_dcat *d, int64_t page, size_t total, const char *path, const char *since)
{
	int64_t last = total ? (int64_t)((total + PAGE - 1) / PAGE) : 1;
	const struct {
		const char *predicate;
		int64_t page;
		bool there;
	} link[] = {
		{ "hydra:first", 1, true },
		{ "hydra:previous", page - 1, page > 1 },
		{ "hydra:next", page + 1, page < last },
		{ "hydra:last", last, true },
	};
	char number[24];

	snprintf(number, sizeof(number), "%zu", total);
	gw_rdf_node(&d->r,
		    gw_dcat_iri(d, "%s%s?page=%lld%s%s", d->base, path, (long long)page,
				since ? "&modified_since=" : "", since ? since : ""),
		    "hydra:PagedCollection");
	gw_rdf_one_typed(&d->r, "hydra:totalItems", number, "xsd:integer");
	for (size_t i = 0; i < BUS_LEN(link); i++) {
		if (link[i].there)
			gw_rdf_one_iri(&d->r, link[i].predicate,
				       gw_dcat_iri(d, "%s%s?page=%lld%s%s", d->base, path,
						   (long long)link[i].page, since ? "&modified_since=" : "",
						   since ? since : ""));
	}
	gw_rdf_node_end(&d->r);
}

static void reply(struct bus_http_request *req, struct gw_dcat *d, struct bus_buf *body)
{
	for (size_t i = 0; i < BUS_LEN(d->iri); i++)
		bus_buf_release(&d->iri[i]);
	bus_http_set(req, "Vary", "Accept, Authorization, X-Api-Key");
	bus_http_reply(req, 200,
		       d->r.form == GW_RDF_TURTLE ? "text/turtle; charset=utf-8" : "application/ld+json",
		       body);
}

static void begin(struct gw_dcat *d, const struct gw_shelf *shelf, enum gw_rdf_form form,
		  struct bus_buf *body)
{
	*d = (struct gw_dcat){ .shelf = shelf, .base = shelf->conf->base };
	gw_rdf_begin(&d->r, form, gw_dcat_iri(d, "%s/catalog/terms#", d->base), body);
}

static void answer(struct gw_api *api, struct bus_http_request *req, enum gw_rdf_form form)
{
	const char *text = bus_http_query(req, "page"), *since = bus_http_query(req, "modified_since");
	struct bus_buf body = { 0 };
	struct gw_shelf shelf;
	struct gw_dcat d;
	int64_t page = 1, since_ms = 0;
	size_t from, n;
	char *end;

	if (text) {
		page = strtoll(text, &end, 10);
		if (*end != '\0' || page < 1 || page > 1000000) {
			gw_problem(req, "parameter-invalid", "page", "page=1");
			return;
		}
	}
	if (since && !gw_shelf_moment(since, &since_ms)) {
		gw_problem(req, "parameter-invalid", "modified_since", "modified_since=2026-11-01T00:00:00Z");
		return;
	}
	if (!gw_shelf_open(api, req, &shelf))
		return;
	gw_shelf_newer(&shelf, since_ms);
	from = (size_t)(page - 1) * PAGE;
	from = from < shelf.n ? from : shelf.n;
	n = shelf.n - from < PAGE ? shelf.n - from : PAGE;
	begin(&d, &shelf, form, &body);
	gw_dcat_put_catalogue(&d, shelf.item + from, n);
	if (shelf.n > PAGE)
		put_paging(&d, page, shelf.n, form == GW_RDF_TURTLE ? "/catalog.ttl" : "/catalog.jsonld",
			   since);
	for (size_t i = 0; i < n; i++)
		gw_dcat_put_dataset(&d, &shelf.item[from + i]);
	gw_dcat_put_terms(&d, shelf.item + from, n);
	gw_rdf_end(&d.r);
	reply(req, &d, &body);
}

/* The weight that `Accept` gives a type, in thousandths; RFC 9110, 12.5.1, as far as two types need it. */
static int weight(const char *accept, const char *type)
{
	size_t len = strlen(type), n;
	int best = 0;

	for (const char *at = accept; *at; at += n + (at[n] == ',')) {
		const char *q;
		int w = 1000;

		at += strspn(at, " \t");
		n = strcspn(at, ",");
		q = memmem(at, n, ";q=", 3);
		if (!q)
			q = memmem(at, n, "; q=", 4);
		if (q) {
			double value = strtod(strchr(q, '=') + 1, NULL);

			w = value >= 0 && value <= 1 ? (int)(value * 1000) : 0;
		}
		if (n >= len && strncasecmp(at, type, len) == 0 && strchr(";, \t", at[len]) && w > best)
			best = w;
	}
	return best;
}

static enum gw_rdf_form form_of(const struct bus_http_request *req)
{
	const char *accept = bus_http_header(req, "Accept");
	int turtle = accept ? weight(accept, "text/turtle") : 0, json = 0;

	if (accept) {
		json = weight(accept, "application/ld+json");
		if (weight(accept, "application/json") > json)
			json = weight(accept, "application/json");
	}
	return turtle > json ? GW_RDF_TURTLE : GW_RDF_JSONLD;
}

void gw_catalogue(void *ctx, struct bus_http_request *req)
{
	answer(ctx, req, form_of(req));
}

void gw_catalogue_jsonld(void *ctx, struct bus_http_request *req)
{
	answer(ctx, req, GW_RDF_JSONLD);
}

void gw_catalogue_turtle(void *ctx, struct bus_http_request *req)
{
	answer(ctx, req, GW_RDF_TURTLE);
}

/* GET /catalog/datasets/{dataset}: one of them, where its IRI leads. */
void gw_catalogue_dataset(void *ctx, struct bus_http_request *req)
{
	const struct gw_shelf_item *item;
	struct bus_buf body = { 0 };
	struct gw_shelf shelf;
	struct gw_dcat d;

	if (!gw_shelf_open(ctx, req, &shelf))
		return;
	item = gw_shelf_find(&shelf, bus_http_part(req, "dataset"));
	if (!item) {
		gw_problem(req, "view-unknown", NULL, "/catalog");
		return;
	}
	begin(&d, &shelf, form_of(req), &body);
	gw_dcat_put_dataset(&d, item);
	gw_dcat_put_terms(&d, item, 1);
	gw_rdf_end(&d.r);
	reply(req, &d, &body);
}
