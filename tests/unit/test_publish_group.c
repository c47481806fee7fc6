/* Which batches share a transaction (gateway/publish/group.c): a reader of whom Kafka does not take a record is kept
 * from the others after that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bus/clock.h"
#include "gateway/publish/commit.h"

static struct gw_publish all;
static struct gw_journal journal;
static struct gw_commit commit;
static size_t done;

static void on_done(struct gw_publish_batch *b)
{
	done++;
	gw_publish_batch_free(&b);
}

static int setup(void **state)
{
	(void)state;
	memset(&all, 0, sizeof(all));
	memset(&journal, 0, sizeof(journal));
	memset(&commit, 0, sizeof(commit));
	done = 0;
	pthread_rwlock_init(&all.plain_lock, NULL);
	pthread_mutex_init(&all.held_lock, NULL);
	pthread_mutex_init(&journal.lock, NULL);
	all.records = all.refused = all.replayed = journal.aborts =
	    bus_metric("uji_total", "counter", "", "");
	journal.all = &all;
	commit.j = &journal;
	commit.lane = &journal.lane[0];
	gw_batch_list_init(&commit.group);
	gw_batch_list_init(&commit.rest);
	gw_batch_list_init(&commit.lane->ready);
	return 0;
}

static struct gw_publish_batch *add(const char *reader, size_t n)
{
	struct gw_publish_batch *b = gw_publish_batch_new(&all, "topik", reader);

	while (b->n < n)
		(void)gw_publish_add(b);
	b->done = on_done;
	b->until = INT64_MAX;
	gw_batch_list_add(&commit.lane->ready, b);
	return b;
}

static void take(void)
{
	struct gw_journal_work w;

	gw_journal_work_init(&w);
	gw_commit_take_group(&commit, &w);
	gw_journal_work_do(&journal, &w);
}

static void expect_group(struct gw_publish_batch *a, struct gw_publish_batch *b)
{
	assert_ptr_equal(commit.group.first, a);
	assert_ptr_equal(a->next, b);
	if (b)
		assert_null(b->next);
}

static void drop_group(void)
{
	struct gw_publish_batch *b;

	while ((b = commit.group.first)) {
		commit.group.first = b->next;
		gw_publish_batch_free(&b);
	}
	gw_batch_list_init(&commit.group);
}

static void who_made_it_fail_is_kept_from_the_others(void **state)
{
	struct gw_publish_batch *a, *bad, *c, *later, *more;

	(void)state;
	a = add("a", 1);
	bad = add("jahat", 2);
	c = add("c", 2);
	gw_publish_refuse(c, &c->record[0], "record-invalid", NULL, NULL); /* before it came here: no fault */
	take();
	assert_ptr_equal(commit.group.first, a);
	assert_null(c->next);
	bad->record[1].problem = "record-too-large";
	a->record[0].problem = "publish-unknown"; /* its transaction was undone */
	later = add("a", 1);
	assert_true(gw_commit_begin_again(&commit));
	assert_null(commit.group.first);
	take();
	expect_group(a, c); /* neither `bad` nor who came later */
	assert_null(a->record[0].problem);
	assert_string_equal(c->record[0].problem, "record-invalid");
	drop_group();
	more = add("jahat", 1);
	take();
	expect_group(later, NULL);
	drop_group();
	take();
	expect_group(bad, more); /* his next one too */
	assert_string_equal(bad->record[1].problem, "record-too-large");
	assert_null(bad->record[0].problem);
	later = add("c", 1);
	assert_false(gw_commit_begin_again(&commit)); /* for some other reason */
	take();
	expect_group(bad, more);
	drop_group();
	take();
	expect_group(later, NULL);
	drop_group();
	assert_int_equal(done, 0);
}

static void an_atomic_batch_of_which_a_part_is_refused_is_over(void **state)
{
	struct gw_publish_batch *a, *bad;

	(void)state;
	bad = add("jahat", 3);
	bad->atomic = true;
	a = add("a", 1);
	take();
	bad->record[2].problem = "record-refused";
	assert_true(gw_commit_begin_again(&commit));
	assert_int_equal(done, 1);
	take();
	expect_group(a, NULL);
	drop_group();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(who_made_it_fail_is_kept_from_the_others, setup),
		cmocka_unit_test_setup(an_atomic_batch_of_which_a_part_is_refused_is_over, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
