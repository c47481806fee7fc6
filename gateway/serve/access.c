#include "gateway/serve/access.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/yaml.h"
#include "bus/base64url.h"

#define ID_LEN 8
#define SECRET_LEN 43 /* 32 bytes in base64url */
#define KEY_LEN (3 + ID_LEN + 1 + SECRET_LEN)
#define KEYS_MAX 10000

struct key {
	char name[GW_READER_NAME_MAX];
	char id[ID_LEN + 1];
	uint8_t digest[BUS_SHA256_LEN];
};

struct reader {
	char name[GW_READER_NAME_MAX];
	bool status;
	struct gw_grant *grant; /* one per view, in the engine's order */
};

struct policy { /* what the two files say; replaced whole */
	struct key *key;
	size_t n_keys;
	struct reader *reader;
	size_t n_readers;
};

struct gw_access {
	struct gw_engine *engine;
	char *policy_path, *keys_path;
	pthread_rwlock_t lock;
	struct policy policy; /* lock */
};

static void policy_release(struct policy *p)
{
	for (size_t i = 0; i < p->n_readers; i++)
		free(p->reader[i].grant);
	free(p->reader);
	free(p->key);
	*p = (struct policy){ 0 };
}

/* --- keys ------------------------------------------------------------------------------------------- */

static bool name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n >= GW_READER_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return false;
	return true;
}

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
		if (p->n_keys == KEYS_MAX || sscanf(line, "%63s %8s %64s", name, id, hex) != 3 || !name_ok(name) ||
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

	if (!name_ok(name))
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

/* --- policy ----------------------------------------------------------------------------------------- */

/* The names of a list as column bits; "*" is every column. */
static enum bus_err columns_read(struct bus_yaml *y, struct bus_yaml_node *list, const struct gw_view *v,
				 uint64_t *bits, struct bus_error *err)
{
	const char *known[GW_COLUMNS_MAX];
	const char *near;

	if (list->kind != BUS_YAML_LIST)
		return bus_yaml_fail(y, list, err, "a list of column names is needed, like [nik, nama]");
	*bits = 0;
	for (struct bus_yaml_node *item = list->first; item; item = item->next) {
		int column;

		if (item->kind != BUS_YAML_SCALAR)
			return bus_yaml_fail(y, item, err, "a column's name is needed");
		if (strcmp(item->text, "*") == 0) {
			*bits = UINT64_MAX;
			continue;
		}
		column = gw_view_column(v, item->text);
		if (column >= 0) {
			*bits |= UINT64_C(1) << column;
			continue;
		}
		for (size_t i = 0; i < v->n_columns; i++)
			known[i] = v->column[i].name;
		near = bus_nearest(item->text, known, v->n_columns);
		return bus_yaml_fail(y, item, err, "view '%s' has no column '%s'%s%s%s", v->name, item->text,
				     near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	return BUS_OK;
}

static bool personal(char pdp)
{
	return pdp == 'U' || pdp == 'S' || pdp == 'A';
}

static enum bus_err grant_read(struct bus_yaml *y, struct bus_yaml_node *node, const struct gw_view *v,
			       struct gw_grant *out, struct bus_error *err)
{
	struct gw_grant g = { .allowed = true, .shown = UINT64_MAX };
	struct bus_yaml_node *list;
	enum bus_err rc;

	if (node->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, node, err, "'%s' needs a map, like {clear: [nama]} or {}", v->name);
	list = bus_yaml_get(node, "columns");
	if (list && (rc = columns_read(y, list, v, &g.shown, err)))
		return rc;
	list = bus_yaml_get(node, "clear");
	if (list && (rc = columns_read(y, list, v, &g.clear, err)))
		return rc;
	if ((rc = bus_yaml_no_more(y, node, err)))
		return rc;
	g.shown |= UINT64_C(1) << v->key; /* pages and feeds go by the key */
	for (size_t i = 0; i < v->n_columns; i++)
		if (!personal(v->column[i].pdp))
			g.clear |= UINT64_C(1) << i;
	*out = g;
	return BUS_OK;
}

static enum bus_err views_read(struct gw_engine *e, struct bus_yaml *y, struct bus_yaml_node *views,
			       struct reader *r, struct bus_error *err)
{
	size_t n = gw_view_count(e);
	enum bus_err rc;

	if (views->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, views, err, "'views' needs a map from view to grant");
	for (struct bus_yaml_node *node = views->first; node; node = node->next) {
		bool all = strcmp(node->key, "*") == 0, found = all;

		bus_yaml_get(views, node->key);
		for (size_t i = 0; i < n; i++) {
			const struct gw_view *v = gw_view_at(e, i);

			if (v->internal || (!all && strcmp(v->name, node->key) != 0))
				continue;
			found = true;
			if ((rc = grant_read(y, node, v, &r->grant[i], err)))
				return rc;
		}
		if (!found)
			return bus_yaml_fail(y, node, err, "no view is called '%s'", node->key);
	}
	return BUS_OK;
}

static enum bus_err reader_read(struct gw_engine *e, struct bus_yaml *y, struct bus_yaml_node *node,
				struct reader *r, struct bus_error *err)
{
	struct bus_yaml_node *views;
	enum bus_err rc;

	if (!name_ok(node->key) || node->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, node, err, "a reader is a name (letters, digits, '-', '_', '.') and a map");
	snprintf(r->name, sizeof(r->name), "%s", node->key);
	r->grant = bus_xcalloc(gw_view_count(e) + 1, sizeof(*r->grant));
	if ((rc = bus_yaml_bool(y, node, "status", false, &r->status, err)))
		return rc;
	views = bus_yaml_get(node, "views");
	if (views && (rc = views_read(e, y, views, r, err)))
		return rc;
	return bus_yaml_no_more(y, node, err);
}

static enum bus_err policy_load(struct gw_engine *e, const char *path, struct policy *p, struct bus_error *err)
{
	struct bus_yaml_node *readers;
	struct bus_yaml *y = NULL;
	enum bus_err rc;

	if ((rc = bus_yaml_load(path, &y, err)))
		return rc;
	readers = bus_yaml_get(bus_yaml_root(y), "readers");
	if (!readers || readers->kind != BUS_YAML_MAP) {
		rc = bus_yaml_fail(y, bus_yaml_root(y), err, "'readers' is missing: a map from reader to grants");
		goto out;
	}
	if ((rc = bus_yaml_no_more(y, bus_yaml_root(y), err)))
		goto out;
	p->reader = bus_xcalloc(bus_yaml_count(readers) + 1, sizeof(*p->reader));
	for (struct bus_yaml_node *node = readers->first; node; node = node->next)
		if ((rc = reader_read(e, y, node, &p->reader[p->n_readers++], err)))
			goto out;
out:
	bus_yaml_free(&y);
	return rc;
}

/* --- the whole -------------------------------------------------------------------------------------- */

enum bus_err gw_access_reload(struct gw_access *a, struct bus_error *err)
{
	struct policy fresh = { 0 }, old;
	enum bus_err rc;

	if ((rc = keys_load(a->keys_path, &fresh, err)) ||
	    (rc = policy_load(a->engine, a->policy_path, &fresh, err))) {
		policy_release(&fresh);
		return rc;
	}
	pthread_rwlock_wrlock(&a->lock);
	old = a->policy;
	a->policy = fresh;
	pthread_rwlock_unlock(&a->lock);
	policy_release(&old);
	return BUS_OK;
}

enum bus_err gw_access_open(struct gw_engine *e, const char *policy_path, const char *keys_path,
			    struct gw_access **out, struct bus_error *err)
{
	struct gw_access *a = bus_xcalloc(1, sizeof(*a));
	enum bus_err rc;

	for (size_t i = 0; i < gw_view_count(e); i++)
		assert(gw_view_at(e, i)->n_columns <= GW_COLUMNS_MAX);
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

	if (strlen(key) != KEY_LEN)
		return BUS_EDENIED;
	bus_sha256(key, KEY_LEN, digest);
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

static const struct reader *reader_find(const struct gw_access *a, const char *name)
{
	for (size_t i = 0; i < a->policy.n_readers; i++)
		if (strcmp(a->policy.reader[i].name, name) == 0)
			return &a->policy.reader[i];
	return NULL;
}

struct gw_grant gw_access_grant(struct gw_access *a, const char *reader, const struct gw_view *v)
{
	struct gw_grant g = { 0 };
	const struct reader *r;

	pthread_rwlock_rdlock(&a->lock);
	r = reader_find(a, reader);
	for (size_t i = 0; r && i < gw_view_count(a->engine); i++)
		if (gw_view_at(a->engine, i) == v)
			g = r->grant[i];
	pthread_rwlock_unlock(&a->lock);
	return g;
}

bool gw_access_status(struct gw_access *a, const char *reader)
{
	const struct reader *r;
	bool status;

	pthread_rwlock_rdlock(&a->lock);
	r = reader_find(a, reader);
	status = r && r->status;
	pthread_rwlock_unlock(&a->lock);
	return status;
}

void gw_access_each(struct gw_access *a, gw_access_fn fn, void *ctx)
{
	pthread_rwlock_rdlock(&a->lock);
	for (size_t i = 0; i < a->policy.n_readers; i++) {
		const struct reader *r = &a->policy.reader[i];
		size_t keys = 0;

		for (size_t k = 0; k < a->policy.n_keys; k++)
			keys += strcmp(a->policy.key[k].name, r->name) == 0;
		fn(ctx, r->name, keys, r->grant);
	}
	pthread_rwlock_unlock(&a->lock);
}
