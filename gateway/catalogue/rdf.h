/* gateway/catalogue/rdf.h - statements written as JSON-LD 1.1 or as Turtle: who writes says them once.
 *
 *     gw_rdf_node(&r, "http://city/catalog", "dcat:Catalog");
 *     gw_rdf_list(&r, "dct:title"); gw_rdf_text(&r, "Katalog", "id"); gw_rdf_list_end(&r);
 *     gw_rdf_node_end(&r);
 *
 * Predicates and types are prefixed names of the table in rdf.c. A predicate stands once in a node (both forms want
 * all its values together). IRIs are percent-encoded where they hold what an IRI may not; text may be anything.
 * Thread: one at a time.
 */
#ifndef GATEWAY_CATALOGUE_RDF_H
#define GATEWAY_CATALOGUE_RDF_H

#include "bus/json_out.h"

enum gw_rdf_form { GW_RDF_JSONLD, GW_RDF_TURTLE };

struct gw_rdf {
	enum gw_rdf_form form;
	struct bus_json_out j;
	struct bus_buf *out;
	int depth;  /* of nodes without a name, in Turtle */
	bool value; /* the predicate in hand has one already */
};

/* terms: the IRI that the prefix `sdi` stands for. */
void gw_rdf_begin(struct gw_rdf *r, enum gw_rdf_form form, const char *terms, struct bus_buf *out);
void gw_rdf_end(struct gw_rdf *r);

void gw_rdf_node(struct gw_rdf *r, const char *iri, const char *types); /* types parted by spaces */
void gw_rdf_node_end(struct gw_rdf *r);
void gw_rdf_list(struct gw_rdf *r, const char *predicate); /* its values follow, one at least */
void gw_rdf_list_end(struct gw_rdf *r);

void gw_rdf_iri(struct gw_rdf *r, const char *iri);
void gw_rdf_text(struct gw_rdf *r, const char *text, const char *language); /* language NULL: none */
void gw_rdf_typed(struct gw_rdf *r, const char *text, const char *type);    /* "xsd:date" */
void gw_rdf_blank(struct gw_rdf *r, const char *types); /* a node without a name, as a value */
void gw_rdf_blank_end(struct gw_rdf *r);

/* A predicate and its one value; nothing for NULL. */
void gw_rdf_one_iri(struct gw_rdf *r, const char *predicate, const char *iri);
void gw_rdf_one_text(struct gw_rdf *r, const char *predicate, const char *text);
void gw_rdf_one_typed(struct gw_rdf *r, const char *predicate, const char *text, const char *type);
void gw_rdf_two(struct gw_rdf *r, const char *predicate, const char *id,
		const char *en); /* Indonesian, English */

#endif
