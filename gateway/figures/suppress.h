/* gateway/figures/suppress.h - which numbers of a month are not told, so that nobody can be found behind those that are.
 *
 * A month is one column of counts, an area each, and their sum. The rule, k being at least 10:
 *
 *   1  counts below k are not told, zero included
 *   2  when there are any, further areas are left out too, in an order that depends on names alone (indicator, month and
 *      area, hashed), at least one, until the counts left out add up to (m + 2) k, m being their number
 *   3  when no areas are left for that, nothing of the month is told, the sum neither
 *   4  else the sum is told
 *
 * Why it holds, also against who knows this rule and which areas are small: what is left out and not small adds up to
 * k for each and 2k more at least, so any one small count may be anything from 0 to k-1, and the numbers left out beside
 * it make up for it without changing what is told: the sum and m are public, and so is whether the rule could have
 * stopped earlier, which such an exchange leaves as it is (tests/integration/test_figures.py tries all of it).
 * The choice looks at no value beyond sums; "the next smallest" would give the small one away. Thread: any.
 */
#ifndef GATEWAY_FIGURES_SUPPRESS_H
#define GATEWAY_FIGURES_SUPPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GW_FIGURES_K 10 /* the least there may be */
#define GW_FIGURES_AREAS_MAX 2000

/* area[n], count[n] >= 0 -> told[n]; true: the sum is told. salt: indicator and month. */
bool gw_figures_suppress(const char *salt, const char *const *area, const int64_t *count, size_t n, int64_t k,
			 bool *told);

#endif
