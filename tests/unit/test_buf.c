#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bus/buf.h"

static void is_empty_when_zeroed(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	assert_string_equal(bus_buf_cstr(&b), "");
	assert_int_equal(b.n, 0);
	bus_buf_release(&b);
	bus_buf_release(&b);
}

static void grows_and_keeps_what_it_has(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	for (int i = 0; i < 100000; i++)
		bus_buf_putc(&b, (char)('a' + i % 26));
	assert_int_equal(b.n, 100000);
	assert_true(b.cap >= b.n);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.p[i], 'a' + i % 26);
	bus_buf_release(&b);
}

static void formats_text_longer_than_its_room(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	bus_buf_puts(&b, "x");
	bus_buf_printf(&b, "%0500d|%s", 7, "end");
	assert_int_equal(b.n, 1 + 500 + 4);
	assert_string_equal(bus_buf_cstr(&b) + 500, "7|end");
	bus_buf_release(&b);
}

static void takes_bytes_of_any_value(void **state)
{
	struct bus_buf b = { 0 };

	(void)state;
	bus_buf_put(&b, "a\0b", 3);
	bus_buf_put(&b, NULL, 0);
	assert_true(bus_str_eq(bus_buf_str(&b), (struct bus_str){ "a\0b", 3 }));
	bus_buf_release(&b);
}

static void hands_its_bytes_over(void **state)
{
	struct bus_buf b = { 0 };
	size_t n;
	char *p;

	(void)state;
	bus_buf_puts(&b, "abc");
	p = bus_buf_take(&b, &n);
	assert_string_equal(p, "abc");
	assert_int_equal(n, 3);
	assert_null(b.p);
	assert_int_equal(b.cap, 0);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_empty_when_zeroed),
		cmocka_unit_test(grows_and_keeps_what_it_has),
		cmocka_unit_test(formats_text_longer_than_its_room),
		cmocka_unit_test(takes_bytes_of_any_value),
		cmocka_unit_test(hands_its_bytes_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
