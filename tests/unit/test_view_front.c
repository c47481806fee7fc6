/* The front matter of a definition: every key, and how a wrong one is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gateway/define/view.h"

#define HEAD "/*---\nname: v\nkey: k\nroutes: {uji_a: _key}\n"
#define COLUMNS "columns:\n  k: {type: text, pdp: N}\n  kode_kel: {type: text, pdp: N}\n"
#define TAIL "---*/\nSELECT _key AS k, kode_kel FROM uji_a\n"

static void refused(const char *text, const char *why)
{
	struct bus_error err = { 0 };
	struct gw_def *d = NULL;
	enum bus_err rc = gw_view_parse("v.sql", text, strlen(text), &d, &err);

	if (rc == BUS_OK || d || !strstr(err.text, why))
		fail_msg("%s: '%s' does not say '%s'", bus_err_name(rc), err.text, why);
}

static void every_key_is_kept(void **state)
{
	static const char text[] =
	    HEAD "owner: dinsos\npurpose: {id: Penyaluran, en: Delivery}\nbasis: Perwako 1/2025\ndpia: v.md\n"
		 "freshness: {max_age: 15m}\nscope: [kode_kel]\nhistory: true\n"
		 "title: {id: Judul, en: Title}\nabout: {id: Uraian, en: About}\n"
		 "columns:\n  k: {type: text, pdp: N}\n  kode_kel: {type: text, pdp: U, unit: Rp, about: "
		 "{id: a, en: b},\n"
		 "    from: [uji_a.x, uji_b.y], authority: [uji_b.y, uji_a.x]}\n" TAIL;
	struct bus_error err = { 0 };
	struct gw_def *d = NULL;

	(void)state;
	if (gw_view_parse("v.sql", text, sizeof(text) - 1, &d, &err))
		fail_msg("%s", err.text);
	assert_string_equal(d->pub.name, "v");
	assert_string_equal(d->pub.owner, "dinsos");
	assert_string_equal(d->pub.purpose_id, "Penyaluran");
	assert_string_equal(d->pub.purpose_en, "Delivery");
	assert_string_equal(d->pub.basis, "Perwako 1/2025");
	assert_string_equal(d->pub.dpia, "v.md");
	assert_int_equal(d->pub.max_age_s, 900);
	assert_true(d->pub.history);
	assert_int_equal(d->pub.n_scope, 1);
	assert_int_equal(d->pub.scope[0], 1);
	assert_string_equal(d->pub.column[1].unit, "Rp");
	assert_string_equal(d->pub.column[1].about_en, "b");
	assert_int_equal(d->pub.column[1].n_from, 2);
	assert_string_equal(d->pub.column[1].from[1], "uji_b.y");
	assert_int_equal(d->pub.column[1].n_authority, 2);
	assert_string_equal(d->pub.column[1].authority[0], "uji_b.y");
	assert_int_equal(d->pub.column[1].line, 16);
	assert_int_equal(d->route[0].line, 4);
	assert_string_equal(d->body, "SELECT _key AS k, kode_kel FROM uji_a");
	assert_int_equal(d->body_line, 19);
	gw_view_free(&d);
}

static void what_is_wrong_is_said_with_its_line_and_a_hint(void **state)
{
	static const struct {
		const char *line, *why;
	} no[] = {
		{ "purpos: {id: a, en: b}\n", "v.sql:5: " },
		{ "purpos: {id: a, en: b}\n", "purpose" },
		{ "purpose: {id: a}\n", "wants {id: ..., en: ...}" },
		{ "purpose: {id: a, en: b, ms: c}\n", "v.sql:5: " },
		{ "owner: Dinas Sosial\n", "short name of an OPD" },
		{ "dpia: ../x\n", "without a folder" },
		{ "freshness: 15m\n", "wants {max_age: 15m}" },
		{ "freshness: {max_age: 15}\n", "15m" },
		{ "freshness: {max_age: 0m}\n", "max_age '0m'" },
		{ "freshness: {max_age: -5m}\n", "max_age '-5m'" },
		{ "freshness: {max_age: 999999999999999999999d}\n", "at most 400d" },
		{ "freshness: {max_age: 401d}\n", "at most 400d" },
		{ "scope: kode_kel\n", "wants a list" },
		{ "scope: [kode_kal]\n", "did you mean 'kode_kel'" },
		{ "scope: [k, k, k, k, k, k, k, k, k]\n", "more than 8" },
		{ "history: yes\n", "history" },
		{ "store: ful\n", "did you mean 'full'" },
		{ "indexes: [{table: a, columns: []}]\n", "wants a list" },
		{ "owner: &x dinsos\n", "anchors" },
		{ "about: *x\n", "aliases" },
		{ "about: !!str x\n", "tags" },
		{ "name: w\n", "twice" },
	};
	char text[600];

	(void)state;
	for (size_t i = 0; i < BUS_LEN(no); i++) {
		snprintf(text, sizeof(text), HEAD "%s" COLUMNS TAIL, no[i].line);
		refused(text, no[i].why);
	}
	refused(HEAD "columns: {k: {type: text, pdp: N, form: [a.b]}}\n" TAIL, "from");
	refused(HEAD "columns: {k: {type: text, pdp: N, from: [a]}}\n" TAIL, "table.column");
	refused(HEAD "columns: {k: {type: text, pdp: N, from: [a.b.c]}}\n" TAIL, "table.column");
	refused(HEAD "columns: {k: {type: txt, pdp: N}}\n" TAIL, "did you mean 'text'");
	refused(HEAD "columns: {k: {type: int, pdp: N}}\n" TAIL, "must be text");
	refused("/*---\nname: v\nkunci: k\n" COLUMNS TAIL, "v.sql:3: unknown key 'kunci'"); /* and so there is no key */
}

#define TOLD                                                                                                 \
	"title: {id: Judul, en: Title}\nabout: {id: Uraian, en: About}\nowner: dinsos\npurpose: {id: P, "    \
	"en: P}\n"                                                                                           \
	"basis: UU 1\nfreshness: {max_age: 1d}\n"
#define CARD                                                                                                 \
	"catalogue: {issued: 2026-11-01, since: 2025-01-01, theme: SOCI, area: kota, concept: {id: a, en: "  \
	"b},\n"                                                                                              \
	"  classification: {id: a, en: b}, measure: {id: a, en: b}, unit: orang, keywords: [bansos, "        \
	"lansia]}\n"
#define TITLED                                                                                               \
	"columns: {k: {type: text, pdp: N, title: {id: a, en: b}}, kode_kel: {type: text, pdp: %s, title: "  \
	"{id: a, en: b}}}\n"

static void what_others_are_told_of_has_no_holes(void **state)
{
	static const struct {
		const char *without, *why;
	} hole[] = {
		{ "title:", "'title' is missing" },
		{ "about:", "'about' is missing" },
		{ "owner:", "'owner' is missing" },
		{ "purpose:", "'purpose' is missing" },
		{ "basis:", "'basis' is missing" },
		{ "freshness:", "freshness: {max_age: 1d}" },
		{ "catalogue:", "'catalogue' is missing" },
		{ "issued:", "write issued: 2026-11-01" },
		{ "since:", "'catalogue.since' is missing" },
		{ "concept:", "'catalogue.concept' is missing" },
		{ "classification:", "'catalogue.classification' is missing" },
		{ "measure:", "'catalogue.measure' is missing" },
		{ "unit:", "'catalogue.unit' is missing" },
	};
	static const char *const wrong[][2] = {
		{ "theme: SOCI", "theme: SOCIAL" },
		{ "area: kota", "area: kotak" },
		{ "[bansos, lansia]", "[Bantuan Sosial]" },
		{ "2026-11-01", "2026-13-01" },
	};
	static const char *const why[] = { "did you mean 'SOCI'", "did you mean 'kota'",
					   "keyword 'Bantuan Sosial'", "a day like" };
	char text[2000], columns[400];
	struct bus_error err = { 0 };
	struct gw_def *d = NULL;

	(void)state;
	snprintf(columns, sizeof(columns), TITLED, "N");
	snprintf(text, sizeof(text), HEAD "access: open\n" TOLD CARD "%s" TAIL, columns);
	if (gw_view_parse("v.sql", text, strlen(text), &d, &err))
		fail_msg("%s", err.text);
	assert_int_equal(d->pub.open, GW_OPEN);
	assert_string_equal(d->pub.card->theme, "SOCI");
	assert_string_equal(d->pub.card->measure_en, "b");
	assert_int_equal(d->pub.card->n_keywords, 2);
	gw_view_free(&d);
	for (size_t i = 0; i < BUS_LEN(hole);
	     i++) { /* the key under another name is one nobody knows: cut it out */
		char *from, *to;

		snprintf(text, sizeof(text), HEAD "access: shared\n" TOLD CARD "%s" TAIL, columns);
		from = strstr(strstr(text, "access:"), hole[i].without);
		to = from + strcspn(from, strcmp(hole[i].without, "catalogue:") == 0 ? "}" : ",\n");
		if (strcmp(hole[i].without, "catalogue:") == 0)
			to = strstr(from, "lansia]}\n") + 9;
		else if (strchr(from, '{') && strchr(from, '{') < to)
			to = strchr(from, '}') + 1;
		to += strspn(to, ",\n ");
		memmove(from, to, strlen(to) + 1);
		refused(text, hole[i].why);
		refused(text, "v.sql:");
	}
	for (size_t i = 0; i < BUS_LEN(wrong); i++) {
		struct bus_buf b = { 0 };
		char *at;

		snprintf(text, sizeof(text), HEAD "access: open\n" TOLD CARD "%s" TAIL, columns);
		at = strstr(text, wrong[i][0]);
		bus_buf_printf(&b, "%.*s%s%s", (int)(at - text), text, wrong[i][1], at + strlen(wrong[i][0]));
		refused(bus_buf_cstr(&b), why[i]);
		bus_buf_release(&b);
	}
	snprintf(columns, sizeof(columns), TITLED, "U");
	snprintf(text, sizeof(text), HEAD "access: open\n" TOLD CARD "%s" TAIL, columns);
	refused(text, "is of class U");
	refused(HEAD "access: shared\n" TOLD CARD COLUMNS TAIL, "column 'k' (line");
	refused(HEAD "access: public\n" COLUMNS TAIL, "closed, shared or open");
	refused(HEAD "figures: {area: k, month: k, count: kode_kel, areas: v}\n" COLUMNS TAIL,
		"internal: true");
	refused(HEAD "internal: true\nfigures: {area: k, month: k, count: kode_kel, areas: v}\n" COLUMNS TAIL,
		"type: int");
	refused(HEAD "internal: true\nfigures: {area: k, month: k}\n" COLUMNS TAIL, "count");
}

static void what_is_too_much_is_refused(void **state)
{
	struct bus_buf text = { 0 };

	(void)state;
	bus_buf_puts(&text, HEAD "columns:\n  k: {type: text, pdp: N}\n");
	for (int i = 0; i < 64; i++)
		bus_buf_printf(&text, "  c%d: {type: text, pdp: N}\n", i);
	bus_buf_puts(&text, TAIL);
	refused(bus_buf_cstr(&text), "more than 64 columns");
	bus_buf_reset(&text);
	bus_buf_puts(&text,
		     HEAD "columns:\n  k: {type: text, pdp: N}\n---*/\nSELECT _key AS k FROM uji_a WHERE 1");
	while (text.n < 101 * 1000)
		bus_buf_puts(&text, " AND 1");
	refused(bus_buf_cstr(&text), "longer than 100000 bytes");
	while (text.n < 300 * 1000)
		bus_buf_puts(&text, " AND 1");
	refused(bus_buf_cstr(&text), "longer than 262144 bytes");
	bus_buf_reset(&text);
	bus_buf_puts(&text, HEAD "about: ");
	for (int i = 0; i < 5000; i++)
		bus_buf_putc(&text, '[');
	bus_buf_puts(&text, "\n" TAIL);
	refused(bus_buf_cstr(&text), "deeper than 32");
	bus_buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_is_kept),
		cmocka_unit_test(what_is_wrong_is_said_with_its_line_and_a_hint),
		cmocka_unit_test(what_others_are_told_of_has_no_holes),
		cmocka_unit_test(what_is_too_much_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
