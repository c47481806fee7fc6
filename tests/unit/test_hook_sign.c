#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <stdio.h>

#include "bus/clock.h"
#include "gateway/hook/sign.h"

/* The example that the reference libraries of Standard Webhooks test themselves with: whsec_ of 24 bytes, which
 * HMAC takes as the same with zeros behind. */
static const char id[] = "msg_p5jXN8AQM9LWM0D4loKWxJek", body[] = "{\"test\": 2432232314}";
#define TIMESTAMP 1614265330
static const char hex[] = "31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0";
static const char hmac[] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
/* By another implementation (pyca/cryptography), of the key 00 01 02 ... 1f. */
static const char ed25519[] =
    "v1a,yoUrgEkc12aGqm0n4Sydmdz55xJfTz4AsAgieHFjmkR7LJtqVCZOQYzvvHjI5kAey+r4iaBGxTFRrl2iBQxtDQ==";

static struct gw_hook_sub *sub_of(enum gw_hook_signature kind)
{
	struct gw_hook_sub *s = gw_hook_sub_new();

	s->signature = kind;
	s->n_secrets = 1;
	for (size_t i = 0; kind == GW_HOOK_HMAC && i < sizeof(hex) / 2; i++) {
		unsigned byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		s->secret[0].key[i] = (uint8_t)byte;
	}
	for (size_t i = 0; kind == GW_HOOK_ED25519 && i < BUS_KEY_LEN; i++)
		s->secret[0].key[i] = (uint8_t)i;
	return s;
}

static const char *sign(const struct gw_hook_sub *s, int64_t now, struct bus_buf *out)
{
	bus_buf_reset(out);
	gw_hook_sign(s, now, id, TIMESTAMP, bus_str(body), out);
	return bus_buf_cstr(out);
}

static void signs_as_the_reference_does(void **state)
{
	struct gw_hook_sub *one = sub_of(GW_HOOK_HMAC), *two = sub_of(GW_HOOK_ED25519);
	struct bus_buf out = { 0 };

	(void)state;
	assert_string_equal(sign(one, 0, &out), hmac);
	assert_string_equal(sign(two, 0, &out), ed25519);
	bus_buf_reset(&out);
	gw_hook_verifier(two, 0, &out);
	assert_string_equal(bus_buf_cstr(&out), "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=");
	bus_buf_release(&out);
	gw_hook_sub_unref(&one);
	gw_hook_sub_unref(&two);
}

static void signs_with_the_old_secret_too_until_it_ends(void **state)
{
	struct gw_hook_sub *s = sub_of(GW_HOOK_HMAC);
	struct bus_buf out = { 0 };
	const char *old;

	(void)state;
	gw_hook_sub_rotate(s, 5000);
	assert_int_equal(s->n_secrets, 2);
	old = strchr(sign(s, 4999, &out), ' ');
	assert_non_null(old);
	assert_string_equal(old + 1, hmac);
	assert_null(strchr(sign(s, 5000, &out), ' '));
	assert_string_not_equal(bus_buf_cstr(&out), hmac);
	/* An earlier end stays; the oldest of too many gives way. */
	gw_hook_sub_rotate(s, 9000);
	assert_int_equal(s->secret[2].until, 5000);
	gw_hook_sub_rotate(s, 9000);
	assert_int_equal(s->n_secrets, GW_HOOK_SECRETS);
	assert_int_equal(s->secret[0].until, 0);
	bus_buf_release(&out);
	gw_hook_sub_unref(&s);
}

/* --- records ----------------------------------------------------------------------------------------- */

static struct gw_hook_sub *full(void)
{
	struct gw_hook_sub *s = sub_of(GW_HOOK_ED25519);

	gw_hook_sub_id(s->id);
	snprintf(s->reader, sizeof(s->reader), "dinsos");
	s->view = bus_xstrdup("warga");
	s->url = bus_xstrdup("https://a.test/\"x\"");
	s->select = bus_xstrdup("id,nama");
	s->filter[0] = (struct gw_hook_filter){ bus_xstrdup("kode_kel"), bus_xstrdup("eq.1") };
	s->n_filters = 1;
	s->format = GW_HOOK_BATCH;
	s->rate = 60;
	s->max_batch = 7;
	s->created = 1700000000123;
	s->suspended = true;
	s->version = 3;
	s->epoch = 2;
	s->round = 4;
	s->anew = true;
	snprintf(s->key_id, sizeof(s->key_id), "0123abcd");
	snprintf(s->from, sizeof(s->from), "kursor");
	gw_hook_sub_rotate(s, 77);
	return s;
}

static void a_record_reads_as_it_was_written(void **state)
{
	struct gw_hook_pos p = { .epoch = 2,
				 .round = 4,
				 .cursor = "kursor",
				 .reset = true,
				 .state = GW_HOOK_SUSPENDED,
				 .reason = GW_HOOK_REVOKED,
				 .failures = 9,
				 .failing_since = 1,
				 .next = 2,
				 .last_at = 3,
				 .last_status = 500,
				 .last_why = "apa",
				 .allowed_rate = 6,
				 .delivered = 12 },
			   q;
	struct gw_hook_sub *s = full(), *t = NULL, *copy = gw_hook_sub_copy(s);
	struct bus_buf one = { 0 }, two = { 0 };

	(void)state;
	gw_hook_sub_write(s, &one);
	assert_int_equal(gw_hook_sub_read(bus_buf_str(&one), &t, NULL), BUS_OK);
	assert_string_equal(t->url, s->url);
	assert_null(t->date);
	assert_string_equal(t->key_id, "0123abcd");
	assert_memory_equal(t->secret, s->secret, sizeof(s->secret));
	gw_hook_sub_write(t, &two);
	assert_string_equal(bus_buf_cstr(&one), bus_buf_cstr(&two));
	bus_buf_reset(&two);
	gw_hook_sub_write(copy, &two);
	assert_string_equal(bus_buf_cstr(&one), bus_buf_cstr(&two));
	bus_buf_reset(&one);
	gw_hook_pos_write(&p, &one);
	assert_int_equal(gw_hook_pos_read(bus_buf_str(&one), &q, NULL), BUS_OK);
	bus_buf_reset(&two);
	gw_hook_pos_write(&q, &two);
	assert_string_equal(bus_buf_cstr(&one), bus_buf_cstr(&two));
	assert_int_equal(q.reason, GW_HOOK_REVOKED);
	bus_buf_release(&one);
	bus_buf_release(&two);
	gw_hook_sub_unref(&s);
	gw_hook_sub_unref(&t);
	gw_hook_sub_unref(&copy);
}

static void a_record_from_before_keys_were_kept_is_bound_to_no_key(void **state)
{
	struct gw_hook_sub *s = full(), *t;
	struct bus_buf text = { 0 };
	char *member;

	(void)state;
	gw_hook_sub_write(s, &text);
	member = strstr(bus_buf_cstr(&text), "\"key_id\":\"0123abcd\",");
	assert_non_null(member);
	memset(member, ' ', strlen("\"key_id\":\"0123abcd\","));
	assert_int_equal(gw_hook_sub_read(bus_buf_str(&text), &t, NULL), BUS_OK);
	assert_string_equal(t->key_id, "");
	assert_string_equal(t->reader, s->reader);
	bus_buf_release(&text);
	gw_hook_sub_unref(&s);
	gw_hook_sub_unref(&t);
}

/* Every record that is cut, or lacks a member, is refused. */
static void what_is_no_record_is_refused(void **state)
{
	struct gw_hook_sub *s = full(), *t;
	struct gw_hook_pos p;
	struct bus_buf text = { 0 };

	(void)state;
	gw_hook_sub_write(s, &text);
	for (size_t n = 0; n < text.n; n++)
		assert_int_equal(gw_hook_sub_read((struct bus_str){ text.p, n }, &t, NULL), BUS_EDATA);
	for (char *name = text.p; (name = memchr(name, '"', text.n - (size_t)(name - text.p))) && name[1];
	     name++)
		if (strncmp(name, "\"view\"", 6) == 0)
			name[2] = 'x';
	assert_int_equal(gw_hook_sub_read(bus_buf_str(&text), &t, NULL), BUS_EDATA);
	assert_int_equal(gw_hook_pos_read(BUS_STR("{\"epoch\":1}"), &p, NULL), BUS_EDATA);
	assert_int_equal(gw_hook_pos_read(BUS_STR("[]"), &p, NULL), BUS_EDATA);
	bus_buf_release(&text);
	gw_hook_sub_unref(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_as_the_reference_does),
		cmocka_unit_test(signs_with_the_old_secret_too_until_it_ends),
		cmocka_unit_test(a_record_reads_as_it_was_written),
		cmocka_unit_test(a_record_from_before_keys_were_kept_is_bound_to_no_key),
		cmocka_unit_test(what_is_no_record_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
