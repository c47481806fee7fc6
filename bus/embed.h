/* bus/embed.h - a file that lives in the binary, put there by embed.sh. */
#ifndef BUS_EMBED_H
#define BUS_EMBED_H

#include <stddef.h>

struct bus_file {
	const char *name; /* below its folder: "index.html", "google/protobuf/any.proto" */
	const char *type; /* "text/html; charset=utf-8" */
	const unsigned char *bytes;
	size_t n;
};

#endif
