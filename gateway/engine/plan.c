/* How SQLite would answer a question: does it read a table from end to end, does it sort? */
#include "gateway/engine/reading.h"

#define DETAIL 3 /* the column of EXPLAIN QUERY PLAN with the words */

static bool starts(struct bus_str s, const char *with)
{
	size_t n = strlen(with);

	return s.n >= n && memcmp(s.p, with, n) == 0;
}

static void note(struct bus_str detail, struct bus_buf *names, struct gw_plan *out)
{
	static const char sort[] = "USE TEMP B-TREE FOR ORDER BY";

	if (starts(detail, "CO-ROUTINE ") || starts(detail, "MATERIALIZE ")) {
		const char *name = memchr(detail.p, ' ', detail.n);

		/* What is read from this is no table. */
		bus_buf_putc(names, '\n');
		bus_buf_put(names, name + 1, detail.n - (size_t)(name + 1 - detail.p));
		bus_buf_putc(names, '\n');
	} else if (starts(detail, sort)) {
		out->sorts = true;
	} else if (starts(detail, "SCAN ") && !starts(detail, "SCAN CONSTANT ROW")) {
		struct bus_buf line = { 0 };

		bus_buf_printf(&line, "\n%.*s\n", (int)(detail.n - 5), detail.p + 5);
		if (names->n == 0 || !strstr(bus_buf_cstr(names), bus_buf_cstr(&line)))
			out->scans = true;
		bus_buf_release(&line);
	} else if (memmem(detail.p, detail.n, " USING AUTOMATIC ", 17)) {
		out->scans = true;
	}
}

enum bus_err gw_read_plan(struct gw_reader *r, struct bus_str sql, struct gw_plan *out, struct bus_error *err)
{
	struct bus_buf text = { 0 }, names = { 0 };
	struct gw_stmt *s;
	enum bus_err rc;
	bool row;

	*out = (struct gw_plan){ 0 };
	bus_buf_printf(&text, "EXPLAIN QUERY PLAN %.*s", (int)sql.n, sql.p);
	rc = gw_reader_stmt(r, bus_buf_cstr(&text), &s, err);
	if (rc == BUS_OK) {
		while ((rc = gw_stmt_step(s, &row, err)) == BUS_OK && row)
			note(gw_stmt_text(s, DETAIL), &names, out);
		gw_stmt_reset(s);
	}
	bus_buf_release(&text);
	bus_buf_release(&names);
	return rc;
}
