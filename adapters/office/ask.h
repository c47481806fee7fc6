/* adapters/office/ask.h - a request as the arguments of the command that does the same (care/args.h).
 *
 * Texts are borrowed from the request: they live as long as it does. On its connection's thread.
 */
#ifndef ADAPTERS_OFFICE_ASK_H
#define ADAPTERS_OFFICE_ASK_H

#include "adapters/care/args.h"
#include "adapters/quarantine.h"
#include "bus/http.h"

#define ADAPTER_ASK_LIMIT_MAX 1000

struct adapter_ask {
	struct adapter_care_args args;
	int64_t after_ms; /* a page's first row comes after this one (time, id); id "": the first page */
	char after_id[ADAPTER_REFUSAL_ID + 1];
};

/* verb: static text. BUS_EINVAL: which parameter is wrong, and how it is written. */
enum bus_err adapter_ask_query(struct bus_http_request *req, const char *verb, struct adapter_ask *out,
			       struct bus_error *err) BUS_MUSTCHECK;
/* The body of an order, for the row of the path or those that the body chooses. BUS_EINVAL. */
enum bus_err adapter_ask_body(struct bus_http_request *req, const char *verb, struct adapter_ask *out,
			      struct bus_error *err) BUS_MUSTCHECK;
/* Where the page after this row begins. out: ADAPTER_REFUSAL_ID + 24 bytes. */
void adapter_ask_after(int64_t time_ms, const char *id, char *out);

#endif
