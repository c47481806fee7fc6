/* schemas/kinds/proto_text.h - laying out .proto text; for proto_text*.c alone. */
#ifndef SCHEMAS_KINDS_PROTO_TEXT_H
#define SCHEMAS_KINDS_PROTO_TEXT_H

#include "schemas/kinds/proto.h"

struct proto_text {
	struct schema_proto *p;
	struct schema_proto_file *file;
	struct bus_buf *out;
	int depth;
	bool midline; /* something stands on this line */
	bool normalize, ignore_extensions;
	bool failed; /* no room */
};

/* Lines are indented by two blanks a level, empty ones too, as Confluent's. */
void schema_proto_put(struct proto_text *t, const char *s);
void schema_proto_put_str(struct proto_text *t, struct bus_str s);
void schema_proto_put_int(struct proto_text *t, int64_t v);
void schema_proto_put_quoted(struct proto_text *t, struct bus_str s); /* with escapes */
/* A list as an array (the caller's to free), sorted when normalizing; *n of them. */
#define SCHEMA_PROTO_ARRAY(list, n)                                                                          \
	({                                                                                                   \
		__typeof__((list) + 0) *_a;                                                                  \
		*(n) = 0;                                                                                    \
		for (__typeof__((list) + 0) _e = (list); _e; _e = _e->next)                                  \
			++*(n);                                                                              \
		_a = bus_xcalloc(*(n) + 1, sizeof(*_a));                                                     \
		*(n) = 0;                                                                                    \
		for (__typeof__((list) + 0) _e = (list); _e; _e = _e->next)                                  \
			_a[(*(n))++] = _e;                                                                   \
		_a;                                                                                          \
	})

/* A type as written; normalized: its full name with a dot. */
struct bus_str schema_proto_type_text(struct proto_text *t, const struct schema_proto_message *scope,
				      struct bus_str name);

/* kinds/proto_text_option.c: `option x = y;` lines, so much further in. blank: an empty line before them. */
void schema_proto_put_options(struct proto_text *t, const struct schema_proto_message *scope,
			      const struct schema_proto_option *options, bool blank, int indent);
/* " [a = 1]" after a field; default and json_name come last. f may be NULL. */
void schema_proto_put_brackets(struct proto_text *t, const struct schema_proto_message *scope,
			       const struct schema_proto_option *options, const struct schema_proto_field *f);

#endif
