/* schemas/registry/front.h - the registry's HTTP server, and what stands before its handlers: TLS, who is
 * asking, may they. Also the commands that make users. Thread: main. */
#ifndef SCHEMAS_REGISTRY_FRONT_H
#define SCHEMAS_REGISTRY_FRONT_H

#include "schemas/registry/registry.h"

struct schema_front_conf { /* as in the configuration; "" where nothing is said */
	const char *address;
	int port, threads;
	const char *certificate, *key, *client_ca, *client_crl;
	const char *client; /* "none", "optional", "required"; "": optional when there is a client_ca */
	bool insecure;
	struct schema_access_conf access;
};

/* Before anything else is opened: opens r->access. Beyond loopback it wants a policy (and _start TLS), unless
 * insecure says that it does without (BUS_EINVAL). */
enum bus_err schema_front_check(const struct schema_front_conf *conf, struct schema_registry *r,
				struct bus_error *err) BUS_MUSTCHECK;
enum bus_err schema_front_start(const struct schema_front_conf *conf, struct schema_registry *r,
				struct bus_http **out, struct bus_error *err) BUS_MUSTCHECK;
/* Certificates, policy and users again, and says so in the log; what cannot be read stays as it was. */
void schema_front_reload(struct schema_registry *r, struct bus_http *http);

/* `user new` and `token new`; the exit status, or -1: this is no such command. */
int schema_front_command(int argc, char **argv);

#endif
