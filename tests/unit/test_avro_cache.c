/* Plans kept: once a pair, bounded, shared between threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "schemas/avro/cache.h"
#include "tests/support/schemas.h"

static struct schema_plan *plan_of(struct schema_cache *c, struct schema *w, struct schema *r)
{
	struct schema_plan *plan = NULL;

	assert_int_equal(schema_cache_plan(c, w, r, &plan, NULL), BUS_OK);
	return plan;
}

static void compiles_a_pair_once(void **state)
{
	struct schema *w = schema_of_quoted("'int'");
	struct schema *r = schema_of_quoted("'long'");
	struct schema_cache *c = schema_cache_new(0, 0);
	struct schema_plan *a = plan_of(c, w, r);
	struct schema_plan *b = plan_of(c, w, r);
	struct schema_plan *own = plan_of(c, w, NULL);
	struct schema_plan *same = plan_of(c, w, w);

	(void)state;
	assert_ptr_equal(a, b);
	assert_ptr_equal(own, same);
	assert_ptr_not_equal(a, own);
	schema_cache_free(&c);
	assert_ptr_equal(schema_plan_reader(a), r); /* still ours */
	schema_plan_free(&a);
	schema_plan_free(&b);
	schema_plan_free(&own);
	schema_plan_free(&same);
	schema_unref(&w);
	schema_unref(&r);
}

#define MANY 40

static void lets_the_least_recently_used_go(void **state)
{
	struct schema *s[MANY];
	struct schema_plan *held[MANY];
	struct schema_plan *again;
	struct schema_cache *c = schema_cache_new(3, 0);

	(void)state;
	for (int i = 0; i < MANY; i++) {
		s[i] = schema_of_quoted("'int'");
		held[i] = plan_of(c, s[i], NULL);
		again = plan_of(c, s[0], NULL); /* used all the time: stays */
		assert_ptr_equal(again, held[0]);
		schema_plan_free(&again);
	}
	again = plan_of(c, s[MANY - 1], NULL);
	assert_ptr_equal(again, held[MANY - 1]);
	schema_plan_free(&again);
	again = plan_of(c, s[5], NULL); /* gone: compiled anew, while we hold the old one */
	assert_ptr_not_equal(again, held[5]);
	schema_plan_free(&again);
	for (int i = 0; i < MANY; i++) {
		schema_plan_free(&held[i]);
		schema_unref(&s[i]);
	}
	schema_cache_free(&c);
}

static void keeps_no_more_bytes_than_it_may(void **state)
{
	struct schema *a = schema_of_quoted("'int'");
	struct schema *b = schema_of_quoted("'int'");
	struct schema_plan *plan = NULL;
	struct schema_plan *first;
	struct schema_plan *second;
	struct schema_cache *none;
	struct schema_cache *one;

	(void)state;
	assert_int_equal(schema_plan(a, NULL, &plan, NULL), BUS_OK);
	one = schema_cache_new(0, schema_plan_bytes(plan) * 3 / 2);
	none = schema_cache_new(0, 1);
	schema_plan_free(&plan);

	first = plan_of(one, a, NULL);
	second = plan_of(one, b, NULL);
	plan = plan_of(one, b, NULL);
	assert_ptr_equal(plan, second);
	schema_plan_free(&plan);
	plan = plan_of(one, a, NULL);
	assert_ptr_not_equal(plan, first);
	schema_plan_free(&plan);
	schema_plan_free(&first);
	schema_plan_free(&second);

	first = plan_of(none, a, NULL);
	second = plan_of(none, a, NULL);
	assert_ptr_not_equal(first, second);
	schema_plan_free(&first);
	schema_plan_free(&second);
	schema_cache_free(&one);
	schema_cache_free(&none);
	schema_unref(&a);
	schema_unref(&b);
}

struct job {
	struct schema_cache *cache;
	struct schema **schema;
	unsigned seed;
};

static void *use(void *arg)
{
	struct job *job = arg;
	struct schema_reader *reader = schema_reader_new(NULL);

	for (int i = 0; i < 3000; i++) {
		struct schema_plan *plan = NULL;
		const struct schema_cell *root;

		job->seed = job->seed * 1103515245U + 12345U;
		if (schema_cache_plan(job->cache, job->schema[job->seed >> 16 & 7], NULL, &plan, NULL) !=
			BUS_OK ||
		    schema_read_cells(reader, plan, BUS_STR("\6"), &root, NULL) != BUS_OK || root->i != 3)
			abort();
		schema_plan_free(&plan);
	}
	schema_reader_free(&reader);
	return NULL;
}

static void serves_threads_side_by_side(void **state)
{
	struct schema *s[8];
	struct job job[3];
	pthread_t thread[3];
	struct schema_cache *c = schema_cache_new(4, 0);

	(void)state;
	for (int i = 0; i < 8; i++)
		s[i] = schema_of_quoted("'long'");
	for (unsigned i = 0; i < 3; i++) {
		job[i] = (struct job){ c, s, i };
		assert_int_equal(pthread_create(&thread[i], NULL, use, &job[i]), 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	schema_cache_free(&c);
	for (int i = 0; i < 8; i++)
		schema_unref(&s[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compiles_a_pair_once),
		cmocka_unit_test(lets_the_least_recently_used_go),
		cmocka_unit_test(keeps_no_more_bytes_than_it_may),
		cmocka_unit_test(serves_threads_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
