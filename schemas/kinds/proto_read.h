/* schemas/kinds/proto_read.h - the state of reading one descriptor; for proto_read*.c alone. */
#ifndef SCHEMAS_KINDS_PROTO_READ_H
#define SCHEMAS_KINDS_PROTO_READ_H

#include "schemas/kinds/proto_parse.h"
#include "schemas/kinds/proto_wire.h"

struct schema_proto_reader {
	struct schema_proto *p;
	struct schema_proto_file *file;
	int depth;
	int groups;
};

enum bus_err schema_proto_broken(struct schema_proto_reader *r, const char *what);
bool schema_proto_read_string(const struct proto_wire *w, struct bus_str *out); /* UTF-8 */
bool schema_proto_is_full_name(struct bus_str s, bool dot);			/* dot: may begin with one */
/* A type, relative and called like a word of the language: in a text it would not be one. */
bool schema_proto_is_keyword(struct bus_str type);
/* A name where one must stand. */
enum bus_err schema_proto_want_name(struct schema_proto_reader *r, struct bus_str name, const char *of);

/* kinds/proto_read_field.c. messages: where a group's message stands. extendee: of an extension, else NULL. */
enum bus_err schema_proto_read_field(struct schema_proto_reader *r, struct bus_str bytes,
				     struct schema_proto_message *messages,
				     struct schema_proto_oneof *const *oneof, size_t n_oneofs,
				     struct bus_str *extendee, struct schema_proto_field **out) BUS_MUSTCHECK;
/* Extensions of the same message are one block. */
enum bus_err schema_proto_read_extension(struct schema_proto_reader *r, struct bus_str bytes,
					 struct schema_proto_message *messages,
					 struct schema_proto_extend **list) BUS_MUSTCHECK;

#endif
