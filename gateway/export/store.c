#include "gateway/export/store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/base64.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/engine/engine.h"
#include "gateway/engine/group.h"
#include "gateway/export/range.h"

#define FRESH_MS 60000 /* who begins to fetch gets one that is no older */
#define KEEP_MS 600000 /* after the last request */
#define ID_LEN 16
#define ASKED_MAX 4096 /* questions remembered: more than can be asked while one is good */

enum state { NONE, MAKING, DONE, FAILED };

struct gw_store_copy {
	struct gw_api *api;
	char *path, *url;
	uint8_t key[BUS_KEY_LEN];
	pthread_mutex_t lock; /* guards what follows */
	enum state state;
	pthread_t thread;
	bool started; /* thread is to be joined */
	int fd;
	int64_t bytes, made_ms, asked_ms; /* monotonic */
	uint8_t digest[BUS_SHA256_LEN];
	char id[ID_LEN + 1];
	struct {
		uint8_t nonce[GW_GROUP_NONCE_LEN];
		int64_t at_ms; /* monotonic; 0: free */
	} asked[ASKED_MAX];
};

struct gw_store_copy *gw_store_copy_new(struct gw_api *api, const char *db_path, const char *url,
					const uint8_t key[BUS_KEY_LEN])
{
	struct gw_store_copy *c = bus_xcalloc(1, sizeof(*c));

	c->api = api;
	c->path = bus_xasprintf("%s.give", db_path);
	c->url = bus_xstrdup(url);
	memcpy(c->key, key, sizeof(c->key));
	c->fd = -1;
	pthread_mutex_init(&c->lock, NULL);
	unlink(c->path); /* of an earlier life */
	return c;
}

static void forget(struct gw_store_copy *c)
{
	if (c->started)
		pthread_join(c->thread, NULL);
	c->started = false;
	if (c->fd >= 0)
		close(c->fd); /* who is fetching it has it open */
	c->fd = -1;
	c->state = NONE;
}

void gw_store_copy_free(struct gw_store_copy **copy)
{
	struct gw_store_copy *c = *copy;

	if (!c)
		return;
	forget(c);
	pthread_mutex_destroy(&c->lock);
	explicit_bzero(c->key, sizeof(c->key));
	free(c->path);
	free(c->url);
	free(c);
	*copy = NULL;
}

void gw_store_copy_tick(struct gw_store_copy *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	if ((c->state == DONE || c->state == FAILED) && bus_clock_mono_ms() - c->asked_ms > KEEP_MS)
		forget(c);
	pthread_mutex_unlock(&c->lock);
}

static enum bus_err digest_of(int fd, uint8_t out[BUS_SHA256_LEN], int64_t *bytes, struct bus_error *err)
{
	struct bus_sha256_stream *sum = bus_sha256_new();
	char *piece = bus_xmalloc(1 << 18);
	ssize_t n;

	*bytes = 0;
	while ((n = pread(fd, piece, 1 << 18, *bytes)) > 0 || (n < 0 && errno == EINTR)) {
		bus_sha256_add(sum, piece, n > 0 ? (size_t)n : 0);
		*bytes += n > 0 ? n : 0;
	}
	bus_sha256_end(&sum, out);
	free(piece);
	return n == 0 ? BUS_OK : bus_fail(err, BUS_EIO, "cannot read the copy: %m");
}

static void *make(void *ctx)
{
	struct gw_store_copy *c = ctx;
	uint8_t chance[ID_LEN / 2], digest[BUS_SHA256_LEN];
	int64_t bytes = 0, begin = bus_clock_mono_ms();
	struct bus_error err = { 0 };
	int fd = -1;
	enum bus_err rc;

	rc = gw_engine_save(c->api->engine, c->path, &err);
	if (rc == BUS_OK) {
		fd = open(c->path, O_RDONLY | O_CLOEXEC);
		rc = fd >= 0 ? digest_of(fd, digest, &bytes, &err)
			     : bus_fail(&err, BUS_EIO, "cannot open the copy: %m");
	}
	unlink(c->path); /* from here on it is the descriptor's alone: a crash leaves nothing */
	bus_random(chance, sizeof(chance));
	pthread_mutex_lock(&c->lock);
	c->state = rc == BUS_OK ? DONE : FAILED;
	c->fd = fd;
	c->bytes = bytes;
	c->made_ms = bus_clock_mono_ms();
	memcpy(c->digest, digest, sizeof(digest));
	bus_hex(chance, sizeof(chance), c->id);
	pthread_mutex_unlock(&c->lock);
	if (rc == BUS_OK)
		bus_log(BUS_LOG_AUDIT, "group.copy_made", LOG_INT("bytes", bytes),
			LOG_INT("ms", c->made_ms - begin));
	else
		bus_log(BUS_LOG_ERROR, "group.copy_made", LOG_ERR(&err));
	return NULL;
}

/* Under the lock. Made by us first, for its mode: it holds the city in clear. */
static void begin(struct gw_store_copy *c)
{
	int fd;

	forget(c);
	unlink(c->path);
	fd = open(c->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
	c->state = MAKING;
	c->started = pthread_create(&c->thread, NULL, make, c) == 0;
	if (!c->started)
		c->state = FAILED;
}

/* Whether it is a new one; it is remembered for as long as its signature is good. Under the lock. */
static bool is_new(struct gw_store_copy *c, const uint8_t nonce[GW_GROUP_NONCE_LEN], int64_t now)
{
	size_t room = ASKED_MAX;

	for (size_t i = 0; i < ASKED_MAX; i++) {
		bool old = c->asked[i].at_ms == 0 || now - c->asked[i].at_ms > 2 * GW_GROUP_CLOCKS_MS;

		if (!old && memcmp(c->asked[i].nonce, nonce, GW_GROUP_NONCE_LEN) == 0)
			return false;
		if (old)
			room = i;
	}
	if (room == ASKED_MAX)
		return false;
	memcpy(c->asked[room].nonce, nonce, GW_GROUP_NONCE_LEN);
	c->asked[room].at_ms = now;
	return true;
}

static void answer(struct gw_store_copy *c, struct bus_http_request *req,
		   const uint8_t nonce[GW_GROUP_NONCE_LEN])
{
	const char *range = bus_http_header(req, "Range"), *if_range = bus_http_header(req, "If-Range");
	int64_t from = 0, n = c->bytes;
	struct bus_buf b = { 0 }, seal = { 0 };
	char text[80];
	int status = 200, fd;

	bus_buf_printf(&b, "\"%s\"", c->id);
	bus_http_set(req, "ETag", bus_buf_cstr(&b));
	if (if_range && strcmp(if_range, bus_buf_cstr(&b)) != 0)
		range = NULL;
	bus_buf_reset(&b);
	bus_buf_puts(&b, "sha-256=:");
	bus_base64_put((struct bus_str){ (const char *)c->digest, sizeof(c->digest) }, &b);
	bus_buf_putc(&b, ':');
	bus_http_set(req, "Repr-Digest", bus_buf_cstr(&b));
	gw_group_copy_seal(c->key, nonce, bus_buf_cstr(&b), c->bytes, &seal);
	bus_http_set(req, GW_GROUP_SEAL_HEADER, bus_buf_cstr(&seal));
	bus_http_set(req, "Accept-Ranges", "bytes");
	bus_buf_release(&b);
	bus_buf_release(&seal);
	switch (gw_range_of(range, c->bytes, &from, &n)) {
	case GW_RANGE_OUTSIDE:
		snprintf(text, sizeof(text), "bytes */%" PRId64, c->bytes);
		bus_http_set(req, "Content-Range", text);
		gw_problem(req, "range-invalid", NULL, NULL);
		return;
	case GW_RANGE_PART:
		status = 206;
		snprintf(text, sizeof(text), "bytes %" PRId64 "-%" PRId64 "/%" PRId64, from, from + n - 1,
			 c->bytes);
		bus_http_set(req, "Content-Range", text);
		break;
	case GW_RANGE_WHOLE:
		break;
	}
	fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		gw_problem(req, "unavailable", NULL, NULL);
	else
		bus_http_file(req, status, "application/vnd.sqlite3", fd, from, n);
}

void gw_store_copy_get(void *ctx, struct bus_http_request *req)
{
	struct gw_api *api = ctx;
	struct gw_store_copy *c = api->copy;
	struct bus_buf none = { 0 };
	uint8_t nonce[GW_GROUP_NONCE_LEN];
	int64_t now = bus_clock_mono_ms();

	if (!c ||
	    !gw_group_signed(c->key, c->url, bus_clock_ms(), bus_http_header(req, "Authorization"), nonce)) {
		gw_problem(req, "key-unknown", NULL, NULL);
		return;
	}
	if (!gw_caught_up(api->engine)) {
		gw_problem(req, "not-ready", NULL, NULL);
		return;
	}
	pthread_mutex_lock(&c->lock);
	c->asked_ms = now;
	if (c->state == NONE || c->state == FAILED ||
	    (c->state == DONE && !bus_http_header(req, "Range") && now - c->made_ms > FRESH_MS))
		begin(c);
	if (c->state == DONE) {
		if (is_new(c, nonce, now))
			answer(c, req, nonce);
		else
			gw_problem(req, "key-unknown", NULL, NULL);
	} else if (c->state == FAILED) {
		gw_problem(req, "unavailable", NULL, NULL);
	} else {
		bus_http_set(req, "Retry-After", "1");
		bus_http_reply(req, 202, NULL, &none);
	}
	pthread_mutex_unlock(&c->lock);
}
