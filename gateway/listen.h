/* gateway/listen.h - the two ports: readers', and operators'. Thread: main. */
#ifndef GATEWAY_LISTEN_H
#define GATEWAY_LISTEN_H

#include "gateway/options.h"
#include "gateway/serve/api.h"

/* Both answer from here on; api is borrowed until they are stopped. On failure *ops may be there to be stopped. */
enum bus_err gw_listen(const struct gw_options *c, struct gw_api *api, struct bus_http **http,
		       struct bus_http **ops, struct bus_error *err) BUS_MUSTCHECK;

#endif
