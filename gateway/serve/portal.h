/* gateway/serve/portal.h - files that live in the binary: the portal's page, script, style. Made by embed.sh. */
#ifndef GATEWAY_SERVE_PORTAL_H
#define GATEWAY_SERVE_PORTAL_H

#include <stddef.h>

struct gw_file {
	const char *name; /* "index.html" */
	const char *type; /* "text/html; charset=utf-8" */
	const unsigned char *bytes;
	size_t n;
};

extern const struct gw_file gw_portal_file[];
extern const size_t gw_portal_files; /* how many */

#endif
