/* adapters/problem.h - what an HTTP service of the adapter refuses, as problem documents (RFC 9457): one table a
 * service, titles and hints in Indonesian and English. Thread: the request's. */
#ifndef ADAPTERS_PROBLEM_H
#define ADAPTERS_PROBLEM_H

#include "bus/http.h"

struct adapter_problem {
	const char *code;
	int status;
	int again_s; /* Retry-After; 0: the same again would be refused again */
	const char *title, *hint;
};

/* code: of the table (asserted). detail may be NULL; never any of the data. */
void adapter_problem(struct bus_http_request *req, const struct adapter_problem *table, size_t n,
		     const char *code, const char *detail);

#endif
