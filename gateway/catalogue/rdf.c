#include "gateway/catalogue/rdf.h"

#include "bus/percent.h"

static const struct {
	const char *name, *iri;
} prefix[] = {
	{ "adms", "http://www.w3.org/ns/adms#" },
	{ "dcat", "http://www.w3.org/ns/dcat#" },
	{ "dcatap", "http://data.europa.eu/r5r/" },
	{ "dct", "http://purl.org/dc/terms/" },
	{ "foaf", "http://xmlns.com/foaf/0.1/" },
	{ "hydra", "http://www.w3.org/ns/hydra/core#" },
	{ "rdfs", "http://www.w3.org/2000/01/rdf-schema#" },
	{ "skos", "http://www.w3.org/2004/02/skos/core#" },
	{ "vcard", "http://www.w3.org/2006/vcard/ns#" },
	{ "xsd", "http://www.w3.org/2001/XMLSchema#" },
};

/* What RFC 3987 and Turtle's IRIREF leave out is percent-encoded. */
static bool in_iri(unsigned char c)
{
	return c > 0x20 && !strchr("<>\"{}|^`\\", c);
}

static void put_iri(struct bus_buf *out, const char *iri)
{
	bus_percent_put_but(out, bus_str(iri), in_iri);
}

static void put_json_iri(struct gw_rdf *r, const char *iri)
{
	struct bus_buf clean = { 0 };

	put_iri(&clean, iri);
	bus_json_put_str(&r->j, bus_buf_str(&clean));
	bus_buf_release(&clean);
}

static void put_turtle_text(struct bus_buf *out, const char *text)
{
	bus_buf_putc(out, '"');
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\') {
			bus_buf_putc(out, '\\');
			bus_buf_putc(out, (char)*p);
		} else if (*p < 0x20 || *p == 0x7f) {
			bus_buf_printf(out, "\\u%04X", *p);
		} else {
			bus_buf_putc(out, (char)*p);
		}
	}
	bus_buf_putc(out, '"');
}

static void indent(struct gw_rdf *r)
{
	for (int i = 0; i <= r->depth; i++)
		bus_buf_putc(r->out, '\t');
}

void gw_rdf_begin(struct gw_rdf *r, enum gw_rdf_form form, const char *terms, struct bus_buf *out)
{
	*r = (struct gw_rdf){ .form = form, .j = { .buf = out }, .out = out };
	if (form == GW_RDF_TURTLE) {
		for (size_t i = 0; i < BUS_LEN(prefix); i++)
			bus_buf_printf(out, "@prefix %s: <%s> .\n", prefix[i].name, prefix[i].iri);
		bus_buf_puts(out, "@prefix sdi: <");
		put_iri(out, terms);
		bus_buf_puts(out, "> .\n");
		return;
	}
	bus_json_object(&r->j);
	bus_json_key(&r->j, "@context");
	bus_json_object(&r->j);
	for (size_t i = 0; i < BUS_LEN(prefix); i++)
		bus_json_text_member(&r->j, prefix[i].name, prefix[i].iri);
	bus_json_key(&r->j, "sdi");
	put_json_iri(r, terms);
	bus_json_object_end(&r->j);
	bus_json_key(&r->j, "@graph");
	bus_json_array(&r->j);
}

void gw_rdf_end(struct gw_rdf *r)
{
	if (r->form == GW_RDF_TURTLE)
		return;
	bus_json_array_end(&r->j);
	bus_json_object_end(&r->j);
}

static void put_types(struct gw_rdf *r, const char *types)
{
	size_t n;

	if (r->form == GW_RDF_JSONLD) {
		bus_json_key(&r->j, "@type");
		bus_json_array(&r->j);
	} else {
		bus_buf_puts(r->out, "a ");
	}
	for (const char *at = types; *at; at += n + strspn(at + n, " ")) {
		n = strcspn(at, " ");
		if (r->form == GW_RDF_JSONLD) {
			bus_json_put_str(&r->j, (struct bus_str){ at, n });
			continue;
		}
		if (at != types)
			bus_buf_puts(r->out, ", ");
		bus_buf_put(r->out, at, n);
	}
	if (r->form == GW_RDF_JSONLD)
		bus_json_array_end(&r->j);
}

void gw_rdf_node(struct gw_rdf *r, const char *iri, const char *types)
{
	if (r->form == GW_RDF_JSONLD) {
		bus_json_object(&r->j);
		bus_json_key(&r->j, "@id");
		put_json_iri(r, iri);
	} else {
		bus_buf_puts(r->out, "\n<");
		put_iri(r->out, iri);
		bus_buf_puts(r->out, "> ");
	}
	put_types(r, types);
}

void gw_rdf_node_end(struct gw_rdf *r)
{
	if (r->form == GW_RDF_JSONLD)
		bus_json_object_end(&r->j);
	else
		bus_buf_puts(r->out, " .\n");
}

void gw_rdf_list(struct gw_rdf *r, const char *predicate)
{
	r->value = false;
	if (r->form == GW_RDF_JSONLD) {
		bus_json_key(&r->j, predicate);
		bus_json_array(&r->j);
		return;
	}
	bus_buf_puts(r->out, " ;\n");
	indent(r);
	bus_buf_puts(r->out, predicate);
	bus_buf_putc(r->out, ' ');
}

void gw_rdf_list_end(struct gw_rdf *r)
{
	if (r->form == GW_RDF_JSONLD)
		bus_json_array_end(&r->j);
}

static void next_value(struct gw_rdf *r)
{
	if (r->form == GW_RDF_TURTLE && r->value)
		bus_buf_puts(r->out, ", ");
	r->value = true;
}

void gw_rdf_iri(struct gw_rdf *r, const char *iri)
{
	next_value(r);
	if (r->form == GW_RDF_JSONLD) {
		bus_json_object(&r->j);
		bus_json_key(&r->j, "@id");
		put_json_iri(r, iri);
		bus_json_object_end(&r->j);
		return;
	}
	bus_buf_putc(r->out, '<');
	put_iri(r->out, iri);
	bus_buf_putc(r->out, '>');
}

static void put_literal(struct gw_rdf *r, const char *text, const char *key, const char *value,
			const char *mark)
{
	next_value(r);
	if (r->form == GW_RDF_JSONLD) {
		bus_json_object(&r->j);
		bus_json_text_member(&r->j, "@value", text);
		bus_json_some_text_member(&r->j, key, value);
		bus_json_object_end(&r->j);
		return;
	}
	put_turtle_text(r->out, text);
	if (value)
		bus_buf_printf(r->out, "%s%s", mark, value);
}

void gw_rdf_text(struct gw_rdf *r, const char *text, const char *language)
{
	put_literal(r, text, "@language", language, "@");
}

void gw_rdf_typed(struct gw_rdf *r, const char *text, const char *type)
{
	put_literal(r, text, "@type", type, "^^");
}

void gw_rdf_blank(struct gw_rdf *r, const char *types)
{
	next_value(r);
	if (r->form == GW_RDF_JSONLD)
		bus_json_object(&r->j);
	else
		bus_buf_puts(r->out, "[ ");
	put_types(r, types);
	r->depth++;
}

void gw_rdf_blank_end(struct gw_rdf *r)
{
	r->depth--;
	r->value = true; /* of the list that it stands in */
	if (r->form == GW_RDF_JSONLD)
		bus_json_object_end(&r->j);
	else
		bus_buf_puts(r->out, " ]");
}

void gw_rdf_one_iri(struct gw_rdf *r, const char *predicate, const char *iri)
{
	if (!iri)
		return;
	gw_rdf_list(r, predicate);
	gw_rdf_iri(r, iri);
	gw_rdf_list_end(r);
}

void gw_rdf_one_text(struct gw_rdf *r, const char *predicate, const char *text)
{
	gw_rdf_one_typed(r, predicate, text, NULL);
}

void gw_rdf_one_typed(struct gw_rdf *r, const char *predicate, const char *text, const char *type)
{
	if (!text)
		return;
	gw_rdf_list(r, predicate);
	gw_rdf_typed(r, text, type);
	gw_rdf_list_end(r);
}

void gw_rdf_two(struct gw_rdf *r, const char *predicate, const char *id, const char *en)
{
	if (!id)
		return;
	gw_rdf_list(r, predicate);
	gw_rdf_text(r, id, "id");
	if (en)
		gw_rdf_text(r, en, "en");
	gw_rdf_list_end(r);
}
