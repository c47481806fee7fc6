/* schemas/registry/policy.h - who may do what to which subjects: a file, strict YAML.
 *
 *   users:
 *     dinsos:
 *       certificate: ["DNS:adapter.dinsos.pekanbaru.go.id"]  # or the subject, "CN=dinsos,O=Pekanbaru" (RFC 4514)
 *       write: ["pku.dinsos.*"]
 *       configure: ["pku.dinsos.*"]
 *     operator: { admin: true }
 *   everyone: { read: ["*"] }             # every known user, beside what is theirs
 *   anonymous: { read: ["pku.bersama.*"] }  # who does not say who they are; left out: 401 for them
 *
 * What is not said is not allowed. A rule is a subject's name, or with `*` at its end a beginning of names.
 * It is of the default context; `:.ctx:name*` is of another one, `:*:name*` of all. write, delete and
 * configure include read (nobody changes what they cannot see); admin is everything, everywhere, and the only
 * one who may change global settings, set IMPORT or FORWARD mode, and what no rule speaks of. A policy does
 * not change once read. Thread: any.
 */
#ifndef SCHEMAS_REGISTRY_POLICY_H
#define SCHEMAS_REGISTRY_POLICY_H

#include "bus/http.h"

#define SCHEMA_USER_MAX 64 /* bytes of a name, with its NUL: letters, digits, '-', '_', '.' */

enum schema_right {
	SCHEMA_RIGHT_READ = 1,
	SCHEMA_RIGHT_WRITE = 2,
	SCHEMA_RIGHT_DELETE = 4,
	SCHEMA_RIGHT_CONFIGURE = 8,
	SCHEMA_RIGHT_ADMIN = 16,
};

struct schema_policy;
struct schema_principal; /* lives as long as its policy */

enum bus_err schema_policy_load(const char *path, struct schema_policy **out,
				struct bus_error *err) BUS_MUSTCHECK;
/* As if read from a file called name. */
enum bus_err schema_policy_parse(const char *name, struct bus_str text, struct schema_policy **out,
				 struct bus_error *err) BUS_MUSTCHECK;
void schema_policy_free(struct schema_policy **p);

/* A known user: of that name, or, when the policy does not name them, `everyone`. Never NULL. */
const struct schema_principal *schema_policy_user(const struct schema_policy *p, const char *name);
/* Whose certificate that is; NULL: nobody's. */
const struct schema_principal *schema_policy_certificate(const struct schema_policy *p,
							 const struct bus_http_certificate *c);
const struct schema_principal *
schema_policy_anonymous(const struct schema_policy *p); /* NULL: nobody may be */

const char *schema_principal_name(const struct schema_principal *who); /* "" for everyone and anonymous */
bool schema_principal_admin(const struct schema_principal *who);
/* subject: as it stands in a path or a record, with or without its context. */
bool schema_principal_may(const struct schema_principal *who, enum schema_right right, const char *subject);
/* Is there a name in the context (".ctx") that they may read? */
bool schema_principal_sees(const struct schema_principal *who, const char *context);

bool schema_user_name_ok(const char *name);
const char *schema_right_name(enum schema_right right); /* "Read", as Confluent's clients see it */

#endif
