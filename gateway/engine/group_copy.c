/* Another gateway's store, fetched and taken over. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/base64.h"
#include "bus/client.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/engine/group_impl.h"

#define LISTEN_MS 2000 /* for others' beats */
#define ALONE_MS 15000 /* nobody has been heard: one that may begins anew */
#define MAKING_MS 500  /* between two questions while the other makes its copy */
#define CALL_MS 600000
#define TRIES 100 /* a connection that breaks goes on where it broke */

/* --- who may ask --------------------------------------------------------------------------------------- */

#define SIGNED_MS 300000 /* clocks may differ by so much */

static void mac_of(const uint8_t key[BUS_KEY_LEN], int64_t ms, char hex[2 * BUS_SHA256_LEN + 1])
{
	uint8_t mac[BUS_SHA256_LEN], own[BUS_SHA256_LEN];
	char text[64];
	int n = snprintf(text, sizeof(text), "GET " GW_GROUP_COPY_PATH " %" PRId64, ms);

	bus_hmac_sha256(key, "group-copy", 10, own);
	bus_hmac_sha256(own, text, (size_t)n, mac);
	bus_hex(mac, sizeof(mac), hex);
}

void gw_group_sign(const uint8_t key[BUS_KEY_LEN], int64_t now_ms, struct bus_buf *out)
{
	char hex[2 * BUS_SHA256_LEN + 1];

	mac_of(key, now_ms, hex);
	bus_buf_printf(out, "Authorization: Titian-Group %" PRId64 ".%s", now_ms, hex);
}

bool gw_group_signed(const uint8_t key[BUS_KEY_LEN], int64_t now_ms, const char *authorization)
{
	static const char scheme[] = "Titian-Group ";
	char hex[2 * BUS_SHA256_LEN + 1], *dot;
	int64_t ms;

	if (!authorization || strncmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return false;
	authorization += sizeof(scheme) - 1;
	if (strspn(authorization, "0123456789") > 15)
		return false;
	ms = strtoll(authorization, &dot, 10);
	if (*dot != '.' || ms < now_ms - SIGNED_MS || ms > now_ms + SIGNED_MS)
		return false;
	mac_of(key, ms, hex);
	return strlen(dot + 1) == sizeof(hex) - 1 && bus_equal_secret(dot + 1, hex, sizeof(hex) - 1);
}

/* --- fetching ------------------------------------------------------------------------------------------ */

struct fetch {
	struct gw_group *g;
	int fd;
	int64_t at;
	bool ranged; /* the request asks for what comes after `at` */
	struct bus_sha256_stream *sum;
};

static bool go_on(void *ctx)
{
	return !*((struct fetch *)ctx)->g->stop;
}

static enum bus_err take(void *ctx, int status, const void *p, size_t n, struct bus_error *err)
{
	struct fetch *f = ctx;

	if (status == 202) /* it is being made */
		return BUS_OK;
	if (f->ranged && status != 206)
		return bus_fail(err, BUS_ECONFLICT, "the other gateway begins its copy again");
	if (write(f->fd, p, n) != (ssize_t)n)
		return bus_fail(err, errno == ENOSPC ? BUS_EFULL : BUS_EIO, "cannot write the copy: %m");
	bus_sha256_add(f->sum, p, n);
	f->at += (int64_t)n;
	return BUS_OK;
}

static bool same_digest(const char *header, const uint8_t digest[BUS_SHA256_LEN])
{
	struct bus_buf b = { 0 };
	bool same;

	bus_buf_puts(&b, "sha-256=:");
	bus_base64_put((struct bus_str){ (const char *)digest, BUS_SHA256_LEN }, &b);
	bus_buf_putc(&b, ':');
	same = strcmp(bus_buf_cstr(&b), header) == 0;
	bus_buf_release(&b);
	return same;
}

/* One request, from f->at on. *status 202: ask again. tag: of the copy, "" at first. */
static enum bus_err ask(struct fetch *f, struct bus_client *client, const char *url, char tag[128],
			char digest[128], int *status, struct bus_error *err)
{
	struct bus_client_header want[] = { { .name = "ETag" }, { .name = "Repr-Digest" } };
	struct bus_buf sign = { 0 }, range = { 0 }, match = { 0 }, answer = { 0 };
	const char *header[] = { NULL, NULL, NULL, NULL };
	struct bus_client_call call = { .method = "GET",
					.url = url,
					.header = header,
					.timeout_ms = CALL_MS,
					.go_on = go_on,
					.ctx = f,
					.want = want,
					.n_want = BUS_LEN(want),
					.take = take,
					.take_ctx = f };
	enum bus_err rc;

	gw_group_sign(f->g->conf.key, bus_clock_ms(), &sign);
	header[0] = bus_buf_cstr(&sign);
	f->ranged = f->at > 0;
	if (f->ranged) {
		bus_buf_printf(&range, "Range: bytes=%" PRId64 "-", f->at);
		bus_buf_printf(&match, "If-Range: %s", tag);
		header[1] = bus_buf_cstr(&range);
		header[2] = bus_buf_cstr(&match);
	}
	rc = bus_client_call(client, &call, status, &answer, err);
	if (want[0].value[0])
		memcpy(tag, want[0].value, sizeof(want[0].value));
	if (want[1].value[0])
		memcpy(digest, want[1].value, sizeof(want[1].value));
	bus_buf_release(&sign);
	bus_buf_release(&range);
	bus_buf_release(&match);
	bus_buf_release(&answer);
	return rc;
}

static void nap(struct gw_group *g, int ms)
{
	for (int i = 0; i < ms && !*g->stop; i += 20)
		usleep(20000);
}

static enum bus_err fetch(struct gw_group *g, const char *base, const char *path, struct bus_error *err)
{
	const struct bus_client_conf conf = { .insecure = true }; /* the secret is not in it */
	char *url = bus_xasprintf("%s%s", base, GW_GROUP_COPY_PATH), tag[128] = "", digest[128] = "";
	struct fetch f = { .g = g, .fd = -1 };
	struct bus_client *client = NULL;
	uint8_t sum[BUS_SHA256_LEN];
	int status = 202, tries = 0;
	enum bus_err rc;

	unlink(path);
	f.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	f.sum = bus_sha256_new();
	rc = f.fd >= 0 ? bus_client_open(&conf, &client, err)
		       : bus_fail(err, BUS_EIO, "cannot make '%s': %m", path);
	while (rc == BUS_OK && status == 202) {
		rc = ask(&f, client, url, tag, digest, &status, err);
		if (rc != BUS_OK && rc != BUS_ECONFLICT && bus_err_retriable(rc) && f.at > 0 &&
		    ++tries < TRIES) {
			nap(g, MAKING_MS); /* broken off: go on where it broke */
			rc = BUS_OK;
			status = 202;
		} else if (rc == BUS_OK && status == 202) {
			nap(g, MAKING_MS);
		}
		if (rc == BUS_OK && *g->stop)
			rc = bus_fail(err, BUS_ESTOPPED, "stopping");
	}
	if (rc == BUS_OK && status != 200 && status != 206)
		rc = bus_fail(err, BUS_ENOENT, "%s answered %d", base, status);
	bus_sha256_end(&f.sum, sum);
	if (rc == BUS_OK && !same_digest(digest, sum))
		rc = bus_fail(err, BUS_EDATA, "the copy from %s is not what it should be (SHA-256)", base);
	if (f.fd >= 0)
		close(f.fd);
	bus_client_close(&client);
	free(url);
	return rc;
}

/* --- whom to ask --------------------------------------------------------------------------------------- */

/* One that only follows is asked first: it has more time. */
static bool choose(struct gw_group *g, char url[GW_GROUP_URL_MAX], int turn)
{
	struct gw_group_member m[GW_GROUP_MEMBERS_MAX];
	int64_t newest;
	size_t n = gw_group_members(g->e, m, &newest), fit = 0;

	for (int follows = 1; follows >= 0; follows--) {
		for (size_t i = 0; i < n; i++) {
			if (m[i].here || !m[i].url[0] || !m[i].ready || m[i].fault ||
			    m[i].role != (follows ? GW_GROUP_FOLLOWS : GW_GROUP_LEADS))
				continue;
			if (fit++ == (size_t)turn)
				memcpy(url, m[i].url, sizeof(m[i].url));
		}
	}
	if (fit > 0 && (size_t)turn >= fit)
		return choose(g, url, turn % (int)fit);
	return fit > 0;
}

static enum bus_err listen(struct gw_group *g, int64_t ms, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + ms;
	enum bus_err rc = BUS_OK;

	while (rc == BUS_OK && bus_clock_mono_ms() < until && !*g->stop) {
		rc = gw_group_log_next(g->log, 100, &g->record, err);
		if (rc == BUS_OK)
			gw_group_heard(g, &g->record);
		else if (rc == BUS_ETIMEOUT)
			rc = BUS_OK;
	}
	return rc;
}

/* Everything that was told is lost but its numbers: they are not given again. */
static enum bus_err begin_anew(struct gw_group *g, struct bus_error *err)
{
	const struct gw_group_place all = { .offset = GW_GROUP_ALL };
	enum bus_err rc;

	bus_log(BUS_LOG_WARN, "group.anew",
		LOG_STR("why", "group.anew is set, and no other gateway was heard of"));
	gw_group_close(g);
	rc = gw_group_log_open(&g->conf.kafka, g->conf.topic, g->key, &all, &g->log, err);
	while (rc == BUS_OK && !*g->stop && !gw_group_log_at_end(g->log))
		rc = listen(g, 100, err);
	if (rc != BUS_OK || *g->stop)
		return rc;
	gw_group_log_trust(g->log);
	gw_group_wipe(g);
	return gw_core_wipe(g->e, err);
}

enum bus_err gw_group_copy(struct gw_group *g, struct bus_error *err)
{
	const struct gw_group_place end = { .offset = GW_GROUP_END };
	char *path = bus_xasprintf("%s.copy", g->e->db_path), url[GW_GROUP_URL_MAX];
	int64_t begin = bus_clock_mono_ms();
	enum bus_err rc;

	atomic_store(&g->e->caught_up, false);
	gw_group_close(g);
	rc = gw_group_log_open(&g->conf.kafka, g->conf.topic, g->key, &end, &g->log, err);
	gw_group_show(g, GW_GROUP_COPIES);
	gw_group_beat_start(g);
	for (int turn = 0; rc == BUS_OK; turn++) {
		rc = listen(g, LISTEN_MS, err);
		if (rc == BUS_OK && *g->stop)
			rc = bus_fail(err, BUS_ESTOPPED, "stopping");
		if (rc != BUS_OK)
			break;
		if (!choose(g, url, turn)) {
			if (g->conf.anew && bus_clock_mono_ms() - begin > ALONE_MS) {
				rc = begin_anew(g, err);
				break;
			}
			bus_log(BUS_LOG_WARN, "group.alone",
				LOG_STR("why", "no other gateway with a store is heard of"));
			continue;
		}
		bus_log(BUS_LOG_INFO, "group.copying", LOG_STR("from", &url[0]));
		rc = fetch(g, url, path, err);
		if (rc == BUS_OK) {
			rc = gw_core_adopt(g->e, path, err);
			break;
		}
		if (rc != BUS_ESTOPPED && rc != BUS_EFULL) {
			bus_log(BUS_LOG_WARN, "group.copy_failed", LOG_ERR(err));
			rc = BUS_OK;
		}
	}
	unlink(path);
	free(path);
	gw_group_close(g);
	return rc;
}
