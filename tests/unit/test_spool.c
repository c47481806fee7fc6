#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "adapters/spool/spool.h"
#include "bus/buf.h"
#include "bus/clock.h"

#define POSTS 5

static char dir[] = "/tmp/titian-spool-XXXXXX";
static char *feed_dir;
static struct adapter_spool_keys keys;

static void empty(void)
{
	char *command = bus_xasprintf("rm -rf '%s'", feed_dir);

	assert_int_equal(system(command), 0);
	free(command);
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	feed_dir = bus_xasprintf("%s/feed", dir);
	adapter_spool_keys_put(&keys, (const uint8_t *)"0123456789abcdef0123456789abcdef");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	empty();
	free(feed_dir);
	return rmdir(dir);
}

static struct adapter_spool *open_spool(adapter_spool_trouble_fn trouble, void *ctx)
{
	struct adapter_spool_conf conf = { .dir = feed_dir,
					   .feed = "uji",
					   .keys = &keys,
					   .segment_bytes = 1 << 20,
					   .segment_ms = 3600 * 1000,
					   .trouble = trouble,
					   .trouble_ctx = ctx };
	struct adapter_spool *s;

	assert_int_equal(adapter_spool_open(&conf, &s, NULL), BUS_OK);
	return s;
}

static int number_of(const struct adapter_post *post)
{
	char text[64];
	int i = -1;

	assert_true(post->rows.n < sizeof(text));
	memcpy(text, post->rows.p, post->rows.n);
	text[post->rows.n] = '\0';
	assert_int_equal(sscanf(text, "{\"i\":%d}\n", &i), 1);
	return i;
}

static enum bus_err put(struct adapter_spool *s, int i, bool commit)
{
	char row[64];
	struct adapter_post post = { .n = 1, .time_ms = 1000 + i, .has_key = true };

	snprintf(row, sizeof(row), "{\"i\":%d}\n", i);
	memset(post.key, i, sizeof(post.key));
	post.rows = bus_str(row);
	assert_int_equal(adapter_spool_put(s, &post, NULL), BUS_OK);
	return commit ? adapter_spool_commit(s, NULL) : BUS_OK;
}

static void slurp(const char *path, struct bus_buf *out)
{
	char piece[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	assert_non_null(f);
	bus_buf_reset(out);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		bus_buf_put(out, piece, n);
	fclose(f);
}

/* What a segment of these bytes gives: the posts' numbers in the order they come, -1 behind them. */
struct harvest {
	enum bus_err opened;
	int i[64], n;
	struct adapter_damage damage;
};

static void harvest(const void *p, size_t n, struct harvest *h)
{
	char *path = bus_xasprintf("%s/harvest", dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	struct adapter_segment *s;
	struct adapter_post post;

	*h = (struct harvest){ 0 };
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	close(fd);
	h->opened = adapter_segment_open(path, "uji", &keys, &s, NULL);
	if (!h->opened) {
		enum bus_err rc;

		while (!(rc = adapter_segment_next(s, -1, &post, NULL))) {
			int i = number_of(&post);

			assert_int_equal(post.n, 1);
			assert_int_equal(post.time_ms, 1000 + i);
			assert_true(h->n < 63);
			h->i[h->n++] = i;
		}
		assert_int_equal(rc, BUS_ENOENT);
		h->damage = *adapter_segment_damage(s);
	}
	h->i[h->n] = -1;
	adapter_segment_close(&s);
	unlink(path);
	free(path);
}

static bool told_of(const struct adapter_damage *d, size_t at)
{
	for (size_t i = 0; i < d->places; i++)
		if (d->place[i].from <= at && at < d->place[i].to)
			return true;
	return false;
}

/* A segment of POSTS posts; end[i]: where post i ends, end of head before the first. */
static void make(struct bus_buf *whole, size_t *end, struct bus_buf *after_three)
{
	struct adapter_spool *s;
	char *path;

	empty();
	s = open_spool(NULL, NULL);
	path = adapter_spool_path(s, 1);
	end[0] = ADAPTER_SEGMENT_HEAD;
	for (int i = 0; i < POSTS; i++) {
		assert_int_equal(put(s, i, true), BUS_OK);
		slurp(path, whole);
		end[i + 1] = whole->n;
		if (i == 2 && after_three)
			slurp(path, after_three);
	}
	adapter_spool_close(&s);
	free(path);
}

static void gives_back_what_was_put_in_order(void **state)
{
	struct bus_buf whole = { 0 };
	size_t end[POSTS + 1];
	struct harvest h;

	(void)state;
	make(&whole, end, NULL);
	harvest(whole.p, whole.n, &h);
	assert_int_equal(h.n, POSTS);
	for (int i = 0; i < POSTS; i++)
		assert_int_equal(h.i[i], i);
	assert_int_equal(h.damage.places, 0);
	assert_null(memmem(whole.p, whole.n, "\"i\"", 3));
	bus_buf_release(&whole);
}

static void each_damaged_byte_costs_its_own_post_alone_and_is_told(void **state)
{
	struct bus_buf whole = { 0 };
	size_t end[POSTS + 1];
	struct harvest h;

	(void)state;
	make(&whole, end, NULL);
	for (size_t at = 0; at < whole.n; at++) {
		int hit = -1, next = 0;
		bool unused = at % 512 >= 320 && at < ADAPTER_SEGMENT_HEAD;

		for (int i = 0; i < POSTS; i++)
			if (at >= end[i] && at < end[i + 1])
				hit = i;
		whole.p[at] ^= (char)(at % 2 ? 0xff : 1);
		harvest(whole.p, whole.n, &h);
		whole.p[at] ^= (char)(at % 2 ? 0xff : 1);
		assert_int_equal(h.opened, BUS_OK);
		for (int i = 0; i < POSTS; i++)
			if (i != hit)
				assert_int_equal(h.i[next++], i);
		assert_int_equal(h.n, next);
		assert_int_equal(h.damage.lost, hit >= 0);
		assert_true(unused || told_of(&h.damage, at));
	}
	bus_buf_release(&whole);
}

static void what_was_acknowledged_is_missed_wherever_it_is_cut(void **state)
{
	struct bus_buf whole = { 0 };
	size_t end[POSTS + 1];
	struct harvest h;

	(void)state;
	make(&whole, end, NULL);
	for (size_t n = 0; n < whole.n; n++) {
		int left = 0;

		while (left < POSTS && end[left + 1] <= n)
			left++;
		harvest(whole.p, n, &h);
		assert_int_equal(h.opened, n < 256 ? BUS_EDATA : BUS_OK);
		if (h.opened)
			continue;
		assert_int_equal(h.n, left);
		assert_true(h.damage.places > 0);
		if (n >= (size_t)ADAPTER_MARK_AT[0] + ADAPTER_MARK_LEN)
			assert_int_equal(h.damage.lost, POSTS - left);
	}
	bus_buf_release(&whole);
}

static void a_tail_that_nobody_was_told_of_is_cut_without_a_word(void **state)
{
	struct bus_buf whole = { 0 }, three = { 0 };
	size_t end[POSTS + 1];
	struct harvest h;

	(void)state;
	make(&whole, end, &three);
	memcpy(whole.p, three.p,
	       ADAPTER_SEGMENT_HEAD); /* the mark of a commit that did not come to its end */
	for (size_t n = end[3]; n <= whole.n; n++) {
		int left = n == end[5] ? 5 : n >= end[4] ? 4 : 3;

		harvest(whole.p, n, &h);
		assert_int_equal(h.n, left);
		assert_int_equal(h.damage.places, 0);
		assert_int_equal(h.damage.lost, 0);
	}
	/* Zeros, as a file system leaves them. */
	memset(whole.p + end[3], 0, whole.n - end[3]);
	harvest(whole.p, whole.n, &h);
	assert_int_equal(h.n, 3);
	assert_int_equal(h.damage.places, 0);
	/* What lies before it is damage all the same. */
	whole.p[end[2] + 20] ^= 1;
	harvest(whole.p, whole.n, &h);
	assert_int_equal(h.n, 2);
	assert_int_equal(h.damage.lost, 1);
	bus_buf_release(&whole);
	bus_buf_release(&three);
}

static void rebuild(const struct bus_buf *whole, const size_t *end, const int *order, struct bus_buf *out)
{
	bus_buf_reset(out);
	bus_buf_put(out, whole->p, ADAPTER_SEGMENT_HEAD);
	for (; *order >= 0; order++)
		bus_buf_put(out, whole->p + end[*order], end[*order + 1] - end[*order]);
}

static void posts_doubled_swapped_left_out_or_moved_are_seen(void **state)
{
	static const struct {
		int order[8], read[8];
		uint64_t lost;
	} cases[] = {
		{ { 0, 1, 1, 2, 3, 4, -1 }, { 0, 1, 2, 3, 4, -1 }, 0 },
		{ { 0, 1, 2, 3, 4, 0, -1 }, { 0, 1, 2, 3, 4, -1 }, 0 },
		{ { 0, 2, 1, 3, 4, -1 }, { 0, 2, 1, 3, 4, -1 }, 0 },
		{ { 4, 3, 2, 1, 0, -1 }, { 4, 3, 2, 1, 0, -1 }, 0 },
		{ { 0, 1, 3, 4, -1 }, { 0, 1, 3, 4, -1 }, 1 },
		{ { 1, 2, 3, 4, -1 }, { 1, 2, 3, 4, -1 }, 1 },
		{ { -1 }, { -1 }, 5 },
	};
	struct bus_buf whole = { 0 }, other = { 0 }, made = { 0 };
	size_t end[POSTS + 1], other_end[POSTS + 1];
	struct harvest h;

	(void)state;
	make(&other, other_end, NULL);
	make(&whole, end, NULL);
	for (size_t k = 0; k < BUS_LEN(cases); k++) {
		int i = 0;

		rebuild(&whole, end, cases[k].order, &made);
		harvest(made.p, made.n, &h);
		for (; cases[k].read[i] >= 0; i++)
			assert_int_equal(h.i[i], cases[k].read[i]);
		assert_int_equal(h.n, i);
		assert_true(h.damage.places > 0);
		assert_int_equal(h.damage.lost, cases[k].lost);
	}
	/* The third post of another segment in the place of this one's. */
	rebuild(&whole, end, (const int[]){ 0, 1, -1 }, &made);
	bus_buf_put(&made, other.p + other_end[2], other_end[3] - other_end[2]);
	bus_buf_put(&made, whole.p + end[3], whole.n - end[3]);
	harvest(made.p, made.n, &h);
	assert_int_equal(h.n, POSTS - 1);
	assert_int_equal(h.damage.lost, 1);
	assert_true(told_of(&h.damage, end[2]));
	bus_buf_release(&whole);
	bus_buf_release(&other);
	bus_buf_release(&made);
}

static void both_heads_gone_another_key_or_feed_refuses_the_segment(void **state)
{
	struct adapter_spool_keys others = { 0 }, both;
	struct bus_buf whole = { 0 };
	size_t end[POSTS + 1];
	struct adapter_segment *s;
	char *path = bus_xasprintf("%s/0000000000000001.spool", feed_dir);
	struct harvest h;

	(void)state;
	make(&whole, end, NULL);
	adapter_spool_keys_put(&others, (const uint8_t *)"another key, of thirty-two bytes");
	assert_int_equal(adapter_segment_open(path, "uji", &others, &s, NULL), BUS_EDENIED);
	both = others;
	adapter_spool_keys_put(&both, keys.key[0]);
	assert_int_equal(adapter_segment_open(path, "uji", &both, &s, NULL), BUS_OK);
	adapter_segment_close(&s);
	assert_int_equal(adapter_segment_open(path, "lain", &keys, &s, NULL), BUS_EDATA);
	whole.p[30] ^= 1;
	whole.p[550] ^= 1;
	harvest(whole.p, whole.n, &h);
	assert_int_equal(h.opened, BUS_EDATA);
	free(path);
	bus_buf_release(&whole);
}

/* --- a disk that is full, or fails --- */

struct disk {
	int ops, from, to; /* operations [from, to) fail */
	size_t half;	   /* a failing write may write so much before */
	bool given;
};

static int fails(void *ctx, const char *what, size_t *n)
{
	struct disk *d = ctx;
	int at = d->ops++;

	(void)what;
	if (at < d->from || at >= d->to)
		return 0;
	if (n && d->half && !d->given && *n > d->half) {
		*n = d->half;
		d->given = true;
		return 0;
	}
	return ENOSPC;
}

struct got {
	int i[256], n;
};

static void gather(void *ctx, const struct adapter_post *post)
{
	struct got *g = ctx;

	assert_true(g->n < 256);
	g->i[g->n++] = number_of(post);
}

/* Ten groups of two posts; operations from `from` on fail, until `to`. What was acknowledged is there, once, in order;
 * what was not is not. */
static void write_through(int from, int to, size_t half)
{
	struct disk disk = { .from = from, .to = to, .half = half };
	struct got acked = { 0 }, got = { 0 };
	struct adapter_spool *s;

	empty();
	s = open_spool(fails, &disk);
	for (int k = 0; k < 10; k++) {
		enum bus_err rc;

		put(s, 2 * k, false);
		put(s, 2 * k + 1, false);
		rc = adapter_spool_commit(s, NULL);
		assert_true(rc == BUS_OK || rc == BUS_EFULL);
		if (!rc) {
			acked.i[acked.n++] = 2 * k;
			acked.i[acked.n++] = 2 * k + 1;
		}
	}
	adapter_spool_close(&s);
	s = open_spool(NULL, NULL);
	adapter_spool_posts(s, 0, gather, &got);
	assert_int_equal(got.n, acked.n);
	assert_memory_equal(got.i, acked.i, (size_t)acked.n * sizeof(int));
	adapter_spool_close(&s);
}

static void a_full_disk_at_any_write_loses_nothing_and_doubles_nothing(void **state)
{
	(void)state;
	for (int from = 0; from < 45; from++) {
		write_through(from, from + 1, 0);
		write_through(from, from + 7, 0);
		write_through(from, 1000, 0);
		write_through(from, from + 3, 5);
		write_through(from, 1000, 20);
	}
}

static void segments_wait_in_order_are_placed_cleaned_and_fed_again(void **state)
{
	struct adapter_spool *s;
	struct adapter_spool_state now;
	struct got got = { 0 };
	uint64_t number;
	char *moved;
	size_t n;

	(void)state;
	empty();
	s = open_spool(NULL, NULL);
	assert_false(adapter_spool_first(s, &number));
	for (int i = 0; i < 3; i++) {
		assert_int_equal(put(s, i, true), BUS_OK);
		assert_true(adapter_spool_first(s, &number));
		assert_int_equal(number, 1);
		assert_false(adapter_spool_turn(s, (uint64_t)i + 1, true));
		assert_true(adapter_spool_limit(s, (uint64_t)i + 1) > ADAPTER_SEGMENT_HEAD);
		assert_true(adapter_spool_turn(s, (uint64_t)i + 1, false));
		assert_int_equal(adapter_spool_limit(s, (uint64_t)i + 1), -1);
	}
	adapter_spool_state(s, &now);
	assert_int_equal(now.segments, 3);
	assert_int_equal(now.posts, 3);
	assert_int_equal(adapter_spool_place(s, 1, false, &moved, NULL), BUS_OK);
	free(moved);
	assert_int_equal(adapter_spool_place(s, 2, true, &moved, NULL), BUS_OK);
	free(moved);
	assert_true(adapter_spool_first(s, &number));
	assert_int_equal(number, 3);
	adapter_spool_close(&s);
	assert_int_equal(adapter_spool_again(feed_dir, bus_clock_ms() + 60000, &n, NULL), BUS_OK);
	assert_int_equal(n, 0);
	assert_int_equal(adapter_spool_again(feed_dir, 0, &n, NULL), BUS_OK);
	assert_int_equal(n, 1);
	s = open_spool(NULL, NULL);
	assert_true(adapter_spool_first(s, &number));
	assert_int_equal(number, 1);
	assert_int_equal(put(s, 9, true), BUS_OK); /* a number of its own */
	adapter_spool_posts(s, 0, gather, &got);
	assert_int_equal(got.n, 4);
	assert_int_equal(adapter_spool_place(s, 1, false, &moved, NULL), BUS_OK);
	free(moved);
	assert_int_equal(adapter_spool_clean(s, 3600 * 1000, 1 << 20), 0);
	assert_int_equal(adapter_spool_clean(s, 3600 * 1000, 10), 1);
	adapter_spool_close(&s);
}

static void a_key_file_that_others_read_is_refused(void **state)
{
	char *path = bus_xasprintf("%s/key", dir);
	struct adapter_spool_keys some = { 0 };
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 32; i++)
		fprintf(f, "%02x", i);
	fprintf(f, "\n");
	fclose(f);
	chmod(path, 0644);
	assert_int_equal(adapter_spool_keys_add(&some, path, NULL), BUS_EINVAL);
	chmod(path, 0660);
	assert_int_equal(adapter_spool_keys_add(&some, path, NULL), BUS_EINVAL);
	chmod(path, 0640);
	assert_int_equal(adapter_spool_keys_add(&some, path, NULL), BUS_OK);
	assert_int_equal(some.key[0][31], 31);
	assert_int_equal(adapter_spool_keys_add(&some, path, NULL), BUS_EEXIST);
	assert_int_equal(adapter_spool_keys_add(&some, "credential:spool", NULL), BUS_EINVAL);
	setenv("CREDENTIALS_DIRECTORY", dir, 1);
	some.n = 0;
	assert_int_equal(adapter_spool_keys_add(&some, "credential:key", NULL), BUS_OK);
	unsetenv("CREDENTIALS_DIRECTORY");
	unlink(path);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_back_what_was_put_in_order),
		cmocka_unit_test(each_damaged_byte_costs_its_own_post_alone_and_is_told),
		cmocka_unit_test(what_was_acknowledged_is_missed_wherever_it_is_cut),
		cmocka_unit_test(a_tail_that_nobody_was_told_of_is_cut_without_a_word),
		cmocka_unit_test(posts_doubled_swapped_left_out_or_moved_are_seen),
		cmocka_unit_test(both_heads_gone_another_key_or_feed_refuses_the_segment),
		cmocka_unit_test(a_full_disk_at_any_write_loses_nothing_and_doubles_nothing),
		cmocka_unit_test(segments_wait_in_order_are_placed_cleaned_and_fed_again),
		cmocka_unit_test(a_key_file_that_others_read_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
