#include "adapters/live.h"

#include <inttypes.h>
#include <stdio.h>

#include "adapters/care/figures.h"
#include "adapters/desk.h"
#include "adapters/input.h"
#include "adapters/pass.h"
#include "adapters/report.h"
#include "bus/clock.h"
#include "bus/log.h"

#define TURN_MS 100
#define TELL_MS 2000
#define LATER_MS 5000
#define YIELD_MS 1000

struct adapter_live {
	struct adapter_desk *d;
	struct adapter_feed *f;
	struct adapter_spool *spool;
	const struct adapter_spool_keys *keys;
	int64_t rate;

	/* of the segment in hand */
	uint64_t number;
	struct adapter_segment *segment; /* NULL: none */
	struct adapter_known *known;
	struct adapter_tally *t;
	struct adapter_reading r;
	struct adapter_input *in;
	void *source; /* NULL: not opened yet */
	char short_sha[BUS_WIRE_FILE_LEN + 1];
	struct bus_str left; /* of the post in hand */
	uint64_t pad;	     /* empty lines before it, in place of rows that are lost */
	uint64_t lines;	     /* of rows given or lost */
	uint64_t told_rows;

	int64_t turn_until, tell_at, later_until, yield_until; /* monotonic ms */
	bool more;					       /* the turn was over, not the segment */
	double tokens;					       /* rows that may be read now */
	int64_t token_at;				       /* monotonic ms */
	bool told;					       /* that it cannot be read */
};

struct adapter_live *adapter_live_new(struct adapter_desk *d, struct adapter_feed *f,
				      struct adapter_spool *spool, const struct adapter_spool_keys *keys,
				      int64_t rate)
{
	struct adapter_live *l = bus_xcalloc(1, sizeof(*l));

	l->d = d;
	l->f = f;
	l->spool = spool;
	l->keys = keys;
	l->rate = rate;
	return l;
}

static void let_go(struct adapter_live *l)
{
	if (l->source)
		adapter_map_source(l->f->map)->close(l->source);
	l->source = NULL;
	adapter_input_close(&l->in);
	adapter_segment_close(&l->segment);
	bus_buf_release(&l->r.value);
	if (l->t)
		adapter_figures_withdrawn(l->t);
	free(l->t);
	l->t = NULL;
	l->left = (struct bus_str){ 0 };
	l->pad = l->lines = l->told_rows = 0;
}

void adapter_live_free(struct adapter_live **lp)
{
	struct adapter_live *l = *lp;

	if (!l)
		return;
	let_go(l);
	free(l);
	*lp = NULL;
}

bool adapter_live_reading(const struct adapter_live *l)
{
	return l->segment != NULL;
}

void adapter_live_yield(struct adapter_live *l)
{
	l->yield_until = bus_clock_mono_ms() + YIELD_MS;
}

void adapter_live_later(struct adapter_live *l, const struct bus_error *why)
{
	if (!l->told)
		bus_log(BUS_LOG_ERROR, "adapter.spool_waiting", LOG_STR("feed", adapter_map_feed(l->f->map)),
			LOG_ERR(why), LOG_STR("effect", "tried again every 5 s; nothing is lost"));
	l->told = true;
	l->later_until = bus_clock_mono_ms() + LATER_MS;
	let_go(l);
}

/* --- the rows, as an input --- */

static bool may_read(struct adapter_live *l)
{
	int64_t now = bus_clock_mono_ms();

	if (l->rate > 0) {
		l->tokens += (double)(now - l->token_at) * (double)l->rate / 1000;
		if (l->tokens > (double)l->rate / 5)
			l->tokens = (double)l->rate / 5;
		l->token_at = now;
		if (l->tokens < 0)
			return false;
	}
	return now < l->turn_until;
}

static enum bus_err next_post(struct adapter_live *l, struct bus_error *err)
{
	struct adapter_post post;
	enum bus_err rc;

	if (!may_read(l)) {
		l->more = true;
		return bus_fail(err, BUS_ETIMEOUT, "its turn is over");
	}
	rc = adapter_segment_next(l->segment, adapter_spool_limit(l->spool, l->number), &post, err);
	if (rc)
		return rc;
	l->left = post.rows;
	l->pad = post.before > l->lines ? post.before - l->lines : 0;
	l->lines += l->pad + post.n;
	l->tokens -= post.n;
	l->r.file_time_ms = post.time_ms;
	return BUS_OK;
}

static enum bus_err pull(void *ctx, void *p, size_t n, size_t *got, struct bus_error *err)
{
	struct adapter_live *l = ctx;
	enum bus_err rc = BUS_OK;

	*got = 0;
	if (l->left.n == 0)
		rc = next_post(l, err);
	if (rc)
		return rc == BUS_ENOENT ? BUS_OK : rc;
	if (l->pad > 0) {
		*got = l->pad < n ? (size_t)l->pad : n;
		memset(p, '\n', *got);
		l->pad -= *got;
		return BUS_OK;
	}
	*got = l->left.n < n ? l->left.n : n;
	memcpy(p, l->left.p, *got);
	l->left.p += *got;
	l->left.n -= *got;
	return BUS_OK;
}

/* --- one segment --- */

static void identify(struct adapter_live *l, const void *what, size_t n)
{
	struct bus_sha256_stream *s = bus_sha256_new();
	uint8_t digest[BUS_SHA256_LEN];

	bus_sha256_add(s, "titian-spool:", 13);
	bus_sha256_add(s, what, n);
	bus_sha256_end(&s, digest);
	bus_hex(digest, sizeof(digest), l->t->sha256);
	memcpy(l->short_sha, l->t->sha256, BUS_WIRE_FILE_LEN);
	l->short_sha[BUS_WIRE_FILE_LEN] = '\0';
	l->r.origin = (struct adapter_origin){ .source = l->f->source, .file = l->short_sha };
	l->r.number = adapter_files_number(l->d->position.files, bus_str(l->short_sha));
	l->known = adapter_files_known(l->d->position.files, l->r.number, adapter_map_feed(l->f->map));
}

/* Until it has its place, or the program stops. */
static enum bus_err place(struct adapter_live *l, bool damaged, struct bus_error *err)
{
	const char *feed = adapter_map_feed(l->f->map), *folder = adapter_spool_folder(l->spool, damaged);
	struct bus_error why;
	char *moved;
	bool told = false;

	while (adapter_spool_place(l->spool, l->number, damaged, &moved, &why))
		if (!adapter_pass_again(l->d, &why, &told))
			return bus_fail(err, BUS_ESTOPPED, "stopped before the segment could be moved");
	while (adapter_report_place(feed, l->t->sha256, folder, moved, &why))
		if (!adapter_pass_again(l->d, &why, &told))
			break;
	free(moved);
	let_go(l);
	return BUS_OK;
}

static enum bus_err finish(struct adapter_live *l, const struct adapter_damage *damage, struct bus_error *err)
{
	bool damaged = l->t->status != ADAPTER_DONE;
	enum bus_err rc;

	if (damage && damage->places > 0) {
		damaged = true;
		l->t->end.cut = true;
		l->t->status = ADAPTER_CUT;
		adapter_damage_text(damage, l->t->reason, sizeof(l->t->reason));
		bus_log(BUS_LOG_ERROR, "adapter.spool_damaged", LOG_STR("feed", l->t->feed),
			LOG_STR("name", l->t->name), LOG_STR("reason", l->t->reason),
			LOG_STR("effect", "what is whole in it is published; the segment stays in damaged/"));
	}
	l->told = false;
	l->t->physical = l->in ? adapter_input_lines(l->in) : 0;
	rc = adapter_pass_end(&l->r, l->known, adapter_spool_folder(l->spool, damaged), err);
	return rc ? rc : place(l, damaged, err);
}

/* A segment of which nothing can be read: told, and out of the way. */
static enum bus_err refuse(struct adapter_live *l, const struct bus_error *why, struct bus_error *err)
{
	char name[300];
	enum bus_err rc;

	snprintf(name, sizeof(name), "%s/%" PRIu64, adapter_map_feed(l->f->map), l->number);
	identify(l, name, strlen(name));
	rc = adapter_pass_begin(&l->r, l->known, err);
	l->t->status = ADAPTER_REFUSED;
	snprintf(l->t->reason, sizeof(l->t->reason), "%s", why->text);
	return rc ? rc : finish(l, NULL, err);
}

static enum bus_err begin(struct adapter_live *l, struct bus_error *err)
{
	char *path = adapter_spool_path(l->spool, l->number);
	struct bus_error why;
	enum bus_err rc = adapter_segment_open(path, adapter_map_feed(l->f->map), l->keys, &l->segment, &why);

	free(path);
	if (rc && rc != BUS_EDATA) {
		adapter_live_later(l, &why);
		return BUS_OK;
	}
	l->t = bus_xcalloc(1, sizeof(*l->t));
	l->r = (struct adapter_reading){ .d = l->d, .f = l->f, .t = l->t };
	snprintf(l->t->name, sizeof(l->t->name), "%.200s-%" PRIu64 ".spool", adapter_map_feed(l->f->map),
		 l->number);
	if (rc)
		return refuse(l, &why, err);
	identify(l, adapter_segment_about(l->segment)->id, ADAPTER_SEGMENT_ID);
	if (l->known->recorded && l->known->past.status == ADAPTER_DONE) {
		bus_log(BUS_LOG_INFO, "adapter.file_known", LOG_STR("feed", adapter_map_feed(l->f->map)),
			LOG_STR("name", l->t->name),
			LOG_STR("effect", "this segment is in the log; nothing is published"));
		return place(l, false, err);
	}
	rc = adapter_pass_begin(&l->r, l->known, err);
	if (!rc)
		rc = adapter_map_begin(l->f->map, err);
	l->in = adapter_input_stream(pull, l);
	l->tell_at = bus_clock_mono_ms() + TELL_MS;
	return rc;
}

static enum bus_err read_on(struct adapter_live *l, struct bus_error *err)
{
	struct bus_error why;
	enum bus_err rc = BUS_OK;

	if (!l->source) {
		rc = adapter_map_open_source(l->f->map, l->in, &l->source, &why);
		if (rc == BUS_EDATA) { /* nothing in it is whole */
			l->t->status = ADAPTER_REFUSED;
			snprintf(l->t->reason, sizeof(l->t->reason), "%s", why.text);
			return finish(l, adapter_segment_damage(l->segment), err);
		}
		if (rc && err)
			*err = why;
	}
	if (!rc)
		rc = adapter_pass_rows(&l->r, l->in, l->source, err);
	return rc ? rc : finish(l, adapter_segment_damage(l->segment), err);
}

/* Nothing more for now. */
static enum bus_err rest(struct adapter_live *l, int *wait_ms, struct bus_error *err)
{
	int64_t now = bus_clock_mono_ms();
	int wait = l->more ? 20 : TELL_MS;
	enum bus_err rc = BUS_OK;

	if (l->more && now >= l->turn_until)
		wait = 0;
	if (!l->more && adapter_spool_limit(l->spool, l->number) >= 0) {
		if (adapter_spool_turn(l->spool, l->number, now >= l->yield_until))
			wait = 0;
		else if (now < l->yield_until)
			wait = 20;
	} else if (!l->more) {
		wait = 0;
	}
	adapter_figures_followed(l->t);
	if (l->t->rows != l->told_rows && now >= l->tell_at) {
		l->t->physical = adapter_input_lines(l->in);
		l->told_rows = l->t->rows;
		l->tell_at = now + TELL_MS;
		rc = adapter_pass_tell(&l->r, (struct bus_str){ 0 }, err);
	}
	if (wait < *wait_ms)
		*wait_ms = wait;
	return rc;
}

enum bus_err adapter_live_turn(struct adapter_live *l, int *wait_ms, struct bus_error *err)
{
	int64_t now = bus_clock_mono_ms();
	enum bus_err rc;

	if (now < l->later_until)
		return BUS_OK;
	if (!l->segment) {
		if (now < l->yield_until || !adapter_spool_first(l->spool, &l->number))
			return BUS_OK;
		rc = adapter_desk_bind(l->d, l->f, err);
		if (!rc)
			rc = begin(l, err);
		if (rc || !l->segment) {
			*wait_ms = *wait_ms < 20 ? *wait_ms : 20;
			return rc;
		}
	}
	l->more = false;
	l->turn_until = now + TURN_MS;
	rc = read_on(l, err);
	if (rc == BUS_ETIMEOUT)
		return rest(l, wait_ms, err);
	if (!rc)
		*wait_ms = 0;
	return rc;
}
