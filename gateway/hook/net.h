/* gateway/hook/net.h - where a webhook may go.
 *
 * https only, to port 443 (or `ports`), and to no address that is not the whole internet's: loopback, private,
 * shared, link-local, multicast, documentation, the cloud's metadata, and IPv6 forms that carry such an IPv4
 * address (mapped, NAT64, 6to4). Receivers of a government are mostly private all the same: the operator's list
 * says which. An entry is one of
 *   10.20.0.0/16            addresses; any class, loopback too
 *   kait.dinsos.go.id:8443  this host at this port, which may be at a private, shared or unique local address
 *   http://kait.local:8080  the same, and without TLS
 * Source of the classes: IANA's special-purpose address registries (RFC 6890), RFC 6052, 3056.
 * Thread: any; immutable.
 */
#ifndef GATEWAY_HOOK_NET_H
#define GATEWAY_HOOK_NET_H

#include <sys/socket.h>

#include "bus/client_url.h"
#include "bus/conf.h"

struct gw_hook_net;

struct gw_hook_net_conf {
	const struct bus_conf_list *allow; /* as above */
	const struct bus_conf_list *ports; /* beside 443 */
	const char
	    *hosts; /* a file as /etc/hosts, read anew for each name and asked first; NULL or "": none */
};

enum bus_err gw_hook_net_new(const struct gw_hook_net_conf *conf, struct gw_hook_net **out,
			     struct bus_error *err) BUS_MUSTCHECK;
void gw_hook_net_free(struct gw_hook_net **n);

/* The URL's parts, if scheme and port will do: BUS_EINVAL, BUS_EDENIED. An address written in it is looked at too. */
enum bus_err gw_hook_net_url(const struct gw_hook_net *n, const char *text, struct bus_url *out,
			     struct bus_error *err) BUS_MUSTCHECK;

/* For bus_many_conf; ctx is the struct gw_hook_net. */
bool gw_hook_net_may(void *ctx, const struct bus_url *to, const struct sockaddr *address);
size_t gw_hook_net_find(void *ctx, const char *host, struct sockaddr_storage *out, size_t max);

#endif
