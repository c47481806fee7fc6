/* What is not told of a month: counts below k, enough others that nobody can tell, or nothing at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/figures/suppress.h"

#define K 10
#define N 5

static const char *const area[N] = { "1471010001", "1471010002", "1471010003", "1471010004", "LAINNYA" };

static void what_is_large_is_told_with_its_sum(void **state)
{
	const int64_t count[N] = { 10, 11, 500, 10, 73 };
	bool told[N];

	(void)state;
	assert_true(gw_figures_suppress("a/2025-01", area, count, N, K, told));
	for (size_t i = 0; i < N; i++)
		assert_true(told[i]);
}

static void too_little_to_hide_in_is_not_told_at_all(void **state)
{
	const int64_t few[N] = { 0, 3, 9, 1, 0 }, alone[N] = { 3, 12, 12, 12, 12 };
	bool told[N];

	(void)state;
	assert_false(gw_figures_suppress("a/2025-01", area, few, N, K, told));
	for (size_t i = 0; i < N; i++)
		assert_false(told[i]);
	assert_false(gw_figures_suppress("a/2025-01", area, alone, N, K, told)); /* 51 < (5 + 2) 10 */
	for (size_t i = 0; i < N; i++)
		assert_false(told[i]);
	assert_false(gw_figures_suppress("a/2025-01", area, few, 0, K, told));
}

/* Published x, a world with another x for the small one: the same is told of it. */
static bool same_is_told(const char *salt, const int64_t *a, const int64_t *b)
{
	bool told[2][N], sum[2];
	int64_t total[2] = { 0, 0 };

	sum[0] = gw_figures_suppress(salt, area, a, N, K, told[0]);
	sum[1] = gw_figures_suppress(salt, area, b, N, K, told[1]);
	for (size_t i = 0; i < N; i++) {
		total[0] += a[i];
		total[1] += b[i];
		if (told[0][i] != told[1][i] || (told[0][i] && a[i] != b[i]))
			return false;
	}
	return sum[0] == sum[1] && (!sum[0] || total[0] == total[1]);
}

/* Every world in which others make up for it is tried: whoever knows the rule and all but two numbers still finds
 * every value from 0 to k-1 possible for a small one. */
static void every_small_value_stays_possible(void **state)
{
	unsigned seed = 7, hidden = 0, told = 0;

	(void)state;
	for (int round = 0; round < 400; round++) {
		int64_t count[N], other[N];
		bool is[N];
		char salt[32];

		snprintf(salt, sizeof(salt), "a/%d", round);
		for (size_t i = 0; i < N; i++)
			count[i] = rand_r(&seed) % 3 ? 10 + rand_r(&seed) % 60 : rand_r(&seed) % 10;
		told += gw_figures_suppress(salt, area, count, N, K, is);
		for (size_t i = 0; i < N; i++) {
			if (count[i] >= K)
				continue;
			assert_false(is[i]);
			for (int64_t v = 0; v < K; v++) {
				bool possible = false;

				/* what makes up for it is one of the others, or two of them in any way */
				for (size_t p = 0; p < N && !possible; p++) {
					for (size_t q = 0; q < N && !possible; q++) {
						for (int64_t part = -K; part <= K && !possible; part++) {
							memcpy(other, count, sizeof(other));
							if (p == i || q == i)
								continue;
							other[i] = v;
							other[p] += part;
							other[q] += count[i] - v - part;
							possible = other[p] >= 0 && other[q] >= 0 &&
								   same_is_told(salt, count, other);
						}
					}
				}
				assert_true(possible);
				hidden++;
			}
		}
	}
	assert_true(hidden > 1000 && told > 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_large_is_told_with_its_sum),
		cmocka_unit_test(too_little_to_hide_in_is_not_told_at_all),
		cmocka_unit_test(every_small_value_stays_possible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
