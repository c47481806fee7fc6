#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "adapters/fetch/webdav.h"

static size_t taken(struct bus_str name)
{
	struct adapter_far_list l = { 0 };
	size_t n;

	assert_int_equal(adapter_far_add(&l, name, 1, 1, NULL), BUS_OK);
	n = l.n;
	assert_true(n == 0 || strlen(l.file[0].name) == name.n);
	adapter_far_release(&l);
	return n;
}

static void a_name_that_leads_elsewhere_or_is_none_is_refused(void **state)
{
	static const char *const bad[] = { "../passwd", "a/b",	     "a\\b",	 "..\\x", "a\nb",    "a\tb",
					   "a\x7f",	"a\xff.csv", "\xc0\xaf", "/etc",  "\xe2\x80" };
	static const char *const good[] = { "a.csv", "a b.csv", "data%2f.csv", "\xc3\xa9.csv",
					    "...",   "-rf",	"a\"b'c" };
	char longer[ADAPTER_FAR_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++)
		assert_int_equal(taken(bus_str(bad[i])), 0);
	for (size_t i = 0; i < BUS_LEN(good); i++)
		assert_int_equal(taken(bus_str(good[i])), 1);
	assert_int_equal(taken((struct bus_str){ "a\0b", 3 }), 0);
	memset(longer, 'x', sizeof(longer));
	assert_int_equal(taken((struct bus_str){ longer, sizeof(longer) - 1 }), 1);
	assert_int_equal(taken((struct bus_str){ longer, sizeof(longer) }), 0);
}

static void a_list_has_an_end(void **state)
{
	struct adapter_far_list l = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc = BUS_OK;
	int n = 0;

	(void)state;
	for (; !rc && n <= ADAPTER_FAR_FILES_MAX; n++)
		rc = adapter_far_add(&l, BUS_STR("a"), 1, 1, &err);
	assert_int_equal(rc, BUS_ETOOBIG);
	assert_int_equal(l.n, ADAPTER_FAR_FILES_MAX);
	assert_non_null(strstr(err.text, "after: {move"));
	adapter_far_release(&l);
}

#define RESPONSE(href, more)                                                                                 \
	"<d:response><d:href>" href "</d:href><d:propstat><d:prop>" more "</d:prop></d:propstat></"          \
									 "d:response>"
#define ANSWER(list) "<?xml version=\"1.0\"?><d:multistatus xmlns:d=\"DAV:\">" list "</d:multistatus>"
#define WHEN "<d:getlastmodified>Tue, 01 Dec 2026 23:59:59 GMT</d:getlastmodified>"

static void a_folder_is_read_from_its_answer(void **state)
{
	static const char answer[] = ANSWER(
	    RESPONSE("/berkas%20dinas/", "<d:resourcetype><d:collection/></d:resourcetype>")
		RESPONSE("/berkas%20dinas/unit%201.csv",
			 "<d:resourcetype/><d:getcontentlength> 12</d:getcontentlength>" WHEN)
		    RESPONSE("https://host/berkas/lama/", "<d:resourcetype><d:collection/></d:resourcetype>")
			RESPONSE("https://host/berkas/b.csv",
				 "<d:getcontentlength>99999999999999999999</d:getcontentlength>")
			    RESPONSE("/berkas/..%2f..%2fetc", "<d:getcontentlength>1</d:getcontentlength>")
				RESPONSE("/berkas/%0a", "<d:getcontentlength>1</d:getcontentlength>")
				    RESPONSE("/berkas/50%", "<d:getcontentlength>1</d:getcontentlength>"));
	struct adapter_far_list l = { 0 };

	(void)state;
	assert_int_equal(adapter_webdav_read(bus_str(answer), &l, NULL), BUS_OK);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.file[0].name, "unit 1.csv");
	assert_int_equal(l.file[0].size, 12);
	assert_int_equal(l.file[0].mtime, 1796169599); /* date -u -d "2026-12-01 23:59:59" +%s */
	assert_string_equal(l.file[1].name, "b.csv");
	assert_int_equal(l.file[1].size, -1);
	assert_int_equal(l.file[1].mtime, -1);
	assert_string_equal(l.file[2].name, "50%");
	assert_int_equal(l.refused, 2);
	adapter_far_release(&l);
}

static void what_is_no_such_answer_is_refused(void **state)
{
	static const char *const bad[] = { "", "<html><body>Login</body></html>",
					   ANSWER(RESPONSE("/a", "")) "x",
					   "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM "
					   "\"file:///etc/passwd\">]><multistatus>&b;</multistatus>" };

	(void)state;
	for (size_t i = 0; i < BUS_LEN(bad); i++) {
		struct adapter_far_list l = { 0 };

		assert_int_equal(adapter_webdav_read(bus_str(bad[i]), &l, NULL), BUS_EDATA);
		adapter_far_release(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_that_leads_elsewhere_or_is_none_is_refused),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(a_folder_is_read_from_its_answer),
		cmocka_unit_test(what_is_no_such_answer_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
