/* An export's file: fetched, gone on with after a broken connection, and held against the gateway's digest. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bus/crypto.h"
#include "deploy/ctl/export.h"
#include "deploy/ctl/view.h"

#define TRIES 5 /* after a broken connection, waiting 1, 2, 4, 8 s */

bool ctl_export_go_on(void *ctx)
{
	struct ctl_export_file *x = ctx;

	ctl_progress_silent(&x->progress);
	return true;
}

static enum bus_err take_piece(void *ctx, int status, const void *bytes, size_t n, struct bus_error *err)
{
	struct ctl_export_file *x = ctx;
	const char *p = bytes;

	if (x->rest && status == 200) { /* the whole, instead of the rest that was asked for */
		x->rest = false;
		if (ftruncate(x->fd, 0) != 0 || lseek(x->fd, 0, SEEK_SET) != 0)
			return bus_fail(err, BUS_EIO, "%s: %m", x->part);
		x->at = 0;
	}
	while (n > 0) {
		ssize_t k = write(x->fd, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return bus_fail(err, BUS_EFULL, "%s: %m", x->part);
		p += k;
		n -= (size_t)k;
		x->at += k;
	}
	ctl_progress_at(&x->progress, x->at, x->bytes);
	return BUS_OK;
}

static enum bus_err fetch(struct ctl_export_file *x, int *status, struct bus_error *err)
{
	char *url = bus_xasprintf("%s%s", x->base, x->file), range[60], if_range[60];
	const char *const header[] = { range, if_range, NULL };
	const struct bus_client_call call = { .method = "GET",
					      .url = url,
					      .header = x->at > 0 ? header : NULL,
					      .go_on = ctl_export_go_on,
					      .ctx = x,
					      .take = take_piece,
					      .take_ctx = x };
	enum bus_err rc;

	x->rest = x->at > 0;
	snprintf(range, sizeof(range), "Range: bytes=%" PRId64 "-", x->at);
	snprintf(if_range, sizeof(if_range), "If-Range: \"%s\"", x->id);
	bus_buf_reset(&x->answer);
	rc = bus_client_call(x->client, &call, status, &x->answer, err);
	free(url);
	return rc;
}

enum ctl_exit ctl_export_fetch(struct ctl_export_file *x)
{
	struct timespec pause = { .tv_sec = 1 };
	struct bus_error err = { 0 };
	enum bus_err rc = BUS_OK;
	struct stat st;
	int status = 0;

	x->fd = open(x->part, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0600);
	if (x->fd < 0 || fstat(x->fd, &st) != 0) {
		ctl_complain("%s: %s", x->part, strerror(errno));
		return CTL_FAILED;
	}
	x->at = st.st_size <= x->bytes ? st.st_size : 0;
	if (x->at == 0 && ftruncate(x->fd, 0) != 0)
		return CTL_FAILED;
	ctl_progress_begin(&x->progress, ctl_say("fetching", "mengunduh"), "B", x->at);
	for (int i = 0; i < TRIES && x->at < x->bytes; i++) {
		rc = fetch(x, &status, &err);
		if (rc != BUS_OK && rc != BUS_EIO && rc != BUS_ETIMEOUT)
			return ctl_fail(&err, true);
		if (rc == BUS_OK && status / 100 != 2) {
			struct bus_json *problem = NULL;

			bus_arena_reset(x->arena);
			if (bus_json_parse(bus_buf_str(&x->answer), NULL, x->arena, &problem, NULL) != BUS_OK)
				problem = NULL;
			return ctl_gateway_refused(status, problem);
		}
		if (x->at < x->bytes && i + 1 < TRIES) {
			nanosleep(&pause, NULL);
			pause.tv_sec *= 2;
		}
	}
	if (x->at < x->bytes) {
		ctl_complain("%s; %s",
			     rc != BUS_OK ? err.text
					  : ctl_say("the connection broke off", "sambungan terputus"),
			     ctl_say("go on with --resume", "lanjutkan dengan --resume"));
		return CTL_UNREACHABLE;
	}
	ctl_progress_end(&x->progress, x->at);
	return CTL_OK;
}

enum ctl_exit ctl_export_verify(struct ctl_export_file *x)
{
	struct bus_sha256_stream *s = bus_sha256_new();
	char *chunk = bus_xmalloc(1 << 18), hex[2 * BUS_SHA256_LEN + 1];
	uint8_t digest[BUS_SHA256_LEN];
	ssize_t n = lseek(x->fd, 0, SEEK_SET);

	while (n >= 0 && (n = read(x->fd, chunk, 1 << 18)) > 0)
		bus_sha256_add(s, chunk, (size_t)n);
	bus_sha256_end(&s, digest);
	bus_hex(digest, sizeof(digest), hex);
	free(chunk);
	if (n < 0 || strcmp(hex, x->sha256) != 0) {
		ctl_complain("%s: %s", x->part,
			     ctl_say("its digest is not the gateway's; it was removed",
				     "sidiknya bukan sidik dari gateway; berkas dihapus"));
		unlink(x->part);
		unlink(x->note);
		return CTL_FAILED;
	}
	if (fsync(x->fd) != 0 || rename(x->part, x->out) != 0) {
		ctl_complain("%s: %s", x->out, strerror(errno));
		return CTL_FAILED;
	}
	unlink(x->note);
	return CTL_OK;
}
