/* Requests for records that wait (gateway/restproxy/parked.h): whose waiting is over, and nobody else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "bus/mem.h"
#include "gateway/restproxy/consume.h"
#include "gateway/restproxy/parked.h"

#define GROUPS 200
#define EACH 10
#define JOBS (GROUPS * EACH)
#define TOPIC "pku.uji.tunggu.v1"
#define LATER 1000

static struct gw_rp_instance *member(int k, const char *topic)
{
	struct gw_rp_instance *i = gw_rp_instance_new();

	memcpy(i->id, &k, sizeof(k));
	i->seq = 1;
	i->write = (uint64_t)k + 1;
	i->reader = bus_xstrdup("uji");
	i->group = bus_xasprintf("g%d", k % GROUPS);
	i->name = bus_xasprintf("n%d", k);
	i->mode = GW_RP_ASSIGNED;
	i->seen_ms = 500;
	gw_rp_hold(i, topic, k / GROUPS)->next = 7;
	return i;
}

static void say(struct gw_rp_state *s, const struct gw_rp_instance *i)
{
	struct bus_buf key = { 0 }, value = { 0 };
	struct gw_rp_event e;

	gw_rp_put_key('i', i->id, &key);
	gw_rp_put_instance(i, &value);
	gw_rp_state_read(s, bus_buf_str(&key), bus_buf_str(&value), 500, 500, &e);
	assert_int_equal(e.said, GW_RP_SAID_TAKEN);
	bus_buf_release(&key);
	bus_buf_release(&value);
}

struct stage {
	struct gw_rp_state *state;
	struct gw_rp_parked *parked;
	struct gw_rp_job job[JOBS];
	bool due[JOBS];
	int64_t end[EACH]; /* of each partition */
};

static void look(void **at)
{
	struct stage *t = *at;

	gw_rp_parked_changes(t->parked, t->state);
	memset(t->due, 0, sizeof(t->due));
}

static size_t due(struct stage *t, struct gw_rp_job *jobs)
{
	size_t n = 0;

	for (; jobs; jobs = jobs->next, n++)
		t->due[jobs - t->job] = true;
	return n;
}

static int set_up(void **out)
{
	struct stage *t = bus_xcalloc(1, sizeof(*t));

	t->state = gw_rp_state_new();
	t->parked = gw_rp_parked_new(EACH);
	for (int k = 0; k < JOBS; k++) {
		t->job[k].at = member(k, TOPIC);
		say(t->state, t->job[k].at);
	}
	for (int k = 0; k < JOBS; k++) {
		t->job[k].changes = gw_rp_state_changes(t->state, t->job[k].at->group);
		t->job[k].deadline = LATER;
		gw_rp_parked_add(t->parked, &t->job[k]);
	}
	*out = t;
	return 0;
}

static int tear_down(void **at)
{
	struct stage *t = *at;

	due(t, gw_rp_parked_all(t->parked));
	assert_int_equal(gw_rp_parked_count(t->parked), 0);
	gw_rp_parked_free(&t->parked);
	gw_rp_state_free(&t->state);
	for (int k = 0; k < JOBS; k++)
		gw_rp_instance_unref(&t->job[k].at);
	free(t);
	return 0;
}

static void a_change_of_one_group_wakes_that_group(void **at)
{
	struct stage *t = *at;
	struct gw_rp_instance *left = gw_rp_instance_next(t->job[GROUPS + 5].at);
	size_t n;

	look(at);
	assert_null(gw_rp_parked_due(t->parked, 1, 0));
	left->gone = true;
	say(t->state, left);
	gw_rp_instance_unref(&left);
	look(at);
	n = due(t, gw_rp_parked_due(t->parked, 1, 0));
	for (int k = 5; k < JOBS; k += GROUPS)
		assert_true(t->due[k]);
	assert_true(n >= EACH && n <= (size_t)2 * EACH); /* groups whose hashes are one wake together */
	assert_int_equal(gw_rp_parked_count(t->parked), JOBS - n);
	look(at);
	assert_null(gw_rp_parked_due(t->parked, 1, 0));
}

static bool end_of(void *ctx, const char *topic, int32_t partition, int64_t *end)
{
	struct stage *t = ctx;

	assert_string_equal(topic, TOPIC);
	*end = t->end[partition];
	return true;
}

static void a_partition_that_grew_wakes_who_is_behind_it(void **at)
{
	struct stage *t = *at;

	for (int p = 0; p < EACH; p++)
		t->end[p] = 7;
	gw_rp_parked_ends(t->parked, end_of, t);
	look(at);
	assert_null(gw_rp_parked_due(t->parked, 1, 0));
	t->end[3] = 8;
	gw_rp_parked_ends(t->parked, end_of, t);
	assert_int_equal(due(t, gw_rp_parked_due(t->parked, 1, 0)), GROUPS);
	for (int k = 0; k < JOBS; k++)
		assert_int_equal(t->due[k], k / GROUPS == 3);
}

static void a_time_that_is_over_and_one_not_heard_of(void **at)
{
	struct stage *t = *at;

	look(at);
	assert_int_equal(gw_rp_parked_count(t->parked), JOBS);
	t->job[17].deadline = 2;
	assert_int_equal(due(t, gw_rp_parked_due(t->parked, 2, 500)), 1);
	assert_true(t->due[17]);
	assert_int_equal(due(t, gw_rp_parked_due(t->parked, 2, 501)), JOBS - 1);
}

static void who_waits_for_more_than_can_be_looked_at_is_due(void **at)
{
	struct stage *t = *at;
	struct gw_rp_job more = { .at = member(0, "pku.uji.lain.v1"), .deadline = LATER };

	more.changes = gw_rp_state_changes(t->state, more.at->group);
	look(at);
	gw_rp_parked_add(t->parked, &more);
	assert_ptr_equal(gw_rp_parked_due(t->parked, 1, 0), &more);
	assert_null(more.next);
	/* There is room again when those before it are gone. */
	due(t, gw_rp_parked_all(t->parked));
	gw_rp_parked_add(t->parked, &more);
	assert_null(gw_rp_parked_due(t->parked, 1, 0));
	assert_ptr_equal(gw_rp_parked_all(t->parked), &more);
	gw_rp_instance_unref(&more.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_change_of_one_group_wakes_that_group, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_partition_that_grew_wakes_who_is_behind_it, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_time_that_is_over_and_one_not_heard_of, set_up, tear_down),
		cmocka_unit_test_setup_teardown(who_waits_for_more_than_can_be_looked_at_is_due, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
