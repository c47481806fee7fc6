/* Definitions that come and go by chance, under readers, and under kill -9. */
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/support/live_stage.h"

static void any_wish(struct engine *t)
{
	static const char *const adults[] = { ADULTS("5"),  ADULTS("17"), ADULTS("18"),
					      ADULTS("30"), ADULTS("x"),  NULL };
	static const char *const summary[] = {
		SUMMARY("", "  total: {type: int, pdp: S}\n", TOTAL),
		SUMMARY("", "  umur: {type: int, pdp: U}\n  total: {type: int, pdp: S}\n",
			"o.umur, 3 * " TOTAL),
		SUMMARY("", "  umur: {type: real, pdp: U}\n  total: {type: int, pdp: S}\n",
			"1.0 * o.umur AS umur, " TOTAL),
		POOR,
		NULL,
	};
	static const char *const group[] = { GROUP("1"), GROUP("sum(total) > 50"), GROUP("n > 3"), NULL };

	switch (pick(3)) {
	case 0:
		wish(t, "dewasa", adults[pick(BUS_LEN(adults))]);
		break;
	case 1:
		wish(t, "ringkas", summary[pick(BUS_LEN(summary))]);
		break;
	default:
		wish(t, "per_kel", group[pick(BUS_LEN(group))]);
	}
}

static void one_history(struct engine *t)
{
	struct follower f[] = { { .name = "dewasa" }, { .name = "ringkas" }, { .name = "per_kel" } };
	struct bus_error err = { 0 };

	for (int i = 0; i < 80; i++) {
		for (unsigned k = pick(20); k > 0; k--) {
			if (pick(2))
				tax(t, pick(60), pick(PEOPLE), pick(30));
			else if (pick(6))
				person(t, pick(PEOPLE), pick(40));
			else
				engine_put(t, 0, (char[]){ 'o', '0', (char)('0' + pick(10)), 0 }, NULL);
		}
		if (pick(12) == 0 && t->n > 0) {
			engine_must(engine_try_apply(t, 0, t->n, &err), &err);
			engine_must(gw_core_reload(t->e, &err), &err);
		}
		engine_apply(t, 1 + pick(9), pick(2) ? GW_LIVE : GW_BACKLOG);
		if (pick(4) == 0)
			any_wish(t);
		for (unsigned k = pick(4); k > 0; k--)
			(void)step(t);
		if (pick(15) == 0) {
			gw_core_close(&t->e);
			engine_open(t, NULL);
		}
		for (size_t k = 0; k < BUS_LEN(f); k++) {
			if (!gw_view_find(t->e,
					  f[k].name)) /* dropped: its log is gone, a new one begins anew */
				f[k] = (struct follower){ .name = f[k].name };
			else if (pick(3) == 0)
				follow(t, &f[k]);
		}
	}
	calm(t);
	calm(t);
	assert_int_equal(engine_differences(t), 0);
	for (size_t k = 0; k < BUS_LEN(f); k++) {
		if (!gw_view_find(t->e, f[k].name))
			continue;
		follow(t, &f[k]);
		same_as_the_page(t, &f[k]);
	}
}

struct reading {
	struct engine *t;
	_Atomic bool stop;
	_Atomic int pages;
};

static bool any_row(void *ctx, const struct gw_value *value, uint64_t hash)
{
	(void)ctx;
	(void)value;
	(void)hash;
	return true;
}

static bool any_change(void *ctx, const struct gw_change *c)
{
	(void)ctx;
	(void)c;
	return true;
}

static void *read_on(void *ctx)
{
	struct reading *r = ctx;
	struct bus_error err;
	int64_t last;
	enum bus_err rc;

	while (!r->stop) {
		struct gw_views *set = gw_views_hold(r->t->e);

		for (size_t i = 0; i < set->n; i++) {
			struct gw_query q = { .view = set->view[i], .limit = 20 };
			struct gw_view_state s;

			(void)!gw_view_state(r->t->e, set->view[i]->name, &s);
			rc = gw_page(gw_reader_of(r->t->e), &q, any_row, r, &err);
			/* A view that has gone since the set was taken may have no table any more. */
			assert_true(rc == BUS_OK || rc == BUS_EDB);
			rc = gw_changes(gw_reader_of(r->t->e), set->view[i], NULL, 0, 20, any_change, r,
					&last, &err);
			assert_true(rc == BUS_OK || rc == BUS_ECONFLICT || rc == BUS_EDB);
			r->pages++;
		}
		gw_views_release(&set);
	}
	return NULL;
}

static void readers_go_on_while_views_come_and_go(void **state)
{
	struct engine *t = *state;
	struct reading r = { .t = t };
	pthread_t thread[2];

	seed = 11;
	people(t);
	for (size_t i = 0; i < BUS_LEN(thread); i++)
		assert_int_equal(pthread_create(&thread[i], NULL, read_on, &r), 0);
	for (int i = 0; i < 25; i++) {
		any_wish(t);
		person(t, pick(PEOPLE), pick(40));
		engine_apply(t, 1, GW_LIVE);
		for (unsigned k = pick(5); k > 0; k--)
			(void)step(t);
	}
	calm(t);
	r.stop = true;
	for (size_t i = 0; i < BUS_LEN(thread); i++)
		pthread_join(thread[i], NULL);
	assert_true(r.pages > 25);
}

/* --- kill -9 ------------------------------------------------------------------------------------------ */

/* A gateway of its own: it takes the definition up, until somebody kills it. */
static void build_until_killed(struct engine *t, const char *text)
{
	struct bus_error err = { 0 };
	bool busy = true, pending;

	engine_open(t, NULL);
	wish(t, "dewasa", text);
	while (busy)
		engine_must(gw_live_step(t->e, 1, &busy, &err), &err);
	for (;;)
		engine_must(gw_settle(t->e, GW_FORCE, NULL, &pending, &err), &err);
}

static void killed_at_any_moment_the_store_has_the_old_or_the_new(void **state)
{
	static const char *const text[] = { ADULTS("3"), ADULTS("30") };
	const char *more = getenv("TITIAN_KILLS"); /* make soak-definitions */
	struct engine *t = *state;
	struct follower f = { .name = "dewasa" };
	int old = 0, is_new = 0, kills = more ? atoi(more) : 12;

	seed = more ? (uint64_t)time(NULL) : 7;
	printf("seed %llu\n", (unsigned long long)seed);
	people(t);
	follow(t, &f);
	for (int i = 0; i < kills; i++) {
		const char *want = text[i % 2];
		pid_t child;

		gw_core_close(&t->e);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			build_until_killed(t, want);
		usleep(pick(60000));
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		engine_open(t, NULL);
		engine_settle(t);
		if (bus_str_is(gw_view_def(gw_view_find(t->e, "dewasa"))->text, want))
			is_new++;
		else
			old++;
		assert_int_equal(engine_differences(t), 0);
		follow(t, &f);
		same_as_the_page(t, &f);
		wish(t, "dewasa", want); /* the topic still says so */
		calm(t);
		follow(t, &f);
		same_as_the_page(t, &f);
		assert_int_equal(f.n, i % 2 ? PEOPLE - 30 : PEOPLE - 3);
		assert_int_equal(
		    sql_int(t, "SELECT count(*) FROM sqlite_schema WHERE name LIKE '\\_new%' ESCAPE "
			       "'\\'"),
		    0);
	}
	printf("%d kills: %d left the old one, %d the new one\n", kills, old, is_new);
}

static void any_history_of_records_and_definitions_ends_in_exact_followers(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 8; i++) {
		void *t;

		seed = i * 7919 + 1;
		setup(&t);
		one_history(t);
		teardown(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(readers_go_on_while_views_come_and_go),
		T(killed_at_any_moment_the_store_has_the_old_or_the_new),
		cmocka_unit_test(any_history_of_records_and_definitions_ends_in_exact_followers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
