#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/arena.h"

static void gives_aligned_memory_that_does_not_overlap(void **state)
{
	struct bus_arena *a = bus_arena_new(0);
	char *p[200];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(p); i++) {
		p[i] = bus_arena_alloc(a, i * 7 + 1);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % 16, 0);
		memset(p[i], (int)i, i * 7 + 1);
	}
	for (size_t i = 0; i < BUS_LEN(p); i++) {
		for (size_t k = 0; k < i * 7 + 1; k++)
			assert_int_equal((unsigned char)p[i][k], i);
	}
	bus_arena_free(&a);
	assert_null(a);
	bus_arena_free(&a);
}

static void gives_nothing_over_its_cap(void **state)
{
	struct bus_arena *a = bus_arena_new(1000);

	(void)state;
	assert_non_null(bus_arena_alloc(a, 900));
	assert_null(bus_arena_alloc(a, 200));
	assert_non_null(bus_arena_alloc(a, 50));
	assert_null(bus_arena_alloc(a, SIZE_MAX));
	assert_null(bus_arena_alloc(a, SIZE_MAX - 8));
	bus_arena_free(&a);
}

static void can_be_used_again_after_a_reset(void **state)
{
	struct bus_arena *a = bus_arena_new(100000);

	(void)state;
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 50; i++)
			assert_non_null(bus_arena_zalloc(a, 1000));
		assert_true(bus_arena_used(a) >= 50000);
		bus_arena_reset(a);
		assert_int_equal(bus_arena_used(a), 0);
	}
	bus_arena_free(&a);
}

static void copies_bytes_and_ends_them(void **state)
{
	struct bus_arena *a = bus_arena_new(64);

	(void)state;
	assert_string_equal(bus_arena_dup(a, "abcdef", 3), "abc");
	assert_string_equal(bus_arena_dup(a, NULL, 0), "");
	assert_null(bus_arena_dup(a, "0123456789012345678901234567890123456789012345678", 49));
	bus_arena_free(&a);
}

static void zeroes_when_asked(void **state)
{
	struct bus_arena *a = bus_arena_new(0);
	char *p = bus_arena_alloc(a, 64);

	(void)state;
	memset(p, 'x', 64);
	bus_arena_reset(a);
	p = bus_arena_zalloc(a, 64);
	for (int i = 0; i < 64; i++)
		assert_int_equal(p[i], 0);
	bus_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_aligned_memory_that_does_not_overlap),
		cmocka_unit_test(gives_nothing_over_its_cap),
		cmocka_unit_test(can_be_used_again_after_a_reset),
		cmocka_unit_test(copies_bytes_and_ends_them),
		cmocka_unit_test(zeroes_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
