/* DCAT 3 with DCAT-AP 3.0.1's terms: https://www.w3.org/TR/vocab-dcat-3/,
 * https://semiceu.github.io/DCAT-AP/releases/3.0.1/. Values of closed lists are the EU's
 * (publications.europa.eu/resource/authority), which DCAT-AP names; each is described in the document too, because the
 * profile's shapes look at its type. What Satu Data Indonesia asks for beyond DCAT has the prefix sdi
 * (docs/catalogue.md). */
#include <stdarg.h>
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/catalogue/dcat.h"

#define EU "http://publications.europa.eu/resource/authority/"

const char *gw_dcat_iri(struct gw_dcat *d, const char *fmt, ...)
{
	struct bus_buf *b = &d->iri[d->next++ % 4];
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	bus_buf_reset(b);
	bus_buf_puts(b, text);
	return bus_buf_cstr(b);
}

static const char *dataset_iri(struct gw_dcat *d, const struct gw_view *v)
{
	return gw_dcat_iri(d, "%s/catalog/datasets/%s", d->base, v->name);
}

static const char *publisher_iri(struct gw_dcat *d, const char *owner)
{
	return gw_dcat_iri(d, "%s/catalog/organizations/%s", d->base, owner);
}

static void put_moment(struct gw_dcat *d, const char *predicate, int64_t ms)
{
	char text[40];

	if (ms > 0)
		gw_rdf_one_typed(&d->r, predicate, bus_clock_iso_wib(ms, text, sizeof(text)), "xsd:dateTime");
}

static void put_languages(struct gw_dcat *d)
{
	gw_rdf_list(&d->r, "dct:language");
	gw_rdf_iri(&d->r, EU "language/IND");
	gw_rdf_iri(&d->r, EU "language/ENG");
	gw_rdf_list_end(&d->r);
}

static void put_place(struct gw_dcat *d)
{
	gw_rdf_list(&d->r, "dct:spatial");
	gw_rdf_blank(&d->r, "dct:Location");
	gw_rdf_one_text(&d->r, "skos:prefLabel", d->shelf->conf->place);
	gw_rdf_one_text(&d->r, "dct:identifier", d->shelf->conf->place_code);
	gw_rdf_blank_end(&d->r);
	gw_rdf_list_end(&d->r);
}

static void put_label(struct gw_dcat *d, const char *predicate, const char *type, const char *id,
		      const char *en)
{
	gw_rdf_list(&d->r, predicate);
	gw_rdf_blank(&d->r, type);
	gw_rdf_two(&d->r, "rdfs:label", id, en);
	gw_rdf_blank_end(&d->r);
	gw_rdf_list_end(&d->r);
}

static void put_contact(struct gw_dcat *d, const char *owner)
{
	const struct gw_shelf_conf *c = d->shelf->conf;

	if (!*c->contact)
		return;
	gw_rdf_list(&d->r, "dcat:contactPoint");
	gw_rdf_blank(&d->r, "vcard:Kind vcard:Organization");
	gw_rdf_one_text(&d->r, "vcard:fn", gw_shelf_department(d->shelf, owner));
	gw_rdf_one_iri(&d->r, "vcard:hasEmail", gw_dcat_iri(d, "mailto:%s", c->contact));
	gw_rdf_blank_end(&d->r);
	gw_rdf_list_end(&d->r);
}

static const char *access_right(const struct gw_view *v)
{
	return v->open == GW_OPEN     ? EU "access-right/PUBLIC"
	       : v->open == GW_SHARED ? EU "access-right/RESTRICTED"
				      : EU "access-right/NON_PUBLIC";
}

/* What Satu Data Indonesia asks for, and DCAT has no word for. */
static void put_standard(struct gw_dcat *d, const struct gw_view *v)
{
	const struct gw_card *c = v->card;

	gw_rdf_one_iri(&d->r, "sdi:walidata", publisher_iri(d, d->shelf->conf->walidata));
	gw_rdf_two(&d->r, "sdi:tujuan", v->purpose_id, v->purpose_en);
	gw_rdf_one_text(&d->r, "sdi:dasarHukum", v->basis);
	if (!c)
		return;
	gw_rdf_two(&d->r, "sdi:konsep", c->concept_id, c->concept_en);
	gw_rdf_two(&d->r, "sdi:klasifikasi", c->class_id, c->class_en);
	gw_rdf_two(&d->r, "sdi:ukuran", c->measure_id, c->measure_en);
	gw_rdf_one_text(&d->r, "sdi:satuan", c->unit);
	gw_rdf_one_text(&d->r, "sdi:tingkatPenyajian", c->area);
}

static void put_forms(struct gw_dcat *d, const struct gw_shelf_item *item)
{
	const struct gw_view *v = item->view;

	for (size_t i = 0; i < item->n_forms; i++) {
		const struct gw_shelf_form *f = &item->form[i];
		const char *url = gw_dcat_iri(d, "%s%s%s", d->base, item->page, f->tail);

		gw_rdf_node(&d->r, gw_dcat_iri(d, "%s/catalog/datasets/%s#%s", d->base, v->name, f->name),
			    "dcat:Distribution");
		gw_rdf_two(&d->r, "dct:title", f->id, f->en);
		gw_rdf_one_iri(&d->r, "dcat:accessURL", url);
		if (f->file)
			gw_rdf_one_iri(&d->r, "dcat:downloadURL", url);
		gw_rdf_one_iri(&d->r, "dcat:mediaType",
			       gw_dcat_iri(d, "http://www.iana.org/assignments/media-types/%s", f->media));
		if (f->file_type)
			gw_rdf_one_iri(&d->r, "dct:format", gw_dcat_iri(d, EU "file-type/%s", f->file_type));
		if (!v->figures)
			gw_rdf_one_iri(&d->r, "dct:conformsTo",
				       gw_dcat_iri(d, "%s%s/openapi.json?version=3.0", d->base, item->page));
		if (!v->figures)
			gw_rdf_one_iri(&d->r, "dcat:accessService",
				       gw_dcat_iri(d, "%s/catalog/datasets/%s#api", d->base, v->name));
		if (v->open == GW_OPEN)
			gw_rdf_one_iri(&d->r, "dct:license", d->shelf->conf->licence);
		else
			put_label(d, "dct:rights", "dct:RightsStatement",
				  "Hanya bagi pembaca yang diberi izin, untuk tujuan yang disebut",
				  "For readers that are granted it, for the purpose stated");
		put_moment(d, "dct:modified", item->modified_ms);
		gw_rdf_node_end(&d->r);
	}
}

static void put_service(struct gw_dcat *d, const struct gw_shelf_item *item)
{
	const struct gw_view *v = item->view;

	gw_rdf_node(&d->r, gw_dcat_iri(d, "%s/catalog/datasets/%s#api", d->base, v->name),
		    "dcat:DataService");
	gw_rdf_two(&d->r, "dct:title", v->title_id ? v->title_id : v->name, v->title_en);
	gw_rdf_one_iri(&d->r, "dcat:endpointURL", gw_dcat_iri(d, "%s%s", d->base, item->page));
	gw_rdf_one_iri(&d->r, "dcat:endpointDescription",
		       gw_dcat_iri(d, "%s%s/openapi.json?version=3.0", d->base, item->page));
	gw_rdf_one_iri(&d->r, "dcat:servesDataset", dataset_iri(d, v));
	gw_rdf_one_iri(&d->r, "dct:accessRights", access_right(v));
	gw_rdf_one_iri(&d->r, "dct:publisher", publisher_iri(d, gw_shelf_owner(d->shelf, v)));
	gw_rdf_node_end(&d->r);
	gw_rdf_node(&d->r, gw_dcat_iri(d, "%s%s/openapi.json?version=3.0", d->base, item->page),
		    "dct:Standard rdfs:Resource");
	gw_rdf_two(&d->r, "rdfs:label", "OpenAPI 3.0.3: kolom dan jenisnya",
		   "OpenAPI 3.0.3: its columns and types");
	gw_rdf_node_end(&d->r);
	gw_rdf_node(&d->r, gw_dcat_iri(d, "%s%s", d->base, item->page), "rdfs:Resource");
	gw_rdf_node_end(&d->r);
}

static void put_sources(struct gw_dcat *d, const struct gw_view *v)
{
	struct bus_buf id = { 0 }, en = { 0 };

	for (size_t i = 0; i < v->n_sources; i++) {
		bus_buf_printf(&id, "%s%s", i ? ", " : "Dihitung dari ", v->source[i]);
		bus_buf_printf(&en, "%s%s", i ? ", " : "Computed from ", v->source[i]);
	}
	if (v->n_sources)
		put_label(d, "dct:provenance", "dct:ProvenanceStatement", bus_buf_cstr(&id),
			  bus_buf_cstr(&en));
	bus_buf_release(&id);
	bus_buf_release(&en);
}

void gw_dcat_put_dataset(struct gw_dcat *d, const struct gw_shelf_item *item)
{
	const struct gw_view *v = item->view;
	const struct gw_card *c = v->card;
	const struct gw_theme *theme = gw_shelf_theme(v);
	const char *owner = gw_shelf_owner(d->shelf, v);

	gw_rdf_node(&d->r, dataset_iri(d, v), "dcat:Dataset");
	gw_rdf_one_text(&d->r, "dct:identifier", v->name);
	gw_rdf_two(&d->r, "dct:title", v->title_id ? v->title_id : v->name, v->title_en);
	gw_rdf_two(&d->r, "dct:description", gw_shelf_about(&(struct gw_shelf){ .conf = d->shelf->conf }, v),
		   v->about_en ? v->about_en : v->title_en);
	gw_rdf_one_iri(&d->r, "dct:publisher", publisher_iri(d, owner));
	put_contact(d, owner);
	put_moment(d, "dct:modified", item->modified_ms);
	if (c) {
		gw_rdf_one_typed(&d->r, "dct:issued", c->issued, "xsd:date");
		if (c->since) {
			gw_rdf_list(&d->r, "dct:temporal");
			gw_rdf_blank(&d->r, "dct:PeriodOfTime");
			gw_rdf_one_typed(&d->r, "dcat:startDate", c->since, "xsd:date");
			gw_rdf_blank_end(&d->r);
			gw_rdf_list_end(&d->r);
		}
		gw_rdf_one_iri(&d->r, "dcat:theme", gw_dcat_iri(d, EU "data-theme/%s", theme->code));
		if (c->n_keywords) {
			gw_rdf_list(&d->r, "dcat:keyword");
			for (size_t i = 0; i < c->n_keywords; i++)
				gw_rdf_text(&d->r, c->keyword[i], "id");
			gw_rdf_list_end(&d->r);
		}
	}
	put_place(d);
	put_languages(d);
	gw_rdf_one_iri(&d->r, "dct:accrualPeriodicity",
		       gw_dcat_iri(d, EU "frequency/%s", gw_shelf_rhythm(v)->code));
	gw_rdf_one_iri(&d->r, "dct:accessRights", access_right(v));
	if (!v->figures)
		gw_rdf_one_iri(&d->r, "dct:conformsTo",
			       gw_dcat_iri(d, "%s%s/openapi.json?version=3.0", d->base, item->page));
	put_sources(d, v);
	put_standard(d, v);
	gw_rdf_list(&d->r, "dcat:distribution");
	for (size_t i = 0; i < item->n_forms; i++)
		gw_rdf_iri(&d->r,
			   gw_dcat_iri(d, "%s/catalog/datasets/%s#%s", d->base, v->name, item->form[i].name));
	gw_rdf_list_end(&d->r);
	gw_rdf_node_end(&d->r);
	put_forms(d, item);
	if (!v->figures)
		put_service(d, item);
}

static void put_organization(struct gw_dcat *d, const char *owner, const char *name)
{
	gw_rdf_node(&d->r, publisher_iri(d, owner), "foaf:Agent foaf:Organization");
	gw_rdf_one_text(&d->r, "foaf:name", name);
	gw_rdf_one_text(&d->r, "dct:identifier", owner);
	gw_rdf_node_end(&d->r);
}

static void put_term(struct gw_dcat *d, const char *of, const char *type, const char *id, const char *en)
{
	gw_rdf_node(&d->r, of, type);
	gw_rdf_two(&d->r, "rdfs:label", id, en);
	if (strncmp(of, EU, sizeof(EU) - 1) == 0) { /* the list that it is of */
		struct bus_buf scheme = { 0 };

		bus_buf_put(&scheme, of, (size_t)(strrchr(of, '/') - of));
		gw_rdf_one_iri(&d->r, "skos:inScheme", bus_buf_cstr(&scheme));
		bus_buf_release(&scheme);
	}
	gw_rdf_node_end(&d->r);
}

static bool before(const struct gw_shelf_item *item, size_t i, const char *what,
		   const char *(*of)(const struct gw_view *))
{
	while (i-- > 0) {
		const char *other = of(item[i].view);

		if (other && strcmp(other, what) == 0)
			return true;
	}
	return false;
}

static const char *owner_of(const struct gw_view *v)
{
	return v->owner;
}

static const char *theme_of(const struct gw_view *v)
{
	return v->card ? v->card->theme : NULL;
}

static const char *rhythm_of(const struct gw_view *v)
{
	return gw_shelf_rhythm(v)->code;
}

static void put_media(struct gw_dcat *d, const struct gw_shelf_item *item)
{
	for (size_t i = 0; i < item->n_forms; i++) {
		const struct gw_shelf_form *f = &item->form[i];

		put_term(d, gw_dcat_iri(d, "http://www.iana.org/assignments/media-types/%s", f->media),
			 "dct:MediaType dct:MediaTypeOrExtent", f->format, f->format);
		if (f->file_type)
			put_term(d, gw_dcat_iri(d, EU "file-type/%s", f->file_type), "dct:MediaTypeOrExtent",
				 f->format, f->format);
	}
}

void gw_dcat_put_terms(struct gw_dcat *d, const struct gw_shelf_item *item, size_t n)
{
	const struct gw_shelf_conf *c = d->shelf->conf;

	put_organization(d, "kota", c->publisher);
	put_organization(d, c->walidata, gw_shelf_department(d->shelf, c->walidata));
	put_term(d, EU "language/IND", "dct:LinguisticSystem", "Bahasa Indonesia", "Indonesian");
	put_term(d, EU "language/ENG", "dct:LinguisticSystem", "Bahasa Inggris", "English");
	put_term(d, EU "access-right/PUBLIC", "dct:RightsStatement", "Terbuka", "Public");
	put_term(d, EU "access-right/RESTRICTED", "dct:RightsStatement", "Terbatas", "Restricted");
	put_term(d, EU "access-right/NON_PUBLIC", "dct:RightsStatement", "Tertutup", "Not public");
	put_term(d, c->licence, "dct:LicenseDocument", "Lisensi data terbuka", "The licence of open data");
	gw_rdf_node(&d->r, EU "data-theme", "skos:ConceptScheme");
	gw_rdf_two(&d->r, "dct:title", "Tema data", "Data themes");
	gw_rdf_node_end(&d->r);
	for (size_t i = 0; i < n; i++) {
		const struct gw_view *v = item[i].view;
		const struct gw_theme *t = gw_shelf_theme(v);
		const struct gw_rhythm *rhythm = gw_shelf_rhythm(v);

		if (v->owner && strcmp(v->owner, c->walidata) != 0 && !before(item, i, v->owner, owner_of))
			put_organization(d, v->owner, gw_shelf_department(d->shelf, v->owner));
		if (!before(item, i, rhythm->code, rhythm_of))
			put_term(d, gw_dcat_iri(d, EU "frequency/%s", rhythm->code), "dct:Frequency",
				 rhythm->id, rhythm->en);
		if (i == 0 || item[i].form != item[i - 1].form)
			put_media(d, &item[i]);
		if (t && !before(item, i, t->code, theme_of)) {
			gw_rdf_node(&d->r, gw_dcat_iri(d, EU "data-theme/%s", t->code), "skos:Concept");
			gw_rdf_two(&d->r, "skos:prefLabel", t->id, t->en);
			gw_rdf_one_iri(&d->r, "skos:inScheme", EU "data-theme");
			gw_rdf_node_end(&d->r);
		}
	}
}

/* Views have one each; figures have none. */
static void put_services(struct gw_dcat *d, const struct gw_shelf_item *item, size_t n)
{
	bool some = false;

	for (size_t i = 0; i < n; i++) {
		if (item[i].view->figures)
			continue;
		if (!some)
			gw_rdf_list(&d->r, "dcat:service");
		some = true;
		gw_rdf_iri(&d->r, gw_dcat_iri(d, "%s/catalog/datasets/%s#api", d->base, item[i].view->name));
	}
	if (some)
		gw_rdf_list_end(&d->r);
}

void gw_dcat_put_catalogue(struct gw_dcat *d, const struct gw_shelf_item *item, size_t n)
{
	const struct gw_shelf_conf *c = d->shelf->conf;

	gw_rdf_node(&d->r, gw_dcat_iri(d, "%s/catalog", d->base), "dcat:Catalog");
	gw_rdf_list(&d->r, "dct:title");
	gw_rdf_text(&d->r, gw_dcat_iri(d, "Katalog data %s", c->publisher), "id");
	gw_rdf_text(&d->r, gw_dcat_iri(d, "Data catalogue of %s", c->publisher), "en");
	gw_rdf_list_end(&d->r);
	gw_rdf_two(&d->r, "dct:description",
		   "Tayangan terpadu dari data perangkat daerah, dibuat dari definisinya.",
		   "Integrated views of the departments' data, made from their definitions.");
	gw_rdf_one_iri(&d->r, "dct:publisher", publisher_iri(d, "kota"));
	gw_rdf_one_iri(&d->r, "foaf:homepage", gw_dcat_iri(d, "%s/", d->base));
	gw_rdf_one_iri(&d->r, "dct:license", c->licence);
	gw_rdf_one_iri(&d->r, "dcat:themeTaxonomy", EU "data-theme");
	put_languages(d);
	put_place(d);
	put_moment(d, "dct:modified", d->shelf->modified_ms);
	if (n) {
		gw_rdf_list(&d->r, "dcat:dataset");
		for (size_t i = 0; i < n; i++)
			gw_rdf_iri(&d->r, dataset_iri(d, item[i].view));
		gw_rdf_list_end(&d->r);
		put_services(d, item, n);
	}
	gw_rdf_node_end(&d->r);
	gw_rdf_node(&d->r, gw_dcat_iri(d, "%s/", d->base), "foaf:Document");
	gw_rdf_node_end(&d->r);
}
