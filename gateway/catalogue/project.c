/* GET /data.json: Project Open Data's metadata schema v1.1 (https://resources.data.gov/resources/dcat-us/). */
#include <stdio.h>

#include "bus/clock.h"
#include "bus/json_out.h"
#include "gateway/catalogue/shelf.h"

static void put_url(struct bus_json_out *j, const char *key, const char *base, const char *path,
		    const char *tail)
{
	struct bus_buf url = { 0 };

	bus_buf_printf(&url, "%s%s%s", base, path, tail);
	bus_json_text_member(j, key, bus_buf_cstr(&url));
	bus_buf_release(&url);
}

static void put_day(struct bus_json_out *j, const char *key, int64_t ms)
{
	char text[40];

	if (ms > 0)
		bus_json_text_member(j, key, bus_clock_iso_wib(ms, text, sizeof(text)));
}

static void put_publisher(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_view *v)
{
	bus_json_key(j, "publisher");
	bus_json_object(j);
	bus_json_text_member(j, "@type", "org:Organization");
	bus_json_text_member(j, "name", gw_shelf_department(s, gw_shelf_owner(s, v)));
	bus_json_key(j, "subOrganizationOf");
	bus_json_object(j);
	bus_json_text_member(j, "@type", "org:Organization");
	bus_json_text_member(j, "name", s->conf->publisher);
	bus_json_object_end(j);
	bus_json_object_end(j);
	if (!*s->conf->contact)
		return;
	bus_json_key(j, "contactPoint");
	bus_json_object(j);
	bus_json_text_member(j, "@type", "vcard:Contact");
	bus_json_text_member(j, "fn", gw_shelf_department(s, s->conf->walidata));
	put_url(j, "hasEmail", "mailto:", s->conf->contact, "");
	bus_json_object_end(j);
}

static void put_forms(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_shelf_item *item)
{
	bus_json_key(j, "distribution");
	bus_json_array(j);
	for (size_t i = 0; i < item->n_forms; i++) {
		const struct gw_shelf_form *f = &item->form[i];

		bus_json_object(j);
		bus_json_text_member(j, "@type", "dcat:Distribution");
		bus_json_text_member(j, "title", s->english ? f->en : f->id);
		bus_json_text_member(j, "format", f->format);
		if (f->file)
			bus_json_text_member(j, "mediaType", f->media);
		put_url(j, f->file ? "downloadURL" : "accessURL", s->conf->base, item->page, f->tail);
		if (item->view->figures) {
			bus_json_object_end(j);
			continue;
		}
		put_url(j, "describedBy", s->conf->base, item->page, "/openapi.json?version=3.0");
		bus_json_text_member(j, "describedByType", "application/json");
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}

static void put_card(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_shelf_item *item)
{
	const struct gw_card *c = item->view->card;
	const struct gw_theme *theme = gw_shelf_theme(item->view);
	char newest[40];

	bus_json_key(j, "keyword");
	bus_json_array(j);
	for (size_t i = 0; c && i < c->n_keywords; i++)
		bus_json_put_text(j, c->keyword[i]);
	if (!c || c->n_keywords == 0) /* one at least is asked for */
		bus_json_put_text(j, gw_shelf_owner(s, item->view));
	bus_json_array_end(j);
	if (!c)
		return;
	bus_json_some_text_member(j, "issued", c->issued);
	bus_json_key(j, "theme");
	bus_json_array(j);
	bus_json_put_text(j, s->english ? theme->en : theme->id);
	bus_json_array_end(j);
	if (c->since && item->modified_ms > 0)
		put_url(j, "temporal", c->since, "/",
			bus_clock_iso_wib(item->modified_ms, newest, sizeof(newest)));
}

static void put_dataset(struct bus_json_out *j, const struct gw_shelf *s, const struct gw_shelf_item *item)
{
	static const char *const level[] = { "non-public", "restricted public", "public" };
	const struct gw_view *v = item->view;

	bus_json_object(j);
	bus_json_text_member(j, "@type", "dcat:Dataset");
	put_url(j, "identifier", s->conf->base, "/catalog/datasets/", v->name);
	bus_json_text_member(j, "title", gw_shelf_title(s, v));
	bus_json_text_member(j, "description", gw_shelf_about(s, v));
	put_day(j, "modified", item->modified_ms);
	put_card(j, s, item);
	put_publisher(j, s, v);
	bus_json_text_member(j, "accessLevel", level[v->open]);
	if (v->open == GW_OPEN)
		bus_json_text_member(j, "license", s->conf->licence);
	else
		bus_json_text_member(j, "rights",
				     s->english
					 ? "For readers that are granted it, for the purpose stated."
					 : "Hanya bagi pembaca yang diberi izin, untuk tujuan yang disebut.");
	bus_json_text_member(j, "spatial", s->conf->place);
	if (v->max_age_s)
		bus_json_text_member(j, "accrualPeriodicity", gw_shelf_rhythm(v)->interval);
	bus_json_key(j, "language");
	bus_json_array(j);
	bus_json_put_text(j, s->english ? "en" : "id");
	bus_json_array_end(j);
	put_forms(j, s, item);
	bus_json_object_end(j);
}

void gw_catalogue_project(void *ctx, struct bus_http_request *req)
{
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	struct gw_shelf shelf;

	if (!gw_shelf_open(ctx, req, &shelf))
		return;
	bus_json_object(&j);
	bus_json_text_member(&j, "@context", "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld");
	put_url(&j, "@id", shelf.conf->base, "/data.json", "");
	bus_json_text_member(&j, "@type", "dcat:Catalog");
	bus_json_text_member(&j, "conformsTo", "https://project-open-data.cio.gov/v1.1/schema");
	bus_json_text_member(&j, "describedBy", "https://project-open-data.cio.gov/v1.1/schema/catalog.json");
	bus_json_key(&j, "dataset");
	bus_json_array(&j);
	for (size_t i = 0; i < shelf.n; i++)
		put_dataset(&j, &shelf, &shelf.item[i]);
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	bus_http_set(req, "Content-Language", shelf.english ? "en" : "id");
	bus_http_set(req, "Vary", "Accept-Language, Authorization, X-Api-Key");
	bus_http_reply(req, 200, "application/json", &body);
}
