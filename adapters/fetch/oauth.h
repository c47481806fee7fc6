/* adapters/fetch/oauth.h - a token by the client credentials grant (RFC 6749, 4.4), kept until shortly before it expires.
 * Thread: one. */
#ifndef ADAPTERS_FETCH_OAUTH_H
#define ADAPTERS_FETCH_OAUTH_H

#include "bus/client.h"
#include "bus/yaml.h"

struct adapter_oauth {
	const char *url, *scope; /* scope NULL: none */
	struct bus_client_conf
	    conf; /* client_id as user, secret_file as password_file: sent by HTTP Basic (2.3.1) */
	struct bus_buf token;
	int64_t until_ms; /* monotonic; it may be used so long */
};

/* oauth2: {url, client_id, secret_file, scope} */
enum bus_err adapter_oauth_read(struct adapter_oauth *o, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				struct bus_error *err) BUS_MUSTCHECK;
/* Appends the token, a fresh one if need be. go_on as in bus_client_call. BUS_EDENIED: it was refused. */
enum bus_err adapter_oauth_token(struct adapter_oauth *o, bool (*go_on)(void *ctx), void *ctx,
				 struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;
void adapter_oauth_forget(struct adapter_oauth *o); /* the server did not take it: ask anew */
void adapter_oauth_release(struct adapter_oauth *o);

#endif
