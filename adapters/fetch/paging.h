/* adapters/fetch/paging.h - which address comes after this page.
 *
 * The ways that public APIs have, as found in the wild (peers' issue lists; GitHub, GitLab, Satu Data portals on CKAN, DHIS2, SATUSEHAT):
 *     {by: link}                                    RFC 8288: Link: <...>; rel="next"
 *     {by: next, at: meta.next}                     the address of the next page stands in the page
 *     {by: cursor, at: meta.cursor, parameter: c}   a word stands in the page that goes into the query
 *     {by: number, parameter: page, first: 1}       pages are counted, until one is empty
 *     {by: offset, parameter: offset}               rows are counted, until a page is empty
 * A page that leads to itself or to one read before the last, or to another machine, is an error: secrets stay where they
 * were sent, and no fetch goes round in circles. No network here. Thread: one.
 */
#ifndef ADAPTERS_FETCH_PAGING_H
#define ADAPTERS_FETCH_PAGING_H

#include "bus/buf.h"
#include "bus/json.h"
#include "bus/yaml.h"

#define ADAPTER_PAGES_MAX 100000

enum adapter_paging_by {
	ADAPTER_PAGE_ONE,
	ADAPTER_PAGE_LINK,
	ADAPTER_PAGE_NEXT,
	ADAPTER_PAGE_CURSOR,
	ADAPTER_PAGE_NUMBER,
	ADAPTER_PAGE_OFFSET
};

struct adapter_paging {
	enum adapter_paging_by by;
	const char *at, *parameter;
	int64_t first;
	/* of the run */
	uint64_t pages, rows;
	struct bus_buf seen; /* the address before: SHA-256 would do, an address is short */
};

struct adapter_page {
	const char *url;     /* it came from */
	struct bus_str link; /* its Link header; n 0: none */
	const struct bus_json *body;
	uint64_t rows;
};

/* conf NULL: one page. */
enum bus_err adapter_paging_read(struct adapter_paging *p, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				 struct bus_error *err) BUS_MUSTCHECK;
/* Begins at base; out: the first page's address. */
enum bus_err adapter_paging_begin(struct adapter_paging *p, const char *base, struct bus_buf *out,
				  struct bus_error *err) BUS_MUSTCHECK;
/* out: the next page's address, n 0: this was the last. BUS_EDATA: see above. */
enum bus_err adapter_paging_next(struct adapter_paging *p, const struct adapter_page *page,
				 struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;
void adapter_paging_release(struct adapter_paging *p);

/* A member by its path, "meta.next"; NULL: not there. */
const struct bus_json *adapter_json_at(const struct bus_json *v, const char *path);

#endif
