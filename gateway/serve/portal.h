/* gateway/serve/portal.h - the portal's pages, scripts, style (gateway/portal/), inside the program. */
#ifndef GATEWAY_SERVE_PORTAL_H
#define GATEWAY_SERVE_PORTAL_H

#include "bus/embed.h"

extern const struct bus_file gw_portal_file[];
extern const size_t gw_portal_files; /* how many */

#endif
