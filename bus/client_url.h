/* bus/client_url.h - a URL that others gave us, in its parts. Thread: any. */
#ifndef BUS_CLIENT_URL_H
#define BUS_CLIENT_URL_H

#include "bus/error.h"

#define BUS_URL_MAX 2048

struct bus_url {
	bool https;
	char host[256]; /* lower case; an IPv6 address without its brackets, an IPv4 one in plain form */
	int port;
};

/* BUS_EINVAL: not http or https, over BUS_URL_MAX, with a user, a password or a fragment, with a character beyond
 * ASCII, a space or a control character, an address with a zone. The URL itself is in no message: it may hold a
 * secret. */
enum bus_err bus_url_read(const char *text, struct bus_url *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
