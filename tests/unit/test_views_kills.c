/* The engine is killed at any moment, or the power is cut, time and again: tables, views, logs and who follows them end
 * as if nothing had been.
 *
 * A child applies a stream of changes and sends what its followers are told through a pipe; the parent holds the
 * followers' rows and cursors, and kills the child. A power cut is a kill after which every block that was written
 * but not synced is there or not, as chance has it.
 *
 *     VIEWS_KILLS=70    kills of each kind (6)     VIEWS_SEED=N
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "tests/support/engine_support.h"
#include "tests/support/views_random.h"
#include "tests/support/views_rows.h"

#define VIEWS 11
#define CHANGES 60000
#define LIFE_MS 120 /* of a child, at most; then it is killed */
#define DAY "2020-06-15"
#define BLOCK 4096

/* --- what has reached the disk ----------------------------------------------------------------------- */

static bool power; /* in the child: what is synced is copied */

static bool is_store(const char *path)
{
	size_t n = strlen(path);

	return (n > 8 && strcmp(path + n - 8, "views.db") == 0) ||
	       (n > 12 && strcmp(path + n - 12, "views.db-wal") == 0);
}

static char *slurp(const char *path, size_t *n)
{
	FILE *f = fopen(path, "r");
	struct bus_buf b = { 0 };
	size_t got;

	*n = 0;
	if (!f)
		return NULL;
	do {
		bus_buf_reserve(&b, 1 << 16);
		got = fread(b.p + b.n, 1, 1 << 16, f);
		b.n += got;
	} while (got > 0);
	fclose(f);
	return bus_buf_take(&b, n);
}

static void spill(const char *path, const char *p, size_t n)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static void note_synced(int fd)
{
	char link[64], path[256], durable[280], half[280], *p;
	ssize_t n;
	size_t size;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n <= 0)
		return;
	path[n] = '\0';
	if (!is_store(path))
		return;
	p = slurp(path, &size);
	snprintf(durable, sizeof(durable), "%s.durable", path);
	snprintf(half, sizeof(half), "%s.half", path);
	spill(half, p ? p : "", size);
	rename(half, durable);
	free(p);
}

/* SQLite's: in place of the library's own. */
int fdatasync(int fd)
{
	int rc = (int)syscall(SYS_fdatasync, fd);

	if (power && rc == 0)
		note_synced(fd);
	return rc;
}

int fsync(int fd)
{
	int rc = (int)syscall(SYS_fsync, fd);

	if (power && rc == 0)
		note_synced(fd);
	return rc;
}

/* What a disk may hold after the power went: of each block the synced bytes, or those written since. */
static void cut_power(struct v_chance *c, const char *path)
{
	char durable[280], *old, *now;
	size_t n_old, n_now, n;

	snprintf(durable, sizeof(durable), "%s.durable", path);
	old = slurp(durable, &n_old);
	now = slurp(path, &n_now);
	if (now) {
		n = v_pick(c, 2) ? n_old : n_now;
		now = bus_xrealloc(now, (n > n_now ? n : n_now) + 1);
		if (n > n_now)
			memset(now + n_now, 0, n - n_now);
		for (size_t at = 0; at < n_old && at < n; at += BLOCK) {
			size_t len = n_old - at < BLOCK ? n_old - at : BLOCK;

			if (at + len > n)
				len = n - at;
			if (v_pick(c, 2) || at + len > n_now)
				memcpy(now + at, old + at, len);
		}
		spill(path, now, n);
	}
	free(old);
	free(now);
}

/* --- the city and its followers ---------------------------------------------------------------------- */

struct follower {
	size_t view;
	const char *value; /* of its scope column; NULL: the whole view */
	int64_t cursor, fresh;
	struct rows rows;
};

struct city {
	struct v_chance chance;
	struct v_def view[VIEWS];
	struct v_change *change;
	int64_t *seq; /* of each change, in its topic's stream */
	struct follower f[2 * VIEWS];
	size_t target; /* changes to be applied */
	char dir[64];
};

static void city_make(struct city *w, uint64_t seed)
{
	int64_t last[TOPICS] = { 0 };

	memset(w, 0, sizeof(*w));
	w->chance = (struct v_chance){ seed * 77 + 5, 30 };
	for (unsigned i = 0; i < VIEWS; i++) {
		snprintf(w->view[i].name, sizeof(w->view[i].name), "v%02u", i);
		v_make(&w->chance, &w->view[i], i, &w->view[0]);
		if (i < 4 && w->view[i].scope < 0) { /* kel is where the class has it */
			w->view[i].scope = 1;
			strcpy(w->view[i].scope_name, "kel");
		}
	}
	w->change = bus_xcalloc(CHANGES, sizeof(*w->change));
	w->seq = bus_xcalloc(CHANGES, sizeof(*w->seq));
	for (size_t i = 0; i < CHANGES; i++) {
		struct v_change *x = &w->change[i];

		do
			v_next(&w->chance, x);
		while (x->topic == EVENT && !x->json[0]);
		if (i > 0 && v_pick(&w->chance, 20) == 0) {
			size_t back = 1 + v_pick(&w->chance, 300);

			x->again = back > i ? 0 : (int)(i - back);
			while (w->change[x->again].again >= 0)
				x->again = w->change[x->again].again;
			*x = (struct v_change){ .topic = w->change[x->again].topic, .again = x->again };
		}
		w->seq[i] = x->again >= 0 ? w->seq[x->again] : ++last[x->topic];
	}
	for (size_t i = 0; i < 2 * VIEWS; i++)
		w->f[i] = (struct follower){ .view = i / 2, .value = i % 2 ? "t1" : NULL };
}

static bool follows(const struct city *w, size_t i)
{
	return !w->f[i].value || w->view[w->f[i].view].scope >= 0;
}

static struct engine *city_engine(const struct city *w)
{
	struct engine *t = engine_new();
	struct bus_buf text = { 0 };

	for (int i = 0; i < TOPICS; i++)
		engine_topic(t, v_topic[i].topic, engine_schema(v_topic[i].schema));
	for (size_t i = 0; i < VIEWS; i++) {
		v_text(&w->view[i], -1, -1, &text);
		engine_view(t, w->view[i].name, bus_buf_cstr(&text));
	}
	bus_buf_release(&text);
	return t;
}

/* How many changes the store has: each transaction holds a stretch of the stream, of all topics. */
static size_t position(struct engine *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->e->n_parts; i++)
		n += t->e->part[i].next > 0 ? (size_t)t->e->part[i].next : 0;
	for (int i = 0; i < t->n_topics; i++)
		t->topic[i].offset = 0;
	for (size_t i = 0; i < t->e->n_parts; i++) {
		for (int k = 0; k < t->n_topics; k++) {
			if (strcmp(t->e->part[i].topic->name, t->topic[k].name) == 0)
				t->topic[k].offset = t->e->part[i].next > 0 ? t->e->part[i].next : 0;
		}
	}
	return n;
}

static void put_changes(struct engine *t, const struct city *w, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i++) {
		const struct v_change *x = &w->change[i];
		const struct v_change *of = x->again >= 0 ? &w->change[x->again] : x;
		struct engine_record *r = engine_put(t, of->topic, of->key, of->json[0] ? of->json : NULL);

		snprintf(r->seq, sizeof(r->seq), "%lld", (long long)w->seq[i]);
	}
}

/* --- the child --------------------------------------------------------------------------------------- */

struct message { /* and key, cells */
	uint32_t follower, n_key, n_cells;
	uint8_t removed, end; /* end: of a page; cursor holds from here on */
	int64_t cursor, fresh;
};

struct sender {
	int pipe;
	uint32_t follower;
	const struct gw_view *view;
	struct bus_buf cells;
};

static void send_message(int pipe, const struct message *m, const char *key, const char *cells)
{
	char all[4096];
	size_t n = sizeof(*m) + m->n_key + m->n_cells;

	if (n > sizeof(all))
		abort();
	memcpy(all, m, sizeof(*m));
	if (m->n_key)
		memcpy(all + sizeof(*m), key, m->n_key);
	if (m->n_cells)
		memcpy(all + sizeof(*m) + m->n_key, cells, m->n_cells);
	for (size_t at = 0; at < n;) { /* at most PIPE_BUF: all of it, or nothing */
		ssize_t k = write(pipe, all + at, n - at);

		if (k <= 0)
			_exit(0);
		at += (size_t)k;
	}
}

static bool on_change(void *ctx, const struct gw_change *c)
{
	struct sender *s = ctx;
	struct message m = { .follower = s->follower, .removed = c->removed, .n_key = (uint32_t)c->key.n };

	bus_buf_reset(&s->cells);
	for (size_t i = 0; !c->removed && i < s->view->n_columns; i++)
		cell(&s->cells, &c->value[i]);
	m.n_cells = (uint32_t)s->cells.n;
	send_message(s->pipe, &m, c->key.p, s->cells.p);
	return true;
}

static void tell(struct engine *t, struct city *w, size_t i, int pipe, int limit)
{
	struct follower *f = &w->f[i];
	const struct v_def *d = &w->view[f->view];
	struct sender s = { .pipe = pipe, .follower = (uint32_t)i, .view = gw_view_find(t->e, d->name) };
	const struct gw_scope_part part = { d->scope_name, &f->value, 1 };
	const struct gw_scope scope = { &part, 1 };
	struct gw_following q = { .view = s.view,
				  .date = d->dated ? DAY : NULL,
				  .rows = f->value ? &scope : NULL,
				  .limit = limit };
	struct bus_error err = { 0 };

	if (f->cursor == 0)
		f->fresh = gw_newest(t->e, s.view);
	q.after = f->cursor;
	q.fresh = f->fresh;
	engine_must(gw_follow(gw_reader_of(t->e), &q, on_change, &s, &f->cursor, &err), &err);
	send_message(
	    pipe,
	    &(struct message){ .follower = s.follower, .end = 1, .cursor = f->cursor, .fresh = f->fresh },
	    NULL, NULL);
	bus_buf_release(&s.cells);
}

static void settle(struct engine *t, enum gw_haste haste)
{
	struct bus_error err = { 0 };
	bool pending;

	engine_must(gw_settle(t->e, haste, NULL, &pending, &err), &err);
	engine_must(gw_commit(t->e, &err), &err);
}

static void child(struct engine *t, struct city *w, uint64_t seed, int pipe)
{
	static const enum gw_haste hastes[] = { GW_BACKLOG, GW_LIVE, GW_LIVE, GW_LIVE, GW_QUIET };
	struct v_chance c = { seed, 0 };
	struct bus_error err = { 0 };
	int64_t left;
	size_t at, n;
	bool more;

	engine_open(t, NULL);
	at = position(t);
	while (at < w->target) {
		n = 1 + v_pick(&c, v_pick(&c, 4) ? 20 : 200);
		if (n > w->target - at)
			n = w->target - at;
		put_changes(t, w, at, n);
		at += n;
		engine_must(engine_try_apply(t, 0, t->n, &err), &err);
		engine_drop_waiting(t);
		settle(t, hastes[v_pick(&c, BUS_LEN(hastes))]);
		for (size_t i = 0; i < 2 * VIEWS; i++) {
			if (follows(w, i) && v_pick(&c, 3) == 0)
				tell(t, w, i, pipe, 1 + (int)v_pick(&c, 100));
		}
		if (v_pick(&c, 8) == 0)
			engine_must(gw_db_checkpoint(t->e->db, v_pick(&c, 2), &left, &err), &err);
		if (v_pick(&c, 20) == 0) {
			for (size_t i = 0; i < t->e->n_views; i++)
				t->e->view[i]->log_entries += 20000; /* as if it were worth sweeping */
			engine_must(gw_sweep(t->e, &more, &err), &err);
		}
	}
	settle(t, GW_FORCE);
	for (size_t i = 0; i < 2 * VIEWS; i++) {
		for (int64_t before = -1; follows(w, i) && w->f[i].cursor > before;) {
			before = w->f[i].cursor;
			tell(t, w, i, pipe, 1000);
		}
	}
	gw_core_close(&t->e);
	_exit(7);
}

/* --- the parent -------------------------------------------------------------------------------------- */

/* Takes whole messages from b. Rows at once, the cursor at the end of a page: who was cut off asks again. */
static void take(struct city *w, struct bus_buf *b)
{
	struct bus_buf cells;
	struct message m;
	size_t at = 0;

	while (b->n - at >= sizeof(m)) {
		const char *key = b->p + at + sizeof(m);
		struct follower *f;

		memcpy(&m, b->p + at, sizeof(m));
		if (b->n - at < sizeof(m) + m.n_key + m.n_cells)
			break;
		f = &w->f[m.follower];
		cells = (struct bus_buf){ (char *)(uintptr_t)key + m.n_key, m.n_cells, m.n_cells };
		if (m.end) {
			assert_true(m.cursor >= f->cursor);
			f->cursor = m.cursor;
			f->fresh = m.fresh;
		} else if (m.removed) {
			rows_remove(&f->rows, (struct bus_str){ key, m.n_key });
		} else {
			rows_put(&f->rows, (struct bus_str){ key, m.n_key }, &cells);
		}
		at += sizeof(m) + m.n_key + m.n_cells;
	}
	memmove(b->p, b->p + at, b->n - at);
	b->n -= at;
}

/* A child's life; true: it came to the end of the stream. ms < 0: it is let live. */
static bool one_life(struct engine *t, struct city *w, uint64_t seed, int ms)
{
	struct bus_buf b = { 0 };
	int fd[2], status;
	int64_t until;
	ssize_t n;
	pid_t pid;

	fflush(NULL);
	if (pipe(fd) != 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0) {
		close(fd[0]);
		child(t, w, seed, fd[1]);
	}
	close(fd[1]);
	until = bus_clock_mono_ms() + ms;
	for (;;) {
		struct pollfd p = { .fd = fd[0], .events = POLLIN };
		int64_t left = until - bus_clock_mono_ms();

		if (ms >= 0 && left <= 0)
			kill(pid, SIGKILL);
		if (poll(&p, 1, ms < 0 ? -1 : left > 0 ? (int)left : 1000) <= 0)
			continue;
		bus_buf_reserve(&b, 1 << 16);
		n = read(fd[0], b.p + b.n, 1 << 16);
		if (n <= 0)
			break;
		b.n += (size_t)n;
		take(w, &b);
	}
	close(fd[0]);
	waitpid(pid, &status, 0);
	bus_buf_release(&b);
	if (WIFEXITED(status) && WEXITSTATUS(status) != 7)
		fail_msg("the child failed");
	return WIFEXITED(status);
}

static bool on_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	struct {
		const struct gw_view *view;
		struct rows *rows;
	} *k = ctx;
	struct bus_buf cells = { 0 };

	(void)hash;
	for (size_t i = 0; i < k->view->n_columns; i++)
		cell(&cells, &value[i]);
	rows_put(k->rows, value[k->view->key].s, &cells);
	bus_buf_release(&cells);
	return true;
}

static void view_rows(struct engine *t, const struct v_def *d, const char *of, struct rows *out)
{
	struct {
		const struct gw_view *view;
		struct rows *rows;
	} k = { gw_view_find(t->e, d->name), out };
	const struct gw_scope_part part = { d->scope_name, &of, 1 };
	const struct gw_scope scope = { &part, 1 };
	struct gw_query q = {
		.view = k.view, .date = d->dated ? DAY : NULL, .rows = of ? &scope : NULL, .limit = 10000
	};
	struct bus_error err = { 0 };

	rows_clear(out);
	engine_must(gw_page(gw_reader_of(t->e), &q, on_row, &k, &err), &err);
}

static void table_rows(struct engine *t, int topic, struct rows *out)
{
	struct bus_error err = { 0 };
	struct bus_buf cells = { 0 };
	struct gw_stmt *s = NULL;
	struct gw_value value;
	char sql[80];
	bool row;

	rows_clear(out);
	snprintf(sql, sizeof(sql), "SELECT * FROM \"%s\"", v_topic[topic].table);
	engine_must(gw_db_prepare(t->e->db, sql, &s, &err), &err);
	while (gw_stmt_step(s, &row, &err) == BUS_OK && row) {
		bus_buf_reset(&cells);
		for (int i = 0; i < gw_stmt_columns(s); i++) {
			gw_stmt_value(s, i, &value);
			cell(&cells, &value);
		}
		rows_put(out, gw_stmt_text(s, 0), &cells);
	}
	gw_stmt_free(&s);
	bus_buf_release(&cells);
}

static void same(const struct rows *a, const struct rows *b, const char *what, const struct v_def *d)
{
	if (!rows_same(a, b))
		fail_msg("%s of %s (%s): %zu rows, not the %zu of a run that nothing disturbed", what,
			 d ? d->name : "tables", d ? d->kind : "", a->n, b->n);
}

/* The store after all that, and one that has never been disturbed. */
static void compare(struct engine *t, struct city *w)
{
	struct engine *calm = city_engine(w);
	struct rows a = { 0 }, b = { 0 };
	size_t at;

	engine_open(calm, NULL);
	for (at = 0; at < w->target; at += 5000) {
		put_changes(calm, w, at, w->target - at < 5000 ? w->target - at : 5000);
		engine_apply(calm, 5000, GW_BACKLOG);
	}
	engine_settle(calm);
	engine_open(t, NULL);
	assert_int_equal(position(t), w->target);
	engine_settle(t);
	assert_int_equal(engine_differences(t), 0);
	for (int i = 0; i < TOPICS; i++) {
		table_rows(t, i, &a);
		table_rows(calm, i, &b);
		same(&a, &b, v_topic[i].table, NULL);
	}
	for (size_t i = 0; i < VIEWS; i++) {
		view_rows(t, &w->view[i], NULL, &a);
		view_rows(calm, &w->view[i], NULL, &b);
		same(&a, &b, "rows", &w->view[i]);
	}
	for (size_t i = 0; i < 2 * VIEWS; i++) {
		if (!follows(w, i))
			continue;
		view_rows(calm, &w->view[w->f[i].view], w->f[i].value, &b);
		same(&w->f[i].rows, &b, w->f[i].value ? "a part's follower" : "a follower",
		     &w->view[w->f[i].view]);
		rows_clear(&w->f[i].rows);
	}
	rows_clear(&a);
	rows_clear(&b);
	engine_free(&calm);
}

static unsigned number(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void disturb(bool cut)
{
	unsigned kills = number("VIEWS_KILLS", 6), killed = 0;
	struct city w;
	struct engine *t;
	bool whole = false;
	char wal[320];

	city_make(&w, number("VIEWS_SEED", 1) + cut);
	t = city_engine(&w);
	snprintf(wal, sizeof(wal), "%s-wal", t->db);
	power = cut;
	w.target = 300; /* a store that has never been synced may be lost whole, and cursors with it */
	assert_true(one_life(t, &w, w.chance.seed, -1));
	w.target = CHANGES;
	while (killed < kills && !whole) {
		whole = one_life(t, &w, w.chance.seed + killed, 1 + (int)v_pick(&w.chance, LIFE_MS));
		killed += !whole;
		if (cut && !whole) {
			cut_power(&w.chance, t->db);
			cut_power(&w.chance, wal);
			wal[strlen(wal) - 3] = '\0'; /* the shared memory's file is of no disk */
			strcat(wal, "shm");
			unlink(wal);
			wal[strlen(wal) - 3] = '\0';
			strcat(wal, "wal");
		}
	}
	assert_int_equal(killed, kills); /* the stream was long enough */
	engine_open(t, NULL);
	w.target = position(t) + 200 < CHANGES ? position(t) + 200 : CHANGES;
	gw_core_close(&t->e);
	assert_true(one_life(t, &w, w.chance.seed + 1000, -1));
	power = false;
	printf("%u %s within %zu changes\n", killed, cut ? "power cuts" : "kills", w.target);
	compare(t, &w);
	free(w.change);
	free(w.seq);
	engine_free(&t);
}

static void killed_at_any_moment_it_ends_as_if_nothing_had_been(void **state)
{
	(void)state;
	disturb(false);
}

static void nothing_is_lost_that_a_follower_has_seen_when_the_power_goes(void **state)
{
	(void)state;
	disturb(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_any_moment_it_ends_as_if_nothing_had_been),
		cmocka_unit_test(nothing_is_lost_that_a_follower_has_seen_when_the_power_goes),
	};

	bus_log_setup(BUS_LOG_ERROR + 1, false);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
