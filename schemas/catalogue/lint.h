/* schemas/catalogue/lint.h - holds a schema of the catalogue to its rules (schemas/README.md, "A schema of the
 * catalogue").
 *
 * Every rule has a code that never changes. `must` rules are those without which the bus cannot use the
 * schema: they are refused by `titian schema check`; the others are found by `titian schema lint`. Thread:
 * any.
 */
#ifndef SCHEMAS_CATALOGUE_LINT_H
#define SCHEMAS_CATALOGUE_LINT_H

#include "schemas/avro/words.h"

#define SCHEMA_LINT_MAX 1000 /* faults; further ones are left out */

struct schema_lint_rule {
	const char *code;
	bool must;
	struct schema_sentence what; /* what is asked for */
};

extern const struct schema_lint_rule schema_lint_rules[]; /* ended by a NULL code */

struct schema_fault { /* texts of the list's */
	const struct schema_lint_rule *rule;
	const char *path;  /* "proyek[].skala"; "": the schema itself */
	const char *place; /* JSON pointer */
	struct schema_sentence sentence;
};

struct schema_lint {
	size_t n;
	struct schema_fault *fault;
	struct bus_arena *memory;
};

/* must_only: the `must` rules alone. The caller releases out. Types of references are not looked into. */
void schema_lint(const struct schema *s, bool must_only, struct schema_lint *out);
void schema_lint_release(struct schema_lint *l);

#endif
