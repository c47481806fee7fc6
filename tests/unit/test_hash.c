/* SipHash-2-4 against its authors' vectors (key 00 01 .. 0f, message 00 01 .. n-1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/store/hash.h"

static void gives_the_values_of_its_authors(void **state)
{
	/* J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", appendix A and the
	 * reference code's vectors. */
	static const struct {
		size_t n;
		uint64_t hash;
	} vector[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) },  { 1, UINT64_C(0x74f839c593dc67fd) },
		{ 7, UINT64_C(0xab0200f58b01d137) },  { 8, UINT64_C(0x93f5f5799a932462) },
		{ 15, UINT64_C(0xa129ca6149be45e5) },
	};
	const struct gw_hash_key key = { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) };
	uint8_t message[64];

	(void)state;
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(vector) / sizeof(vector[0]); i++)
		assert_true(gw_hash(key, message, vector[i].n) == vector[i].hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(gives_the_values_of_its_authors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
