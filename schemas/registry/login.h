/* schemas/registry/login.h - is this password right? Slow checks on a thread of their own, and few of them.
 *
 * A password that was right is remembered: as a digest of a key that lives as long as the process, of the
 * hash that it fits, and of it. So only the first request of a client waits; 4,096 passwords have room. When
 * the hash is no longer in the users' file, nobody looks for what is remembered of it.
 *
 * Wrong passwords and tokens are counted by address and by name, in tables that do not grow: after 10 from an
 * address, or 30 for a name, within a minute no password of that address or name is looked at for the rest of
 * it. What is remembered, tokens and certificates go on.
 */
#ifndef SCHEMAS_REGISTRY_LOGIN_H
#define SCHEMAS_REGISTRY_LOGIN_H

#include "bus/http.h"
#include "schemas/registry/policy.h"
#include "schemas/registry/users.h"

struct schema_credentials { /* of an Authorization header */
	enum { SCHEMA_LOGIN_NONE, SCHEMA_LOGIN_BASIC, SCHEMA_LOGIN_BEARER, SCHEMA_LOGIN_MALFORMED } kind;
	char name[SCHEMA_USER_MAX]; /* BASIC */
	struct bus_str secret;	    /* in the buffer, or of the header */
};
/* header may be NULL. buf holds what was decoded: bus_secret_release it. */
void schema_credentials_read(const char *header, struct bus_buf *buf, struct schema_credentials *out);

/* --- what is remembered and counted. Thread: any --- */
struct schema_memory;
struct schema_memory *schema_memory_new(void);
void schema_memory_free(struct schema_memory **m);
/* hash: BUS_SHA256_LEN bytes, of schema_users_hashes. */
bool schema_memory_knows(struct schema_memory *m, const uint8_t *hash, struct bus_str password);
void schema_memory_keep(struct schema_memory *m, const uint8_t *hash, struct bus_str password);

struct schema_failures;
struct schema_failures *schema_failures_new(void);
void schema_failures_free(struct schema_failures **f);
void schema_failures_add(struct schema_failures *f, const char *address,
			 const char *name); /* name may be "" */
bool schema_failures_many(struct schema_failures *f, const char *address, const char *name);

/* --- the thread --- */
struct schema_verifier;
enum bus_err schema_verifier_start(struct schema_verifier **out, struct bus_error *err) BUS_MUSTCHECK;
void schema_verifier_stop(
    struct schema_verifier **v); /* after the HTTP server; what still waits is not verified */
/* done(ctx, the hash that it fits, or NULL) on the verifier's thread. False: 64 wait already, and done is not
 * called. */
typedef void (*schema_verified_fn)(void *ctx, const uint8_t *hash);
bool schema_verifier_ask(struct schema_verifier *v, const struct schema_users *users, const char *name,
			 struct bus_str password, schema_verified_fn done, void *ctx);

#endif
