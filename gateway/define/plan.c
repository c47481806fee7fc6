#include "gateway/define/plan.h"

#include <stdio.h>

#define NAMES_MAX 32
#define STEPS_MAX 256
#define TEXT_MAX 256

struct names { /* of sub-queries computed on the way */
	char name[NAMES_MAX][64];
	size_t n;
};

static void word_at(const char *p, char out[64])
{
	size_t n = strcspn(p, " ");

	snprintf(out, 64, "%.*s", (int)(n < 63 ? n : 63), p);
}

static bool is_named(const struct names *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		if (strcmp(s->name[i], name) == 0)
			return true;
	}
	return false;
}

static void read_step(struct names *s, const char *text, struct gw_plan_step *out)
{
	out->detail = text;
	out->scan = strstr(text, " USING AUTOMATIC ") != NULL;
	out->table[0] = '\0';
	if (strncmp(text, "CO-ROUTINE ", 11) == 0 || strncmp(text, "MATERIALIZE ", 12) == 0) {
		if (s->n < NAMES_MAX)
			word_at(strchr(text, ' ') + 1, s->name[s->n++]);
	} else if (strncmp(text, "SEARCH ", 7) == 0) {
		word_at(text + 7, out->table);
	} else if (strncmp(text, "SCAN ", 5) == 0 && strcmp(text, "SCAN CONSTANT ROW") != 0) {
		word_at(text + 5, out->table);
		out->scan |= !is_named(s, out->table);
	}
}

enum bus_err gw_plan_read(struct gw_db *db, const char *sql, gw_plan_fn fn, void *ctx, struct bus_error *err)
{
	struct { /* ids of steps, for the depth of those below them */
		int64_t id;
		int depth;
	} seen[STEPS_MAX];
	struct names names = { .n = 0 };
	struct gw_plan_step step;
	struct bus_buf explain = { 0 };
	struct gw_stmt *s = NULL;
	char text[TEXT_MAX];
	size_t n = 0;
	enum bus_err rc;
	bool row;

	bus_buf_printf(&explain, "EXPLAIN QUERY PLAN %s", sql);
	rc = gw_db_prepare(db, bus_buf_cstr(&explain), &s, err);
	while (rc == BUS_OK && (rc = gw_stmt_step(s, &row, err)) == BUS_OK && row && n < STEPS_MAX) {
		struct bus_str detail = gw_stmt_text(s, 3);

		step.depth = 0;
		for (size_t i = 0; i < n; i++) {
			if (seen[i].id == gw_stmt_int(s, 1))
				step.depth = seen[i].depth + 1;
		}
		seen[n].id = gw_stmt_int(s, 0);
		seen[n++].depth = step.depth;
		snprintf(text, sizeof(text), "%.*s", (int)detail.n, detail.p);
		read_step(&names, text, &step);
		fn(ctx, &step);
	}
	gw_stmt_free(&s);
	bus_buf_release(&explain);
	return rc;
}

/* The columns in brackets at the end of a SEARCH: "(a=? AND b>?)" -> "a, b". */
static void put_columns(const char *detail, struct bus_buf *out)
{
	const char *p = strrchr(detail, '(');
	bool name = true;

	for (p = p ? p + 1 : ""; *p && *p != ')'; p++) {
		if (strchr("=<>", *p))
			name = false;
		else if (strncmp(p, " AND ", 5) == 0) {
			bus_buf_puts(out, ", ");
			name = true;
			p += 4;
		} else if (name)
			bus_buf_putc(out, *p);
	}
}

void gw_plan_say(const struct gw_plan_step *s, bool id, struct bus_buf *out)
{
	if (s->scan) {
		bus_buf_printf(out, id ? "%s: semua barisnya dibaca" : "%s: all of its rows are read",
			       s->table);
	} else if (strncmp(s->detail, "SEARCH _r ", 10) == 0) { /* gateway/define/rollup.h */
		bus_buf_puts(out, id ? "jumlah-jumlah kelompoknya, yang disimpan: dicari lewat kunci"
				     : "the sums kept of its group: looked up by the key");
	} else if (strncmp(s->detail, "SEARCH ", 7) == 0) {
		bus_buf_printf(out, id ? "%s: dicari langsung lewat " : "%s: looked up by ", s->table);
		put_columns(s->detail, out);
	} else if (strncmp(s->detail, "MATERIALIZE ", 12) == 0 ||
		   strncmp(s->detail, "CO-ROUTINE ", 11) == 0) {
		bus_buf_printf(out, id ? "subkueri %s dihitung dulu:" : "sub-query %s, computed first:",
			       strchr(s->detail, ' ') + 1);
	} else if (strncmp(s->detail, "CORRELATED ", 11) == 0) {
		bus_buf_puts(out, id ? "untuk tiap baris itu:" : "for each such row:");
	} else if (strstr(s->detail, "SUBQUERY")) {
		bus_buf_puts(out, id ? "satu kali:" : "once:");
	} else if (strncmp(s->detail, "USE TEMP B-TREE", 15) == 0) {
		bus_buf_puts(out, id ? "hasilnya diurutkan atau disaring kembarnya"
				     : "the result is sorted, or rid of repeats");
	} else if (strncmp(s->detail, "SCAN ", 5) == 0 && s->table[0]) {
		bus_buf_printf(out, id ? "baris-baris subkueri %s" : "the rows of sub-query %s", s->table);
	} else if (strncmp(s->detail, "COMPOUND", 8) == 0 || strncmp(s->detail, "UNION", 5) == 0 ||
		   strncmp(s->detail, "MERGE", 5) == 0) {
		bus_buf_puts(out, id ? "gabungan beberapa SELECT:" : "several SELECTs together:");
	} else {
		bus_buf_puts(out, s->detail);
	}
}
