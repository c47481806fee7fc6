/* bus/client_conf.h - a client's secrets, from their files. Internal to bus/client*.c. */
#ifndef BUS_CLIENT_CONF_H
#define BUS_CLIENT_CONF_H

#include "bus/client.h"

/* The header line "Authorization: ...", or NULL when conf names no secret. */
enum bus_err bus_client_authorization(const struct bus_client_conf *conf, char **out,
				      struct bus_error *err) BUS_MUSTCHECK;

#endif
