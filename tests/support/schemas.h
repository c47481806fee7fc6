/* tests/support/schemas.h - schemas for tests: parse or fail. */
#ifndef TESTS_SUPPORT_SCHEMAS_H
#define TESTS_SUPPORT_SCHEMAS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "bus/buf.h"
#include "schemas/avro/schema.h"

static inline struct schema *schema_of(const char *text)
{
	struct bus_error err = { 0 };
	struct schema *s = NULL;

	if (schema_parse(bus_str(text), SCHEMA_STRICT, NULL, 0, &s, &err) != BUS_OK)
		fail_msg("%s", err.text);
	return s;
}

/* { "x": 1 } without the backslashes: ' stands for ". */
static inline struct schema *schema_of_quoted(const char *text)
{
	char *copy = bus_xstrdup(text);
	struct schema *s;

	for (char *c = copy; *c; c++)
		if (*c == '\'')
			*c = '"';
	s = schema_of(copy);
	free(copy);
	return s;
}

#endif
