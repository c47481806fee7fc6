/* adapters/intake/problem.h - what the intake refuses, as problem documents (RFC 9457) in Indonesian and English.
 * Thread: the request's. */
#ifndef ADAPTERS_INTAKE_PROBLEM_H
#define ADAPTERS_INTAKE_PROBLEM_H

#include "bus/http.h"

/* code: of the table in problem.c (assert). detail may be NULL; never any of the data. */
void adapter_intake_problem(struct bus_http_request *req, const char *code, const char *detail);

#endif
