/* Another gateway's store, fetched and taken over. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "bus/base64.h"
#include "bus/client.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/engine/group_impl.h"

#define LISTEN_MS 2000			  /* for others' beats */
#define ALONE_MS 15000			  /* nobody has been heard: one that may begins anew */
#define MAKING_MS 500			  /* between two questions while the other makes its copy */
#define MAKING_MAX 7200			  /* of them, one after the other */
#define SPARE ((int64_t)64 * 1024 * 1024) /* of the disk, beside the copy */
#define CALL_MS 600000
#define TRIES 100 /* a connection that breaks goes on where it broke */

/* --- fetching ------------------------------------------------------------------------------------------ */

struct fetch {
	struct gw_group *g;
	int fd;
	int64_t at;
	bool ranged;				 /* the request asks for what comes after `at` */
	uint8_t nonce[GW_GROUP_NONCE_LEN];	 /* of the request */
	struct bus_client_header *digest, *seal; /* of its answer */
	bool checked;				 /* they are the group's */
	int64_t bytes;				 /* of the whole, as they say */
	char whole[128];			 /* the digest of the first answer */
	struct bus_sha256_stream *sum;
};

static bool go_on(void *ctx)
{
	return !*((struct fetch *)ctx)->g->stop;
}

/* Before its first byte is kept: the answer is of who has the group's key, of the same copy as before, and fits. */
static enum bus_err check_answer(struct fetch *f, struct bus_error *err)
{
	struct statvfs disk;
	int64_t bytes;

	if (!gw_group_copy_sealed(f->g->conf.key, f->nonce, f->digest->value, f->seal->value, &bytes))
		return bus_fail(err, BUS_EDENIED, "the answer is not of a gateway of this group");
	if (f->at > 0 && (bytes != f->bytes || strcmp(f->whole, f->digest->value) != 0))
		return bus_fail(err, BUS_ECONFLICT, "the other gateway begins its copy again");
	if (f->at == 0 &&
	    (fstatvfs(f->fd, &disk) != 0 || bytes > (int64_t)disk.f_bavail * (int64_t)disk.f_frsize - SPARE))
		return bus_fail(err, BUS_EFULL, "the copy has %" PRId64 " bytes, for which there is no room",
				bytes);
	f->bytes = bytes;
	memcpy(f->whole, f->digest->value, sizeof(f->whole));
	f->checked = true;
	return BUS_OK;
}

static enum bus_err take(void *ctx, int status, const void *p, size_t n, struct bus_error *err)
{
	struct fetch *f = ctx;
	enum bus_err rc;

	if (status == 202) /* it is being made */
		return BUS_OK;
	if (!f->checked && (rc = check_answer(f, err)) != BUS_OK)
		return rc;
	if (f->ranged && status != 206)
		return bus_fail(err, BUS_ECONFLICT, "the other gateway begins its copy again");
	if ((int64_t)n > f->bytes - f->at)
		return bus_fail(err, BUS_EDATA, "the copy is longer than the other gateway said");
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
static enum bus_err ask(struct fetch *f, struct bus_client *client, const char *base, const char *url,
			char tag[128], int *status, struct bus_error *err)
{
	struct bus_client_header want[] = { { .name = "ETag" },
					    { .name = "Repr-Digest" },
					    { .name = GW_GROUP_SEAL_HEADER } };
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

	bus_random(f->nonce, sizeof(f->nonce));
	f->digest = &want[1];
	f->seal = &want[2];
	f->checked = false;
	gw_group_sign(f->g->conf.key, base, bus_clock_ms(), f->nonce, &sign);
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
	char *url = bus_xasprintf("%s%s", base, GW_GROUP_COPY_PATH), tag[128] = "";
	struct fetch f = { .g = g, .fd = -1 };
	struct bus_client *client = NULL;
	uint8_t sum[BUS_SHA256_LEN];
	int status = 202, tries = 0, asked = 0;
	enum bus_err rc;

	unlink(path);
	f.fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	f.sum = bus_sha256_new();
	rc = f.fd >= 0 ? bus_client_open(&conf, &client, err)
		       : bus_fail(err, BUS_EIO, "cannot make '%s': %m", path);
	while (rc == BUS_OK && status == 202) {
		rc = ask(&f, client, base, url, tag, &status, err);
		if (rc != BUS_OK && rc != BUS_ECONFLICT && bus_err_retriable(rc) && f.at > 0 &&
		    ++tries < TRIES) {
			nap(g, MAKING_MS); /* broken off: go on where it broke */
			rc = BUS_OK;
			status = 202;
		} else if (rc == BUS_OK && status == 202) {
			nap(g, MAKING_MS);
			if (++asked == MAKING_MAX)
				rc = bus_fail(err, BUS_ETIMEOUT, "%s does not finish its copy", base);
		}
		if (rc == BUS_OK && *g->stop)
			rc = bus_fail(err, BUS_ESTOPPED, "stopping");
	}
	if (rc == BUS_OK && status != 200 && status != 206)
		rc = bus_fail(err, BUS_ENOENT, "%s answered %d", base, status);
	bus_sha256_end(&f.sum, sum);
	if (rc == BUS_OK && !same_digest(f.whole, sum))
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
	rc = gw_group_log_open(&g->conf.kafka, g->conf.topic, g->key, g->node, g->conf.name, &all, &g->log,
			       err);
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
	rc = gw_group_log_open(&g->conf.kafka, g->conf.topic, g->key, g->node, g->conf.name, &end, &g->log,
			       err);
	gw_group_show(g, GW_GROUP_COPIES);
	gw_group_beat_start(g);
	for (int turn = 0; rc == BUS_OK; turn++) {
		rc = listen(g, LISTEN_MS, err);
		gw_group_show(g, GW_GROUP_COPIES);
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
