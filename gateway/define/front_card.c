/* The front matter's `access` and `catalogue`: who may know of a view, and what a catalogue says of it. */
#include "gateway/define/front.h"

#define KEYWORDS_MAX 16

/* http://publications.europa.eu/resource/authority/data-theme, all of it. */
const struct gw_theme gw_card_themes[GW_THEMES] = {
	{ "AGRI", "Pertanian, perikanan, kehutanan, dan pangan",
	  "Agriculture, fisheries, forestry and food" },
	{ "ECON", "Ekonomi dan keuangan", "Economy and finance" },
	{ "EDUC", "Pendidikan, kebudayaan, dan olahraga", "Education, culture and sport" },
	{ "ENER", "Energi", "Energy" },
	{ "ENVI", "Lingkungan hidup", "Environment" },
	{ "GOVE", "Pemerintahan dan sektor publik", "Government and public sector" },
	{ "HEAL", "Kesehatan", "Health" },
	{ "INTR", "Hubungan internasional", "International issues" },
	{ "JUST", "Hukum, ketertiban, dan keselamatan umum", "Justice, legal system and public safety" },
	{ "REGI", "Wilayah dan perkotaan", "Regions and cities" },
	{ "SOCI", "Penduduk dan masyarakat", "Population and society" },
	{ "TECH", "Ilmu pengetahuan dan teknologi", "Science and technology" },
	{ "TRAN", "Perhubungan", "Transport" },
};
const char *const gw_card_areas[GW_AREAS] = { "kota", "kecamatan", "kelurahan", "alamat", "orang" };

struct hole { /* what a view that others are told of must say, and how it is written */
	const char *key, *how;
	bool there;
};

static enum bus_err first_hole(struct gw_front *f, const struct bus_yaml_node *at, const char *access,
			       const struct hole *hole, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!hole[i].there)
			return bus_yaml_fail(
			    f->y, at, f->err,
			    "access '%s': '%s' is missing, which a catalogue must say; write %s, or "
			    "access: closed",
			    access, hole[i].key, hole[i].how);
	}
	return BUS_OK;
}

static enum bus_err columns_are_told(struct gw_front *f, const struct bus_yaml_node *at, const char *access)
{
	const struct gw_view *v = &f->d->pub;

	for (size_t i = 0; i < v->n_columns; i++) {
		const struct gw_column *c = &v->column[i];

		if (!c->title_id)
			return bus_yaml_fail(
			    f->y, at, f->err,
			    "access '%s': column '%s' (line %d) has no title, which a catalogue must "
			    "say; write title: {id: ..., en: ...}",
			    access, c->name, c->line);
		if (v->open == GW_OPEN && c->pdp != 'N')
			return bus_yaml_fail(
			    f->y, at, f->err,
			    "access 'open': column '%s' (line %d) is of class %c, about persons; write "
			    "access: shared, or leave the column out",
			    c->name, c->line, c->pdp);
	}
	return BUS_OK;
}

static enum bus_err no_holes(struct gw_front *f, struct bus_yaml_node *root, const char *access)
{
	const struct gw_view *v = &f->d->pub;
	static const struct gw_card nothing;
	const struct gw_card *c = v->card ? v->card : &nothing;
	const struct hole hole[] = {
		{ "title", "title: {id: ..., en: ...}", v->title_id },
		{ "about", "about: {id: ..., en: ...} (its definition)", v->about_id },
		{ "owner", "owner: the OPD that answers for it", v->owner },
		{ "purpose", "purpose: {id: ..., en: ...}", v->purpose_id },
		{ "basis", "basis: the law it rests on", v->basis },
		{ "freshness", "freshness: {max_age: 1d}", v->max_age_s > 0 },
		{ "catalogue", "catalogue: {issued: ..., theme: ..., ...}", v->card },
	};
	const struct hole inner[] = {
		{ "catalogue.issued", "issued: 2026-11-01 (the day it was first published)", c->issued },
		{ "catalogue.since", "since: 2025-01-01 (the day its data begin)", c->since },
		{ "catalogue.concept", "concept: {id: ..., en: ...} (the notion behind the figures)",
		  c->concept_id },
		{ "catalogue.classification", "classification: {id: ..., en: ...} (the code lists it uses)",
		  c->class_id },
		{ "catalogue.measure", "measure: {id: ..., en: ...} (how it is counted)", c->measure_id },
		{ "catalogue.unit", "unit: orang (what is counted)", c->unit },
	};
	enum bus_err rc = first_hole(f, bus_yaml_get(root, "access"), access, hole, BUS_LEN(hole));

	if (rc == BUS_OK)
		rc = first_hole(f, bus_yaml_get(root, "catalogue"), access, inner, BUS_LEN(inner));
	return rc == BUS_OK ? columns_are_told(f, bus_yaml_get(root, "access"), access) : rc;
}

static enum bus_err read_card(struct gw_front *f, struct bus_yaml_node *n)
{
	struct gw_card *c = bus_arena_zalloc(f->d->arena, sizeof(*c));
	const char *theme[GW_THEMES];
	size_t t, a;
	enum bus_err rc;

	if (n->kind != BUS_YAML_MAP)
		return bus_yaml_fail(f->y, n, f->err, "'catalogue' wants {issued: ..., theme: ..., ...}");
	for (t = 0; t < GW_THEMES; t++)
		theme[t] = gw_card_themes[t].code;
	if ((rc = gw_front_day(f, n, "issued", &c->issued)) != BUS_OK ||
	    (rc = gw_front_day(f, n, "since", &c->since)) != BUS_OK ||
	    (rc = gw_front_word(f, n, "theme", true, theme, BUS_LEN(theme), &t)) != BUS_OK ||
	    (rc = gw_front_word(f, n, "area", true, gw_card_areas, GW_AREAS, &a)) != BUS_OK ||
	    (rc = gw_front_texts(f, n, "concept", &c->concept_id, &c->concept_en)) != BUS_OK ||
	    (rc = gw_front_texts(f, n, "classification", &c->class_id, &c->class_en)) != BUS_OK ||
	    (rc = gw_front_texts(f, n, "measure", &c->measure_id, &c->measure_en)) != BUS_OK ||
	    (rc = gw_front_text(f, n, "unit", &c->unit)) != BUS_OK ||
	    (rc = gw_front_list(f, n, "keywords", KEYWORDS_MAX, &c->keyword, &c->n_keywords)) != BUS_OK ||
	    (rc = bus_yaml_no_more(f->y, n, f->err)) != BUS_OK)
		return rc;
	/* As CKAN has tags; a keyword is a part of URLs. */
	for (size_t i = 0; i < c->n_keywords; i++) {
		if (!gw_front_is_name(c->keyword[i]) || strlen(c->keyword[i]) < 2)
			return bus_yaml_fail(f->y, bus_yaml_get(n, "keywords"), f->err,
					     "keyword '%.60s': lower case, digits, _ only, 2 to 60 of them",
					     c->keyword[i]);
	}
	c->theme = gw_card_themes[t].code;
	c->area = gw_card_areas[a];
	f->d->pub.card = c;
	return BUS_OK;
}

enum bus_err gw_front_card(struct gw_front *f, struct bus_yaml_node *root)
{
	static const char *const words[] = { "closed", "shared", "open" };
	struct bus_yaml_node *n = bus_yaml_get(root, "catalogue");
	size_t open;
	enum bus_err rc = gw_front_word(f, root, "access", false, words, BUS_LEN(words), &open);

	if (rc == BUS_OK && n)
		rc = read_card(f, n);
	if (rc != BUS_OK)
		return rc;
	f->d->pub.open = (enum gw_open)open;
	return open == GW_CLOSED ? BUS_OK : no_holes(f, root, words[open]);
}
