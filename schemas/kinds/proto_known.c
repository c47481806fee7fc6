#include "schemas/kinds/proto_known.h"

#include "schemas/kinds/proto.h"

struct bus_str schema_proto_known(struct bus_str name)
{
	for (size_t i = 0; i < schema_proto_known_files; i++)
		if (bus_str_is(name, schema_proto_known_file[i].name))
			return (struct bus_str){ schema_proto_known_file[i].text,
						 schema_proto_known_file[i].n };
	return (struct bus_str){ 0 };
}
