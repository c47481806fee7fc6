/* schemas/kinds/proto_known.h - the files of schemas/kinds/known, inside the program (made by schemas/kinds/known/embed.sh). */
#ifndef SCHEMAS_KINDS_PROTO_KNOWN_H
#define SCHEMAS_KINDS_PROTO_KNOWN_H

#include <stddef.h>

struct schema_proto_known_file {
	const char *name;
	const char *text;
	size_t n;
};

extern const struct schema_proto_known_file schema_proto_known_file[];
extern const size_t schema_proto_known_files;

#endif
