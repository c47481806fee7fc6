/* schemas/kinds/proto_parse.h - tokens and the state of one parse; for kinds/proto_lex.c and proto_parse*.c alone. */
#ifndef SCHEMAS_KINDS_PROTO_PARSE_H
#define SCHEMAS_KINDS_PROTO_PARSE_H

#include "schemas/kinds/proto.h"

enum proto_token { PROTO_END, PROTO_NAME, PROTO_INT, PROTO_FLOAT, PROTO_QUOTED, PROTO_SYMBOL, PROTO_BAD };

struct schema_proto_parser {
	struct schema_proto *p;
	struct schema_proto_file *file;
	const char *c, *end;
	uint32_t line;
	const char *line_start;
	/* The token at hand. */
	enum proto_token token;
	struct bus_str text; /* of QUOTED: with its quotes */
	struct schema_proto_at at;
	const char *bad; /* why it is BAD */
	int depth;
};

void schema_proto_next(struct schema_proto_parser *s);
bool schema_proto_is(const struct schema_proto_parser *s, const char *text); /* a name or a symbol */
bool schema_proto_take(struct schema_proto_parser *s, const char *text);     /* goes past it if it is there */
enum bus_err schema_proto_want_text(struct schema_proto_parser *s, const char *text) BUS_MUSTCHECK;
enum bus_err schema_proto_unexpected(struct schema_proto_parser *s, const char *want);
/* One or more quoted strings, escapes undone. */
enum bus_err schema_proto_string(struct schema_proto_parser *s, struct bus_str *out) BUS_MUSTCHECK;
/* The same, of UTF-8 only: what becomes a string of the descriptor. */
enum bus_err schema_proto_utf8(struct schema_proto_parser *s, struct bus_str *out) BUS_MUSTCHECK;
enum bus_err schema_proto_name(struct schema_proto_parser *s, struct bus_str *out) BUS_MUSTCHECK;
/* a.b.c; dot: may begin with one. */
enum bus_err schema_proto_full_name(struct schema_proto_parser *s, bool dot,
				    struct bus_str *out) BUS_MUSTCHECK;
/* A whole number of low..high; a '-' before it where low is negative. */
enum bus_err schema_proto_int(struct schema_proto_parser *s, int64_t low, int64_t high,
			      int32_t *out) BUS_MUSTCHECK;

/* kinds/proto_parse_option.c: after `option`, up to ';' (the list is turned round by the caller); and the whole of
 * [a = 1, b = 2], if it is there. */
enum bus_err schema_proto_parse_option(struct schema_proto_parser *s,
				       struct schema_proto_option **list) BUS_MUSTCHECK;
enum bus_err schema_proto_parse_options(struct schema_proto_parser *s,
					struct schema_proto_option **list) BUS_MUSTCHECK;

/* kinds/proto_parse_message.c: after the keyword. */
enum bus_err schema_proto_parse_message(struct schema_proto_parser *s, struct schema_proto_message *parent,
					struct schema_proto_message **list) BUS_MUSTCHECK;
enum bus_err schema_proto_parse_enum(struct schema_proto_parser *s, struct bus_str scope,
				     struct schema_proto_enum **list) BUS_MUSTCHECK;
enum bus_err schema_proto_parse_extend(struct schema_proto_parser *s, struct schema_proto_message *parent,
				       struct schema_proto_message **groups,
				       struct schema_proto_extend **list) BUS_MUSTCHECK;
enum bus_err schema_proto_parse_ranges(struct schema_proto_parser *s, bool names, bool enumeration,
				       struct schema_proto_ranges **list) BUS_MUSTCHECK;

/* Lists are built from the front and turned round when their element ends: no list is walked to its end. */
#define SCHEMA_PROTO_PUSH(list, element)                                                                     \
	do {                                                                                                 \
		(element)->next = (list);                                                                    \
		(list) = (element);                                                                          \
	} while (0)
#define SCHEMA_PROTO_REVERSE(list)                                                                           \
	do {                                                                                                 \
		__typeof__(list) _done = NULL;                                                               \
		while (list) {                                                                               \
			__typeof__(list) _e = (list);                                                        \
			(list) = _e->next;                                                                   \
			_e->next = _done;                                                                    \
			_done = _e;                                                                          \
		}                                                                                            \
		(list) = _done;                                                                              \
	} while (0)

#endif
