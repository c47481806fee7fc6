/* Records of the group's topic: what is written is read, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "gateway/engine/group.h"
#include "gateway/engine/group_wire.h"

static void a_batch_comes_back_item_by_item(void **state)
{
	struct gw_group_record r = {
		.kind = GW_GROUP_BATCH, .node = UINT64_MAX, .epoch = 3, .store = 1, .n = 300, .last = true
	};
	struct gw_group_item in[] = {
		{ .what = GW_ITEM_INPUT, .name = BUS_STR("pku.uji.a.v1"), .part = 2, .n = 1234567890123 },
		{ .what = GW_ITEM_VIEW, .name = BUS_STR("warga") },
		{ .what = GW_ITEM_PRESENT,
		  .n = 77,
		  .text = BUS_STR("kunci"),
		  .hash = 0xfedcba9876543210,
		  .n_scope = 5,
		  .scope = { { .type = GW_TEXT, .s = BUS_STR("1471") },
			     { .type = GW_NULL },
			     { .type = GW_INT, .i = -5 },
			     { .type = GW_REAL, .r = 2.5 },
			     { .type = GW_TEXT, .s = BUS_STR("") } } },
		{ .what = GW_ITEM_GONE, .n = 78, .text = BUS_STR("") },
		{ .what = GW_ITEM_DEFINE, .name = BUS_STR("v"), .n = 1, .text = BUS_STR("SELECT 1") },
		{ .what = GW_ITEM_WAITS_ALL, .name = BUS_STR("warga") },
		{ .what = GW_ITEM_END, .n = 78, .part = 29000000 },
	};
	struct gw_group_item out;
	struct bus_buf b = { 0 };

	(void)state;
	gw_group_put_record(&b, &r);
	for (size_t i = 0; i < BUS_LEN(in); i++)
		gw_group_put_item(&b, &in[i]);
	assert_int_equal(gw_group_read_record(bus_buf_str(&b), &r), BUS_OK);
	assert_true(r.last && r.node == UINT64_MAX && r.n == 300);
	for (size_t i = 0; i < BUS_LEN(in); i++) {
		assert_int_equal(gw_group_read_item(&r.items, &out), BUS_OK);
		assert_int_equal(out.what, in[i].what);
		assert_true(out.n == in[i].n && out.part == in[i].part && out.hash == in[i].hash);
		assert_true(bus_str_eq(out.name, in[i].name) && bus_str_eq(out.text, in[i].text));
		assert_int_equal(out.n_scope, in[i].n_scope);
		for (size_t k = 0; k < out.n_scope; k++) {
			assert_int_equal(out.scope[k].type, in[i].scope[k].type);
			assert_true(out.scope[k].i == in[i].scope[k].i && out.scope[k].r == in[i].scope[k].r);
			assert_true(bus_str_eq(out.scope[k].s, in[i].scope[k].s));
		}
	}
	assert_int_equal(r.items.n, 0);
	bus_buf_release(&b);
}

static void what_is_cut_is_refused(void **state)
{
	const struct gw_group_record beat = {
		.kind = GW_GROUP_BEAT,
		.node = 5,
		.role = GW_GROUP_LEADS,
		.name = "a",
		.url = "http://b",
		.at_ms = 1767225600000,
	};
	const struct gw_group_item item = { .what = GW_ITEM_PRESENT,
					    .n = 1,
					    .text = BUS_STR("abc"),
					    .n_scope = 1,
					    .scope = { { .type = GW_TEXT, .s = BUS_STR("xyz") } } };
	struct gw_group_record r;
	struct gw_group_item out;
	struct bus_buf b = { 0 };

	(void)state;
	gw_group_put_record(&b, &beat);
	assert_int_equal(gw_group_read_record(bus_buf_str(&b), &r), BUS_OK);
	assert_int_equal(r.at_ms, 1767225600000);
	for (size_t n = 0; n < b.n; n++) /* but before the time: an older gateway does not say it */
		assert_int_equal(gw_group_read_record((struct bus_str){ b.p, n }, &r),
				 n == b.n - 6 ? BUS_OK : BUS_EDATA);
	bus_buf_reset(&b);
	gw_group_put_item(&b, &item);
	for (size_t n = 1; n < b.n; n++) {
		struct bus_str cut = { b.p, n };

		assert_int_equal(gw_group_read_item(&cut, &out), BUS_EDATA);
	}
	bus_buf_release(&b);
}

#define URL "http://10.0.0.11:18081"

static void a_copy_is_for_who_has_the_key_and_the_time(void **state)
{
	static const uint8_t key[BUS_KEY_LEN] = { 1 }, other[BUS_KEY_LEN] = { 2 };
	static const uint8_t nonce[GW_GROUP_NONCE_LEN] = { 9, 0xab };
	const int64_t now = 1767225600000;
	uint8_t got[GW_GROUP_NONCE_LEN];
	struct bus_buf b = { 0 };
	const char *value;

	(void)state;
	gw_group_sign(key, URL, now, nonce, &b);
	assert_memory_equal(bus_buf_cstr(&b), "Authorization: ", 15);
	value = bus_buf_cstr(&b) + 15;
	assert_true(gw_group_signed(key, URL, now, value, got));
	assert_memory_equal(got, nonce, sizeof(nonce));
	assert_true(gw_group_signed(key, URL, now + 299000, value, got) &&
		    gw_group_signed(key, URL, now - 299000, value, got));
	assert_false(gw_group_signed(key, URL, now + 301000, value, got) ||
		     gw_group_signed(key, URL, now - 301000, value, got));
	assert_false(gw_group_signed(other, URL, now, value, got));
	assert_false(gw_group_signed(key, "http://10.0.0.12:18081", now, value, got)); /* asked of another */
	for (size_t i = strlen("Authorization: Titian-Group "); i < b.n;
	     i++) { /* time, nonce, code: each counts */
		char was = b.p[i];

		b.p[i] = was == '0' ? '1' : '0';
		assert_false(gw_group_signed(key, URL, now, value, got));
		b.p[i] = was;
	}
	assert_true(gw_group_signed(key, URL, now, value, got));
	assert_false(gw_group_signed(key, URL, now, NULL, got) ||
		     gw_group_signed(key, URL, now, "Bearer x", got) ||
		     gw_group_signed(key, URL, now, "Titian-Group 1767225600000.", got) ||
		     gw_group_signed(key, URL, now, "Titian-Group 99999999999999999999999.ab", got));
	bus_buf_release(&b);
}

static void an_answer_is_to_one_question_and_of_one_copy(void **state)
{
	static const uint8_t key[BUS_KEY_LEN] = { 1 }, other[BUS_KEY_LEN] = { 2 };
	static const uint8_t nonce[GW_GROUP_NONCE_LEN] = { 9 }, later[GW_GROUP_NONCE_LEN] = { 8 };
	static const char digest[] = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:";
	struct bus_buf b = { 0 };
	int64_t bytes;

	(void)state;
	gw_group_copy_seal(key, nonce, digest, INT64_C(123456789012), &b);
	assert_true(b.n < 128); /* what bus/client.h keeps of a header */
	assert_true(gw_group_copy_sealed(key, nonce, digest, bus_buf_cstr(&b), &bytes));
	assert_int_equal(bytes, INT64_C(123456789012));
	assert_false(gw_group_copy_sealed(other, nonce, digest, bus_buf_cstr(&b), &bytes));
	assert_false(gw_group_copy_sealed(key, later, digest, bus_buf_cstr(&b), &bytes));
	assert_false(gw_group_copy_sealed(key, nonce, "sha-256=:x=:", bus_buf_cstr(&b), &bytes));
	b.p[3] = '9'; /* the length */
	assert_false(gw_group_copy_sealed(key, nonce, digest, bus_buf_cstr(&b), &bytes));
	assert_false(gw_group_copy_sealed(key, nonce, digest, "", &bytes) ||
		     gw_group_copy_sealed(key, nonce, digest, "12", &bytes) ||
		     gw_group_copy_sealed(key, nonce, digest, "99999999999999999999.a", &bytes));
	bus_buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_batch_comes_back_item_by_item),
		cmocka_unit_test(what_is_cut_is_refused),
		cmocka_unit_test(a_copy_is_for_who_has_the_key_and_the_time),
		cmocka_unit_test(an_answer_is_to_one_question_and_of_one_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
