/* schemas/kinds/proto_known.h - the files of schemas/kinds/known, inside the program, by the name they are imported by. */
#ifndef SCHEMAS_KINDS_PROTO_KNOWN_H
#define SCHEMAS_KINDS_PROTO_KNOWN_H

#include "bus/embed.h"

extern const struct bus_file schema_proto_known_file[];
extern const size_t schema_proto_known_files;

#endif
