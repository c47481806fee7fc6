#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bus/base64.h"
#include "bus/crypto.h"
#include "tests/support/engine_support.h"
#include "gateway/serve/access.h"

#define SCHEMA                                                                                               \
	"{\"type\":\"record\",\"name\":\"A\",\"x_jenis\":\"register\",\"x_kunci\":\"id\",\"fields\":["       \
	"{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"nama\",\"type\":\"string\"},"                     \
	"{\"name\":\"utang\",\"type\":\"long\"},{\"name\":\"kode\",\"type\":\"string\"}]}"
#define VIEW(name, more)                                                                                     \
	"/*---\nname: " name "\nkey: id\n" more "routes: {uji_a: _key}\ncolumns:\n"                          \
	"  id: {type: text, pdp: P}\n  nama: {type: text, pdp: U}\n  utang: {type: int, pdp: S}\n"           \
	"  kode: {type: text, pdp: N}\n---*/\nSELECT _key AS id, nama, utang, kode FROM uji_a"

enum { ID = 1, NAMA = 2, UTANG = 4, KODE = 8, ALL = 15 };

static struct engine *t;
static char policy_path[128], keys_path[128];
static struct gw_access *a;

static void put_file(const char *path, const char *text)
{
	FILE *fp = fopen(path, "we");

	assert_non_null(fp);
	fputs(text, fp);
	fclose(fp);
}

static int setup(void **state)
{
	(void)state;
	t = engine_new();
	engine_topic(t, "pku.uji.a.v1", engine_schema(SCHEMA));
	engine_view(t, "satu", VIEW("satu", ""));
	engine_view(t, "dua", VIEW("dua", "scope: [kode, utang]\n"));
	engine_view(t, "dalam", VIEW("dalam", "internal: true\n"));
	engine_open(t, NULL);
	snprintf(policy_path, sizeof(policy_path), "%s/policy.yaml", t->dir);
	snprintf(keys_path, sizeof(keys_path), "%s/access.keys", t->dir);
	put_file(keys_path, "");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	gw_access_close(&a);
	engine_free(&t);
	return 0;
}

static enum bus_err open_policy(const char *policy, struct bus_error *err)
{
	gw_access_close(&a);
	put_file(policy_path, policy);
	return gw_access_open(t->e, policy_path, keys_path, &a, err);
}

static struct gw_grant grant(const char *reader, const char *view)
{
	struct gw_grant g = gw_access_grant(a, reader, gw_view_find(t->e, view));

	g.shown &= ALL;
	g.clear &= ALL;
	return g;
}

static void assert_grant(const char *reader, const char *view, uint64_t shown, uint64_t clear)
{
	struct gw_grant g = grant(reader, view);

	assert_true(g.allowed);
	assert_int_equal(g.shown, shown);
	assert_int_equal(g.clear & shown, clear);
}

static void what_is_not_written_is_denied(void **state)
{
	struct bus_error err;

	(void)state;
	assert_int_equal(open_policy("readers:\n  dinsos:\n    views:\n      satu: {}\n  kosong: {}\n", &err),
			 BUS_OK);
	assert_true(grant("dinsos", "satu").allowed);
	assert_false(grant("dinsos", "dua").allowed);
	assert_false(grant("kosong", "satu").allowed);
	assert_false(grant("lain", "satu").allowed);
	assert_false(gw_access_status(a, "dinsos"));
	assert_false(gw_access_status(a, "lain"));
}

static void personal_columns_are_masked_unless_cleared(void **state)
{
	struct bus_error err;

	(void)state;
	assert_int_equal(
	    open_policy("readers:\n  a:\n    status: true\n    views:\n      satu: {}\n"
			"      dua: {clear: [nama]}\n  b:\n    views:\n      \"*\": {clear: [\"*\"]}\n",
			&err),
	    BUS_OK);
	assert_grant("a", "satu", ALL, ID | KODE);
	assert_grant("a", "dua", ALL, ID | NAMA | KODE);
	assert_grant("b", "satu", ALL, ALL);
	assert_true(gw_access_status(a, "a"));
	assert_false(gw_access_status(a, "b"));
}

static void columns_leaves_others_out_but_never_the_key(void **state)
{
	struct bus_error err;

	(void)state;
	assert_int_equal(open_policy("readers:\n  a:\n    views:\n      satu: {columns: [kode]}\n", &err),
			 BUS_OK);
	assert_grant("a", "satu", ID | KODE, ID | KODE);
}

static void a_star_reaches_no_internal_view(void **state)
{
	struct bus_error err;

	(void)state;
	assert_int_equal(open_policy("readers:\n  a:\n    views:\n      \"*\": {clear: [\"*\"]}\n", &err),
			 BUS_OK);
	assert_false(grant("a", "dalam").allowed);
	assert_int_equal(open_policy("readers:\n  a:\n    views:\n      dalam: {}\n", &err), BUS_EPARSE);
}

static void groups_are_named_after_the_reader_unless_said(void **state)
{
	struct bus_error err;

	(void)state;
	assert_int_equal(open_policy("readers:\n  a: {}\n  a-b: {}\n  c: {groups: [laporan, \"a-x*\"]}\n  d: {groups: []}\n"
				     "  e: {groups: [\"*\"]}\n", &err), BUS_OK);
	assert_true(gw_access_group(a, "a", "a") && gw_access_group(a, "a", "a-1") && gw_access_group(a, "a", "a.1"));
	assert_false(gw_access_group(a, "a", "ab") || gw_access_group(a, "a", "") || gw_access_group(a, "a", "laporan"));
	assert_true(gw_access_group(a, "a-b", "a-b-1"));
	assert_false(gw_access_group(a, "a", "a-b-1"));
	assert_true(gw_access_group(a, "c", "laporan") && gw_access_group(a, "c", "a-xyz"));
	assert_false(gw_access_group(a, "c", "laporan2") || gw_access_group(a, "c", "c"));
	assert_false(gw_access_group(a, "d", "d") || gw_access_group(a, "lain", "lain"));
	assert_true(gw_access_group(a, "e", "apa saja"));
	assert_int_equal(open_policy("readers:\n  a: {groups: [\"x*y\"]}\n", &err), BUS_EPARSE);
	assert_int_equal(open_policy("readers:\n  a: {groups: laporan}\n", &err), BUS_EPARSE);
	assert_int_equal(open_policy("readers:\n  a: {topics: {_schemas: {}}}\n", &err), BUS_EPARSE);
}

static void rows_are_limited_to_values_of_scope_columns(void **state)
{
	const struct gw_scope *rows;
	struct bus_error err;

	(void)state;
	assert_int_equal(
	    open_policy("readers:\n  a:\n    streams: 5\n    views:\n      dua: {rows: {kode: [x, y], "
			"utang: [7]}}\n  b:\n    views: {dua: {}}\n",
			&err),
	    BUS_OK);
	rows = grant("a", "dua").rows;
	assert_non_null(rows);
	assert_int_equal(rows->n, 2);
	assert_int_equal(rows->part[0].n, 2);
	assert_string_equal(rows->part[0].value[1], "y");
	assert_string_equal(rows->part[1].column, "utang");
	assert_null(grant("b", "dua").rows);
	assert_int_equal(gw_access_streams(a, "a"), 5);
	assert_int_equal(gw_access_streams(a, "b"), GW_STREAMS_DEFAULT);
	/* Said again, it is the same thing. */
	assert_int_equal(gw_access_reload(a, &err), BUS_OK);
	assert_ptr_equal(grant("a", "dua").rows, rows);
}

static void a_mistake_is_told_with_file_and_line(void **state)
{
	static const struct {
		const char *policy, *line, *what;
	} bad[] = {
		{ "readers:\n  a:\n    views:\n      satu: {clear: [nma]}\n", ":4:", "did you mean 'nama'" },
		{ "readers:\n  a:\n    views:\n      satu: {columns: nama}\n", ":4:", "list" },
		{ "readers:\n  a:\n    views:\n      satu: {hide: [nama]}\n", ":4:", "hide" },
		{ "readers:\n  a:\n    stattus: true\n", ":3:", "stattus" },
		{ "readers:\n  a:\n    status: perhaps\n", ":3:", "status" },
		{ "readers:\n  \"a b\": {}\n", ":2:", "name" },
		{ "readers:\n  a:\n    views: [satu]\n", ":3:", "map" },
		{ "reader:\n  a: {}\n", ":1:", "readers" },
		{ "readers:\n  a:\n    views:\n      dua: {rows: {nama: [x]}}\n", ":4:", "scope" },
		{ "readers:\n  a:\n    views:\n      dua: {rows: {utang: [x]}}\n", ":4:", "utang" },
		{ "readers:\n  a:\n    views:\n      dua: {rows: {kode: []}}\n", ":4:", "list" },
		{ "readers:\n  a:\n    views:\n      dua: {rows: {}}\n", ":4:", "map" },
		{ "readers: {}\nmore: 1\n", ":2:", "more" },
	};
	struct bus_error err;

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		assert_int_equal(open_policy(bad[i].policy, &err), BUS_EPARSE);
		assert_null(a);
		if (!strstr(err.text, policy_path) || !strstr(err.text, bad[i].line) ||
		    !strstr(err.text, bad[i].what))
			fail_msg("policy %zu: %s", i, err.text);
	}
}

static void a_new_key_is_known_by_its_digest_only(void **state)
{
	struct bus_buf secret = { 0 }, file = { 0 };
	uint8_t digest[BUS_SHA256_LEN];
	char hex[2 * BUS_SHA256_LEN + 1], name[GW_READER_NAME_MAX], line[256];
	struct bus_error err;
	struct stat st;
	FILE *fp;

	(void)state;
	unlink(keys_path);
	assert_int_equal(gw_access_key_new(keys_path, "dinsos", &secret, &err), BUS_OK);
	assert_int_equal(secret.n, 3 + 8 + 1 + 43);
	assert_memory_equal(secret.p, "tk_", 3);
	assert_int_equal(stat(keys_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	bus_sha256(secret.p, secret.n, digest);
	bus_hex(digest, sizeof(digest), hex);
	fp = fopen(keys_path, "re");
	while (fgets(line, sizeof(line), fp))
		bus_buf_puts(&file, line);
	fclose(fp);
	assert_non_null(strstr(bus_buf_cstr(&file), hex));
	assert_null(strstr(file.p, bus_buf_cstr(&secret) + 12));
	assert_int_equal(open_policy("readers: {dinsos: {}}\n", &err), BUS_OK);
	assert_int_equal(gw_access_reader(a, bus_buf_cstr(&secret), name), BUS_OK);
	assert_string_equal(name, "dinsos");
	bus_buf_release(&secret);
	bus_buf_release(&file);
}

static void a_key_that_differs_in_one_character_is_nobodys(void **state)
{
	struct bus_buf secret = { 0 };
	char name[GW_READER_NAME_MAX] = "";
	struct bus_error err;

	(void)state;
	assert_int_equal(gw_access_key_new(keys_path, "dinsos", &secret, &err), BUS_OK);
	assert_int_equal(open_policy("readers: {dinsos: {}}\n", &err), BUS_OK);
	bus_buf_cstr(&secret);
	for (size_t i = 0; i < secret.n; i++) {
		char was = secret.p[i];

		secret.p[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(gw_access_reader(a, secret.p, name), BUS_EDENIED);
		secret.p[i] = was;
	}
	secret.p[secret.n - 1] = '\0';
	assert_int_equal(gw_access_reader(a, secret.p, name), BUS_EDENIED);
	assert_int_equal(gw_access_reader(a, "", name), BUS_EDENIED);
	assert_string_equal(name, "");
	bus_buf_release(&secret);
}

static void a_damaged_key_file_is_told_with_its_line(void **state)
{
	static const char good[] =
	    "a 0123abcd 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff 2026-11-22\n";
	static const char *const bad[] = { "a 0123abcd\n", "a 0123abcd 0011\n", "a/b 0123abcd 00112233\n" };
	struct bus_error err;
	char text[512];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		snprintf(text, sizeof(text), "# keys\n%s%s", good, bad[i]);
		put_file(keys_path, text);
		assert_int_equal(open_policy("readers: {}\n", &err), BUS_EPARSE);
		assert_non_null(strstr(err.text, ":3:"));
	}
	unlink(keys_path);
	assert_int_equal(open_policy("readers: {}\n", &err), BUS_ENOENT);
	assert_non_null(strstr(err.text, "key new"));
}

static void a_reload_that_fails_changes_nothing(void **state)
{
	struct bus_error err;

	(void)state;
	assert_int_equal(open_policy("readers:\n  a:\n    views:\n      satu: {}\n", &err), BUS_OK);
	put_file(policy_path, "readers:\n  a:\n    views:\n      satu: {clear: [nowhere]}\n");
	assert_int_equal(gw_access_reload(a, &err), BUS_EPARSE);
	assert_true(grant("a", "satu").allowed);
	put_file(policy_path, "readers:\n  a:\n    views:\n      dua: {}\n");
	assert_int_equal(gw_access_reload(a, &err), BUS_OK);
	assert_false(grant("a", "satu").allowed);
	assert_true(grant("a", "dua").allowed);
}

static void count_reader(void *ctx, const char *reader, size_t keys, const struct gw_views *views,
			 const struct gw_grant *g)
{
	int allowed = 0;

	for (size_t i = 0; i < views->n; i++)
		allowed += g[i].allowed;
	bus_buf_printf(ctx, "%s %zu %d;", reader, keys, allowed);
}

static void every_reader_can_be_listed_with_its_keys(void **state)
{
	struct bus_buf secret = { 0 }, list = { 0 };
	struct bus_error err;

	(void)state;
	assert_int_equal(gw_access_key_new(keys_path, "b", &secret, &err), BUS_OK);
	assert_int_equal(gw_access_key_new(keys_path, "b", &secret, &err), BUS_OK);
	assert_int_equal(
	    open_policy("readers:\n  a:\n    views: {satu: {}}\n  b:\n    views: {\"*\": {}}\n", &err),
	    BUS_OK);
	gw_access_each(a, count_reader, &list);
	assert_string_equal(bus_buf_cstr(&list), "a 0 1;b 2 2;");
	bus_buf_release(&secret);
	bus_buf_release(&list);
}

static void a_key_comes_as_password_of_http_basic(void **state)
{
	struct bus_buf secret = { 0 }, both = { 0 }, header = { 0 };
	static const char *const users[] = { "", "dinsos", "a b" };
	static const char *const bad[] = { "",	"Basic",	 "Basic ",	    "Basic =",
					   "Basic OnRr", "Basic Og==", "Bearer dGs6dGs=", "Basic dGs6dGs" };
	char key[GW_KEY_LEN + 1];
	struct bus_error err;

	(void)state;
	assert_int_equal(gw_access_key_new(keys_path, "dinsos", &secret, &err), BUS_OK);
	for (size_t i = 0; i < BUS_LEN(users); i++) {
		both.n = header.n = 0;
		bus_buf_printf(&both, "%s:%s", users[i], bus_buf_cstr(&secret));
		bus_buf_puts(&header, i == 1 ? "basic  " : "Basic ");
		bus_base64_put(bus_buf_str(&both), &header);
		assert_true(gw_access_basic(bus_buf_cstr(&header), key));
		assert_string_equal(key, bus_buf_cstr(&secret));
		both.n--; /* one character less is no key */
		header.n = 6;
		bus_base64_put(bus_buf_str(&both), &header);
		assert_false(gw_access_basic(bus_buf_cstr(&header), key));
	}
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		assert_false(gw_access_basic(bad[i], key));
	bus_buf_release(&secret);
	bus_buf_release(&both);
	bus_buf_release(&header);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_not_written_is_denied),
		T(personal_columns_are_masked_unless_cleared),
		T(columns_leaves_others_out_but_never_the_key),
		T(a_star_reaches_no_internal_view),
		T(groups_are_named_after_the_reader_unless_said),
		T(rows_are_limited_to_values_of_scope_columns),
		T(a_mistake_is_told_with_file_and_line),
		T(a_new_key_is_known_by_its_digest_only),
		T(a_key_comes_as_password_of_http_basic),
		T(a_key_that_differs_in_one_character_is_nobodys),
		T(a_damaged_key_file_is_told_with_its_line),
		T(a_reload_that_fails_changes_nothing),
		T(every_reader_can_be_listed_with_its_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
