/* schemas/registry/access.h - who is asking, and may they? One look before each handler, and one function for
 * what a handler shows.
 *
 *   registry/access.c   the look: who, which right the route wants, 401 and 403, the audit
 *   registry/rights.c   route -> right
 *   registry/vouch.c    how one node of the registry tells another who asked
 *   registry/policy.c   who may do what (YAML)     registry/users.c   passwords and tokens
 *   registry/login.c    slow checks, what is remembered, failures
 *
 * Who: the node header, else Authorization (Basic or Bearer), else the client's certificate, else anonymous;
 * what is given and wrong is 401, also when something else would have done. May: a route with a subject needs
 * its right on it, and is 403 (40301) whether the subject is there or not; 401 for anonymous. Lists leave out
 * what may not be read; a schema by id, and a reference, that may not be read is not there (404, 42201). So
 * nobody learns of what they may not see; but ids are numbers in a row, and the same text has the same id
 * everywhere. Routes that registry/rights.c does not know are for admins. Without a policy everybody may do
 * everything.
 *
 * Thread: any. Policy and users are read again by schema_access_reload (SIGHUP); a reload that fails changes
 * nothing.
 */
#ifndef SCHEMAS_REGISTRY_ACCESS_H
#define SCHEMAS_REGISTRY_ACCESS_H

#include "schemas/registry/policy.h"
#include "schemas/store/store.h"

struct schema_access;
struct schema_registry;

struct schema_access_conf {
	const char *policy;   /* files; NULL or "": everybody may do everything */
	const char *users;    /* NULL or "": certificates only */
	const char *node_key; /* NULL or "": no other node is believed */
};

enum bus_err schema_access_open(const struct schema_access_conf *conf, struct schema_access **out,
				struct bus_error *err) BUS_MUSTCHECK;
void schema_access_close(struct schema_access **a); /* after the HTTP server */
enum bus_err schema_access_reload(struct schema_access *a, struct bus_error *err) BUS_MUSTCHECK;

/* bus_http_conf's knows, admit and answered; ctx is the struct schema_registry. Payers: the user; without a policy the
 * address; all together who is not known before the body is there: another node, the first password of a user, anonymous. */
bool schema_access_knows(void *ctx, struct bus_http_request *req, char payer[BUS_HTTP_WHO_MAX]);
bool schema_access_admit(void *ctx, struct bus_http_request *req);
void schema_access_answered(void *ctx, const struct bus_http_request *req, int status);

/* --- for handlers: is it theirs to see or to change? Also on the writer's thread --- */
bool schema_may(const struct bus_http_request *req, enum schema_right right, const char *subject);
/* May they do to target what the request does to its subject? Asked when an alias is followed: also by a
 * change whose turn comes after somebody has set one. */
bool schema_may_follow(const struct bus_http_request *req, const char *target);
bool schema_may_context(const struct bus_http_request *req,
			const char *context); /* see something in ".ctx" */
void schema_may_names(const struct bus_http_request *req, struct schema_name_list *l); /* drops the others */
/* Who asks: "" for nobody in particular. */
const char *schema_user(const struct bus_http_request *req);

/* --- for the node that forwards a request to the writer --- */
#define SCHEMA_NODE_HEADER "Titian-Asked-By"
/* The value of that header: who asked, sealed with the node key for this method, path, query and body, which
 * must be sent on as they came (bus_http_path, bus_http_raw_query); good for a minute. It stands in the place
 * of Authorization, which stays here. False: there is no policy, or no node key. */
bool schema_access_vouch(struct schema_access *a, struct bus_http_request *req, struct bus_buf *value);
/* NULL: none. */
const uint8_t *schema_access_node_key(const struct schema_access *a);

#endif
