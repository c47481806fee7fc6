/* schemas/registry/users.h - passwords and tokens of the registry's users, hashed, in one file.
 *
 *   password NAME pbkdf2-sha256 ITERATIONS SALT HASH WHEN      (hex; two at most for a name: the old, the new)
 *   token NAME ID SHA256 WHEN
 *
 * A token is tr_<8 hex: id>_<64 hex: 256 random bits>: too much to guess, so a plain hash will do (OWASP ASVS
 * 2.9), and a check costs a microsecond. A password needs the slow one: 0.1 s or more. A token is taken as a
 * password, too, for clients that know nothing but user and password.
 * The set does not change once read. Thread: any.
 */
#ifndef SCHEMAS_REGISTRY_USERS_H
#define SCHEMAS_REGISTRY_USERS_H

#include <stdint.h>

#include "bus/buf.h"
#include "bus/error.h"

#define SCHEMA_PASSWORD_MIN 8
#define SCHEMA_PASSWORD_MAX 256
#define SCHEMA_PASSWORDS_MAX 2 /* of a name: each costs time at every wrong try */

struct schema_users;

enum bus_err schema_users_load(const char *path, struct schema_users **out,
			       struct bus_error *err) BUS_MUSTCHECK;
enum bus_err schema_users_parse(const char *name, struct bus_str text, struct schema_users **out,
				struct bus_error *err) BUS_MUSTCHECK;
void schema_users_free(struct schema_users **u);

/* Whose token that is; NULL: nobody's. The name lives as long as the set. */
const char *schema_users_token(const struct schema_users *u, struct bus_str token);
bool schema_users_is_token(struct bus_str text); /* has its shape */
/* The hash that the password of that name fits (BUS_SHA256_LEN bytes, as long as the set lives), or NULL.
 * Slow, and as slow for a name that is not there. */
const uint8_t *schema_users_password(const struct schema_users *u, const char *name, struct bus_str password);
/* All hashes of a name, as the file has them; how many. */
size_t schema_users_hashes(const struct schema_users *u, const char *name,
			   const uint8_t *hash[SCHEMA_PASSWORDS_MAX]);

/* Adds a line to the file (made with mode 0600 when it is missing). The token is appended to out and is
 * nowhere else. */
enum bus_err schema_users_add_token(const char *path, const char *name, struct bus_buf *out,
				    struct bus_error *err) BUS_MUSTCHECK;
enum bus_err schema_users_add_password(const char *path, const char *name, struct bus_str password,
				       struct bus_error *err) BUS_MUSTCHECK;

#endif
