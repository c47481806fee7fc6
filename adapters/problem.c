#include "adapters/problem.h"

#include <assert.h>
#include <stdio.h>

void adapter_problem(struct bus_http_request *req, const struct adapter_problem *table, size_t n,
		     const char *code, const char *detail)
{
	const struct adapter_problem *p = table;
	char again[12];

	while (p < table + n && strcmp(p->code, code) != 0)
		p++;
	assert(p < table + n);
	if (p->status == 401)
		bus_http_set(req, "WWW-Authenticate", "Bearer realm=\"titian-adapter\"");
	if (p->again_s > 0) {
		snprintf(again, sizeof(again), "%d", p->again_s);
		bus_http_set(req, "Retry-After", again);
	}
	bus_http_problem(req, p->status, code, NULL, p->title, detail, p->hint);
}
