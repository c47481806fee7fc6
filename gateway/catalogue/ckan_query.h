/* gateway/catalogue/ckan_query.h - the part of Solr's query language that clients of CKAN use.
 *
 * Terms parted by spaces, all of which must hold: `word`, `field:word`, `field:"some words"`, `field:(a OR b)`,
 * `metadata_modified:[2026-11-01T00:00:00Z TO *]`, each with + or - before it; AND and NOT; `*` for any run of
 * characters. OR outside parentheses, boosts and fuzzy words are refused, not passed over. Bounded: 2,000
 * characters. Thread: any.
 */
#ifndef GATEWAY_CATALOGUE_CKAN_QUERY_H
#define GATEWAY_CATALOGUE_CKAN_QUERY_H

#include "gateway/catalogue/shelf.h"

#define GW_CKAN_QUERY_MAX 2000

/* False: it is no such query; why (n bytes) says so. */
bool gw_ckan_query(const struct gw_shelf *s, const struct gw_shelf_item *item, const char *query, bool *holds,
		   char *why, size_t n);

#endif
