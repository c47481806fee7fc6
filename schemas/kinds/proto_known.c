#include "schemas/kinds/proto_known.h"

#include "schemas/kinds/proto.h"

struct bus_str schema_proto_known(struct bus_str name)
{
	for (size_t i = 0; i < schema_proto_known_files; i++) {
		const struct bus_file *f = &schema_proto_known_file[i];

		if (bus_str_is(name, f->name))
			return (struct bus_str){ (const char *)f->bytes, f->n };
	}
	return (struct bus_str){ 0 };
}
