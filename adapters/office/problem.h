/* adapters/office/problem.h - what the office's HTTP refuses, and the way out, in both languages. Any thread. */
#ifndef ADAPTERS_OFFICE_PROBLEM_H
#define ADAPTERS_OFFICE_PROBLEM_H

#include "bus/http.h"

/* code: of the table (asserted). detail may be NULL; no personal data. */
void adapter_office_problem(struct bus_http_request *req, const char *code, const char *detail);

#endif
