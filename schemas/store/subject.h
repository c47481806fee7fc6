/* schemas/store/subject.h - names of subjects, as Confluent's QualifiedSubject has them: `:.ctx:name` is the subject
 * "name" of the context ".ctx"; without such a beginning the context is ".", the default one. A name without its
 * last part, `:.ctx:`, is the context itself, for settings; `:.__GLOBAL:` those of all contexts. Thread: any. */
#ifndef SCHEMAS_STORE_SUBJECT_H
#define SCHEMAS_STORE_SUBJECT_H

#include "bus/buf.h"

#define SCHEMA_CONTEXT_DEFAULT "."
#define SCHEMA_CONTEXT_GLOBAL ".__GLOBAL"
#define SCHEMA_SUBJECT_MAX 255 /* bytes */

struct schema_qualified {	/* borrows from the text it was split from */
	struct bus_str context; /* ".", ".ctx"; "*" for the prefix `:*:`, which means every context */
	struct bus_str name;	/* may be empty */
};

struct schema_qualified schema_subject_split(const char *subject);
bool schema_subject_is_default(struct schema_qualified q); /* of the default context */
/* The one form in which a subject is kept: the default context is not written. */
void schema_subject_join(struct bus_str context, struct bus_str name, struct bus_buf *out);
/* subject in that form, on the heap. */
char *schema_subject_normal(const char *subject);
/* A name seen from a subject (references, aliases): of the parent's context unless it names its own. */
char *schema_subject_seen_from(const char *parent, const char *subject);
/* What follows the last colon of a context's name as it stands in a URL: ".ctx", ":.ctx:" or "ctx"; false: it has a
 * colon in it. */
bool schema_context_normal(const char *given, struct bus_buf *out);
/* False: cannot be registered under (settings: nor configured). */
bool schema_subject_valid(const char *subject, bool settings);

#endif
