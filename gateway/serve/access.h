/* gateway/serve/access.h - who may read which view, and which columns. Deny by default.
 *
 * Keys: `tk_<8 hex: id>_<43 base64url: 256 random bits>`. The file holds a line a key, `NAME ID SHA256 CREATED`,
 * the SHA-256 being of the whole key: a random secret of 256 bits needs no slow hash (OWASP ASVS 2.9). Policy:
 * gateway/serve/policy.h. Both files are read again by gw_access_reload (SIGHUP); a reload that fails changes
 * nothing.
 * Thread: any (a rwlock inside).
 */
#ifndef GATEWAY_SERVE_ACCESS_H
#define GATEWAY_SERVE_ACCESS_H

#include "bus/buf.h"
#include "bus/error.h"
#include "gateway/engine/read.h"
#include "gateway/serve/policy.h"

#define GW_KEY_LEN 55 /* of a key as sent */

struct gw_access;

enum bus_err gw_access_open(struct gw_engine *e, const char *policy_path, const char *keys_path,
			    struct gw_access **out, struct bus_error *err) BUS_MUSTCHECK;
void gw_access_close(struct gw_access **a);
enum bus_err gw_access_reload(struct gw_access *a, struct bus_error *err) BUS_MUSTCHECK;

/* Whose key this is: name of at most GW_READER_NAME_MAX bytes. BUS_EDENIED: nobody's. */
enum bus_err gw_access_reader(struct gw_access *a, const char *key, char *name) BUS_MUSTCHECK;
/* The key in an Authorization header of HTTP Basic (RFC 7617): its password; the user's name is anybody's. False: the
 * header is none of Basic, or the password cannot be a key. */
bool gw_access_basic(const char *authorization, char key[GW_KEY_LEN + 1]);
/* The part of a key that names it among its reader's: 8 hex digits, NUL-ended; "": not a key. */
void gw_access_key_id(const char *key, char id[9]);
bool gw_access_key_known(struct gw_access *a, const char *reader, const char *id);
#define GW_KEY_ID_SIGNED "@signed@" /* in the place of a key's, of who signs its requests; known while it may */
bool gw_access_signing(struct gw_access *a, const char *reader, struct gw_signing *out); /* false: no such reader */
struct gw_grant gw_access_grant(struct gw_access *a, const char *reader, const struct gw_view *v);
/* Every reader of the policy, in its order: how many keys it has, and its grants in the order of the views.
 * Under the lock: fn must not call back. */
typedef void (*gw_access_fn)(void *ctx, const char *reader, size_t keys, const struct gw_views *views,
			     const struct gw_grant *grant);
void gw_access_each(struct gw_access *a, gw_access_fn fn, void *ctx);
/* One request more of this reader; false: it has no quota. */
bool gw_access_quota(struct gw_access *a, const char *reader, struct gw_quota_left *left);
bool gw_access_status(struct gw_access *a, const char *reader); /* may see topics and quality */
/* Whether the reader may see a topic's records. *clear: fields in clear ("*": all), n of them; they live as long as
 * gw_access, and the same grant said again has the same pointer. */
bool gw_access_topic(struct gw_access *a, const char *reader, const char *topic, const char *const **clear,
		     size_t *n);
/* Whether the reader may write records to a topic. *bytes: also what has no schema; may be NULL. */
bool gw_access_publish(struct gw_access *a, const char *reader, const char *topic, bool *bytes);
/* Whether a consumer group is the reader's to read and commit in (gw_policy_group). */
bool gw_access_group(struct gw_access *a, const char *reader, const char *group);
int gw_access_streams(struct gw_access *a, const char *reader); /* most feeds open at a time */
/* While it stands still, every grant is what it was. */
uint64_t gw_access_generation(struct gw_access *a);
bool gw_access_define(struct gw_access *a, const char *reader); /* may define, change and drop views */
void gw_access_bind(void *access); /* when the set of views is another one: for gw_on_views */

/* Makes a key for NAME and adds it to the file (made with mode 0600 when missing): the secret is written to
 * out and is nowhere else. */
enum bus_err gw_access_key_new(const char *keys_path, const char *name, struct bus_buf *out,
			       struct bus_error *err) BUS_MUSTCHECK;

#endif
