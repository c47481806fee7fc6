#include "gateway/serve/access.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/base64.h"
#include "bus/base64url.h"
#include "bus/crypto.h"
#include "gateway/serve/access_rows.h"

#define ID_LEN 8
#define SECRET_LEN 43 /* 32 bytes in base64url */
#define BASIC_MAX 512 /* bytes of user and password, encoded */
#define KEYS_MAX 10000
#define TOPICS_MAX 512

_Static_assert(GW_KEY_LEN == 3 + ID_LEN + 1 + SECRET_LEN, "tk_ID_SECRET");

struct key {
	char name[GW_READER_NAME_MAX];
	char id[ID_LEN + 1];
	uint8_t digest[BUS_SHA256_LEN];
};

struct policy { /* what the two files say; replaced whole */
	struct key *key;
	size_t n_keys;
	struct gw_policy says;
};

struct gw_rights {
	bool status, define;
	int streams;
};

struct gw_access {
	struct gw_engine *engine;
	char *policy_path, *keys_path;
	pthread_rwlock_t lock;
	struct policy policy;	/* lock */
	struct gw_views *views; /* lock: the set that grant is of */
	struct gw_grant *grant; /* lock: of each reader, of each view of the set */
	struct gw_meter *meters; /* lock: the list, not what it counts */
	struct gw_grant_rows *rows; /* whoever reloads */
	_Atomic uint64_t generation;
};

static void policy_release(struct policy *p)
{
	gw_policy_release(&p->says);
	free(p->key);
	*p = (struct policy){ 0 };
}

/* --- keys ------------------------------------------------------------------------------------------- */

static bool digest_read(const char *hex, uint8_t digest[BUS_SHA256_LEN])
{
	for (size_t i = 0; i < BUS_SHA256_LEN; i++) {
		unsigned int byte;

		if (!isxdigit((unsigned char)hex[2 * i]) || !isxdigit((unsigned char)hex[2 * i + 1]) ||
		    sscanf(hex + 2 * i, "%2x", &byte) != 1)
			return false;
		digest[i] = (uint8_t)byte;
	}
	return hex[2 * BUS_SHA256_LEN] == '\0';
}

static enum bus_err keys_load(const char *path, struct policy *p, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	char line[256];
	FILE *fp = fopen(path, "re");

	if (!fp)
		return bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO,
				"cannot open '%s': %m; make a key: titian-gateway key new --keys %s --name NAME", path,
				path);
	for (int number = 1; fgets(line, sizeof(line), fp); number++) {
		char name[GW_READER_NAME_MAX], id[ID_LEN + 1], hex[2 * BUS_SHA256_LEN + 1];
		struct key *k;

		if (line[0] == '#' || line[0] == '\n')
			continue;
		p->key = bus_xrealloc(p->key, (p->n_keys + 1) * sizeof(*p->key));
		k = &p->key[p->n_keys];
		if (p->n_keys == KEYS_MAX || sscanf(line, "%63s %8s %64s", name, id, hex) != 3 || !gw_reader_name_ok(name) ||
		    !digest_read(hex, k->digest)) {
			rc = bus_fail(err, BUS_EPARSE, "%s:%d: not a key line (NAME ID SHA256 CREATED)", path, number);
			break;
		}
		memcpy(k->name, name, sizeof(name));
		memcpy(k->id, id, sizeof(id));
		p->n_keys++;
	}
	fclose(fp);
	return rc;
}

enum bus_err gw_access_key_new(const char *keys_path, const char *name, struct bus_buf *out, struct bus_error *err)
{
	uint8_t secret[BUS_KEY_LEN], digest[BUS_SHA256_LEN], id[ID_LEN / 2];
	char id_hex[ID_LEN + 1], digest_hex[2 * BUS_SHA256_LEN + 1], when[40];
	struct bus_buf line = { 0 };
	size_t start = out->n;
	enum bus_err rc = BUS_OK;
	int fd;

	if (!gw_reader_name_ok(name))
		return bus_fail(err, BUS_EINVAL, "a reader's name is 1 to %d letters, digits, '-', '_', '.'",
				GW_READER_NAME_MAX - 1);
	bus_random(secret, sizeof(secret));
	bus_random(id, sizeof(id));
	bus_hex(id, sizeof(id), id_hex);
	bus_buf_printf(out, "tk_%s_", id_hex);
	bus_base64url_put(out, secret, sizeof(secret));
	bus_sha256(out->p + start, out->n - start, digest);
	bus_hex(digest, sizeof(digest), digest_hex);
	bus_buf_printf(&line, "%s %s %s %s\n", name, id_hex, digest_hex,
		       bus_clock_iso_wib(bus_clock_ms(), when, sizeof(when)));
	fd = open(keys_path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, line.p, line.n) != (ssize_t)line.n || fsync(fd) != 0) {
		rc = bus_fail(err, BUS_EIO, "cannot write '%s': %m", keys_path);
		out->n = start;
	}
	if (fd >= 0)
		close(fd);
	bus_buf_release(&line);
	return rc;
}

/* --- the whole -------------------------------------------------------------------------------------- */

/* With the write lock: grants of the views as they are now. */
static void bind(struct gw_access *a)
{
	const struct gw_policy *says = &a->policy.says;
	struct gw_grant *g;

	gw_views_release(&a->views);
	a->views = gw_views_hold(a->engine);
	a->grant = bus_xrealloc(a->grant, (says->n * a->views->n + 1) * sizeof(*a->grant));
	g = a->grant;
	for (size_t i = 0; i < says->n; i++)
		for (size_t k = 0; k < a->views->n; k++)
			*g++ = gw_policy_grant(&says->reader[i], a->views->view[k]);
	atomic_fetch_add(&a->generation, 1);
}

void gw_access_bind(void *access)
{
	struct gw_access *a = access;

	pthread_rwlock_wrlock(&a->lock);
	bind(a);
	pthread_rwlock_unlock(&a->lock);
}

enum bus_err gw_access_reload(struct gw_access *a, struct bus_error *err)
{
	struct gw_views *views = gw_views_hold(a->engine);
	struct policy fresh = { .says.kept = &a->rows }, old;
	enum bus_err rc;

	rc = keys_load(a->keys_path, &fresh, err);
	if (rc == BUS_OK)
		rc = gw_policy_load(a->policy_path, views, &fresh.says, err);
	gw_views_release(&views);
	if (rc != BUS_OK) {
		policy_release(&fresh);
		return rc;
	}
	pthread_rwlock_wrlock(&a->lock);
	old = a->policy;
	a->policy = fresh;
	for (size_t i = 0; i < fresh.says.n; i++)
		if (fresh.says.reader[i].quota.requests)
			fresh.says.reader[i].meter = gw_meter_of(&a->meters, fresh.says.reader[i].name);
	bind(a);
	pthread_rwlock_unlock(&a->lock);
	policy_release(&old);
	return BUS_OK;
}

enum bus_err gw_access_open(struct gw_engine *e, const char *policy_path, const char *keys_path,
			    struct gw_access **out, struct bus_error *err)
{
	struct gw_access *a = bus_xcalloc(1, sizeof(*a));
	enum bus_err rc;

	a->engine = e;
	a->policy_path = bus_xstrdup(policy_path);
	a->keys_path = bus_xstrdup(keys_path);
	pthread_rwlock_init(&a->lock, NULL);
	if ((rc = gw_access_reload(a, err)))
		gw_access_close(&a);
	*out = a;
	return rc;
}

void gw_access_close(struct gw_access **a)
{
	if (!*a)
		return;
	policy_release(&(*a)->policy);
	gw_views_release(&(*a)->views);
	free((*a)->grant);
	gw_grant_rows_free(&(*a)->rows);
	gw_meters_free(&(*a)->meters);
	pthread_rwlock_destroy(&(*a)->lock);
	free((*a)->policy_path);
	free((*a)->keys_path);
	free(*a);
	*a = NULL;
}

enum bus_err gw_access_reader(struct gw_access *a, const char *key, char *name)
{
	uint8_t digest[BUS_SHA256_LEN];
	enum bus_err rc = BUS_EDENIED;

	if (strlen(key) != GW_KEY_LEN)
		return BUS_EDENIED;
	bus_sha256(key, GW_KEY_LEN, digest);
	pthread_rwlock_rdlock(&a->lock);
	for (size_t i = 0; i < a->policy.n_keys && rc; i++) {
		const struct key *k = &a->policy.key[i];

		if (memcmp(k->id, key + 3, ID_LEN) == 0 && bus_equal_secret(k->digest, digest, sizeof(digest))) {
			memcpy(name, k->name, sizeof(k->name));
			rc = BUS_OK;
		}
	}
	pthread_rwlock_unlock(&a->lock);
	return rc;
}

bool gw_access_basic(const char *authorization, char key[GW_KEY_LEN + 1])
{
	struct bus_buf both = { 0 };
	const char *text, *colon;
	bool good = false;

	if (strncasecmp(authorization, "Basic ", 6) != 0)
		return false;
	for (text = authorization + 6; *text == ' '; text++)
		;
	if (strlen(text) <= BASIC_MAX && bus_base64_parse(bus_str(text), &both)) {
		colon = both.n > 0 ? memchr(both.p, ':', both.n) : NULL;
		good = colon && both.p + both.n - colon - 1 == GW_KEY_LEN && !memchr(colon, 0, GW_KEY_LEN + 1);
		if (good)
			snprintf(key, GW_KEY_LEN + 1, "%.*s", GW_KEY_LEN, colon + 1);
	}
	if (both.n > 0)
		explicit_bzero(both.p, both.n);
	bus_buf_release(&both);
	return good;
}

void gw_access_key_id(const char *key, char id[ID_LEN + 1])
{
	snprintf(id, ID_LEN + 1, "%s", strlen(key) == GW_KEY_LEN ? key + 3 : "");
}

bool gw_access_signing(struct gw_access *a, const char *reader, struct gw_signing *out)
{
	const struct gw_policy_reader *r;

	pthread_rwlock_rdlock(&a->lock);
	r = gw_policy_reader(&a->policy.says, reader);
	if (r)
		*out = r->signing;
	pthread_rwlock_unlock(&a->lock);
	return r != NULL;
}

bool gw_access_key_known(struct gw_access *a, const char *reader, const char *id)
{
	struct gw_signing signing;
	bool known = strcmp(id, GW_KEY_ID_SIGNED) == 0 && gw_access_signing(a, reader, &signing) && signing.n > 0;

	pthread_rwlock_rdlock(&a->lock);
	for (size_t i = 0; i < a->policy.n_keys && !known; i++)
		known = strcmp(a->policy.key[i].id, id) == 0 && strcmp(a->policy.key[i].name, reader) == 0;
	pthread_rwlock_unlock(&a->lock);
	return known;
}

struct gw_grant gw_access_grant(struct gw_access *a, const char *reader, const struct gw_view *v)
{
	const struct gw_policy *says = &a->policy.says;
	const struct gw_policy_reader *r;
	struct gw_grant g = { 0 };
	size_t k;

	pthread_rwlock_rdlock(&a->lock);
	r = gw_policy_reader(says, reader);
	for (k = 0; r && k < a->views->n && a->views->view[k] != v; k++)
		;
	if (r && k < a->views->n)
		g = a->grant[(size_t)(r - says->reader) * a->views->n + k];
	else if (r) /* of another set than the one bound: held from before, or newer by a moment */
		g = gw_policy_grant(r, v);
	pthread_rwlock_unlock(&a->lock);
	return g;
}

static struct gw_rights rights_of(struct gw_access *a, const char *reader)
{
	const struct gw_policy_reader *r;
	struct gw_rights may = { 0 };

	pthread_rwlock_rdlock(&a->lock);
	r = gw_policy_reader(&a->policy.says, reader);
	if (r)
		may = (struct gw_rights){ .status = r->status, .define = r->define, .streams = (int)r->streams };
	pthread_rwlock_unlock(&a->lock);
	return may;
}

bool gw_access_quota(struct gw_access *a, const char *reader, struct gw_quota_left *left)
{
	const struct gw_policy_reader *r;
	bool limited;

	pthread_rwlock_rdlock(&a->lock);
	r = gw_policy_reader(&a->policy.says, reader);
	limited = r && r->meter;
	if (limited)
		*left = gw_quota_take(r->meter, r->quota, bus_clock_mono_ms());
	pthread_rwlock_unlock(&a->lock);
	return limited;
}

bool gw_access_status(struct gw_access *a, const char *reader)
{
	return rights_of(a, reader).status;
}

static bool materialised(struct gw_engine *e, const char *topic)
{
	struct gw_topic_state state[TOPICS_MAX];
	size_t n = gw_topics(e, state, TOPICS_MAX);

	for (size_t i = 0; i < n; i++)
		if (strcmp(state[i].topic, topic) == 0)
			return true;
	return false;
}

bool gw_access_topic(struct gw_access *a, const char *reader, const char *topic, const char *const **clear,
		     size_t *n)
{
	bool own = materialised(a->engine, topic);
	const struct gw_policy_reader *r;
	const struct gw_topic_rule *rule;

	*clear = NULL;
	*n = 0;
	pthread_rwlock_rdlock(&a->lock);
	r = gw_policy_reader(&a->policy.says, reader);
	rule = r ? gw_policy_topic(r, topic, own) : NULL;
	if (rule && rule->says) {
		*clear = rule->says->part[0].value;
		*n = rule->says->part[0].n;
	}
	pthread_rwlock_unlock(&a->lock);
	return rule != NULL;
}

bool gw_access_publish(struct gw_access *a, const char *reader, const char *topic, bool *bytes)
{
	const struct gw_policy_reader *r;
	bool may = false;

	if (bytes)
		*bytes = false;

	pthread_rwlock_rdlock(&a->lock);
	r = gw_policy_reader(&a->policy.says, reader);
	for (size_t i = 0; r && i < r->n_publish && !may; i++) {
		may = strcmp(r->publish[i].topic, topic) == 0;
		if (may && bytes)
			*bytes = r->publish[i].bytes;
	}
	pthread_rwlock_unlock(&a->lock);
	return may;
}

bool gw_access_group(struct gw_access *a, const char *reader, const char *group)
{
	const struct gw_policy_reader *r;
	bool yes;

	pthread_rwlock_rdlock(&a->lock);
	r = gw_policy_reader(&a->policy.says, reader);
	yes = r && gw_policy_group(&a->policy.says, r, group);
	pthread_rwlock_unlock(&a->lock);
	return yes;
}

int gw_access_streams(struct gw_access *a, const char *reader)
{
	return rights_of(a, reader).streams;
}

uint64_t gw_access_generation(struct gw_access *a)
{
	return atomic_load(&a->generation);
}

bool gw_access_define(struct gw_access *a, const char *reader)
{
	return rights_of(a, reader).define;
}

void gw_access_each(struct gw_access *a, gw_access_fn fn, void *ctx)
{
	pthread_rwlock_rdlock(&a->lock);
	for (size_t i = 0; i < a->policy.says.n; i++) {
		const char *name = a->policy.says.reader[i].name;
		size_t keys = 0;

		for (size_t k = 0; k < a->policy.n_keys; k++)
			keys += strcmp(a->policy.key[k].name, name) == 0;
		fn(ctx, name, keys, a->views, &a->grant[i * a->views->n]);
	}
	pthread_rwlock_unlock(&a->lock);
}
