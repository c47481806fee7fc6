/* tests/support/source_rows.h - what a source makes of some bytes, as text that a test can compare.
 *
 * A row is "LINE: cell|cell\n", one with repaired bytes "LINE* ...", an unreadable one "LINE! class\n".
 * Cells: text as it is, numbers #5, null \N, what is missing ?, trees by their type ({} [] true false), what shows no value !error, a rounded number ~#5. A
 * file that is cut ends in "cut\n", one that cannot be read on in "error\n" (the message is in rows_error), a
 * control is "name said/counted\n".
 */
#ifndef TESTS_SUPPORT_SOURCE_ROWS_H
#define TESTS_SUPPORT_SOURCE_ROWS_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "adapters/adapter.h"
#include "adapters/input.h"
#include "bus/buf.h"

#define FEEDS "deploy/demo/feeds/"
#define WANTED_MAX 32

static char rows_error[480]; /* of the last source that failed */

static inline void rows_put_cell(struct bus_buf *out, const struct adapter_cell *c)
{
	static const char *const types[] = { "null", "false", "true", "", "", "{}", "[]" };

	static const char *const broken[] = { "!error", "!result", "!day", "!cell" };

	if (c->kind == ADAPTER_NUMBER && c->rounded)
		bus_buf_putc(out, '~');
	switch (c->kind) {
	case ADAPTER_MISSING:
		bus_buf_puts(out, "?");
		break;
	case ADAPTER_NULL:
		bus_buf_puts(out, "\\N");
		break;
	case ADAPTER_NUMBER:
		bus_buf_putc(out, '#');
		bus_buf_put(out, c->text.p, c->text.n);
		break;
	case ADAPTER_TEXT:
		bus_buf_put(out, c->text.p, c->text.n);
		break;
	case ADAPTER_TREE:
		bus_buf_puts(out, types[c->tree->type]);
		break;
	case ADAPTER_BROKEN:
		bus_buf_puts(out, broken[c->broken]);
		break;
	}
}

static inline void rows_put(struct bus_buf *out, const struct adapter_row *row)
{
	bus_buf_printf(out, "%" PRIu64 "%s", row->line, row->defect ? "! " : row->repaired ? "* " : ": ");
	if (row->defect) {
		assert_non_null(row->detail);
		bus_buf_puts(out, row->defect);
	}
	for (size_t i = 0; !row->defect && i < row->n_cells; i++) {
		if (i > 0)
			bus_buf_putc(out, '|');
		rows_put_cell(out, &row->cell[i]);
	}
	bus_buf_putc(out, '\n');
}

static inline void rows_put_end(struct bus_buf *out, const struct adapter_source_kind *kind, void *source)
{
	struct adapter_end end;

	kind->end(source, &end);
	for (size_t i = 0; i < end.n_controls; i++)
		bus_buf_printf(out, "%s %" PRId64 "/%" PRId64 "\n", end.control[i].name, end.control[i].said,
			       end.control[i].counted);
	if (end.cut) {
		assert_true(end.why[0] != '\0');
		bus_buf_puts(out, "cut\n");
	}
}

struct rows {
	struct adapter_input *in;
	struct bus_yaml *y;
	const struct adapter_source_kind *kind;
	void *source;
};

/* wanted: names joined by ','. Takes in. */
static inline enum bus_err rows_open(struct rows *r, const char *kind, const char *conf,
				     struct adapter_input *in, const char *wanted)
{
	struct bus_error err = { .code = BUS_OK };
	char *names = bus_xstrdup(wanted), *save = NULL;
	const char *list[WANTED_MAX];
	size_t n = 0;
	enum bus_err rc;

	for (char *p = strtok_r(names, ",", &save); p; p = strtok_r(NULL, ",", &save)) {
		assert_true(n < WANTED_MAX);
		list[n++] = p;
	}
	*r = (struct rows){ .in = in, .kind = adapter_source_find(kind) };
	assert_non_null(r->kind);
	rc = bus_yaml_parse("conf.yaml", 1, conf, strlen(conf), &r->y, &err);
	if (rc != BUS_OK)
		fail_msg("%s", err.text);
	rc = r->kind->open(r->y, bus_yaml_root(r->y), in, list, n, &r->source, &err);
	snprintf(rows_error, sizeof(rows_error), "%s", err.text);
	if (rc != BUS_OK || !in)
		assert_null(r->source);
	free(names);
	return rc;
}

static inline void rows_close(struct rows *r)
{
	if (r->source)
		r->kind->close(r->source);
	bus_yaml_free(&r->y);
	adapter_input_close(&r->in);
}

/* The next row; false at the end. */
static inline bool rows_next(struct rows *r, struct adapter_row *row)
{
	struct bus_error err;
	enum bus_err rc = r->kind->next(r->source, row, &err);

	if (rc != BUS_OK && rc != BUS_ENOENT)
		fail_msg("%s", err.text);
	return rc == BUS_OK;
}

/* All of it. The caller frees. */
static inline char *rows_text(const char *kind, const char *conf, const char *bytes, size_t n,
			      const char *wanted)
{
	struct bus_buf out = { NULL, 0, 0 };
	struct bus_error err;
	struct adapter_row row;
	struct rows r;
	enum bus_err rc;

	if (rows_open(&r, kind, conf, adapter_input_memory(bytes, n), wanted) != BUS_OK)
		fail_msg("%s", rows_error);
	while ((rc = r.kind->next(r.source, &row, &err)) == BUS_OK)
		rows_put(&out, &row);
	if (rc == BUS_ENOENT) {
		rows_put_end(&out, r.kind, r.source);
	} else {
		snprintf(rows_error, sizeof(rows_error), "%s", err.text);
		bus_buf_puts(&out, "error\n");
	}
	rows_close(&r);
	return bus_buf_take(&out, NULL);
}

static inline void rows_are(const char *kind, const char *conf, const char *bytes, const char *wanted,
			    const char *expected)
{
	char *got = rows_text(kind, conf, bytes, strlen(bytes), wanted);

	assert_string_equal(got, expected);
	free(got);
}

/* The file, or (bytes NULL) the options, are refused with this code and a message that holds part. */
static inline void rows_refused(const char *kind, const char *conf, const char *bytes, size_t n,
				const char *wanted, enum bus_err code, const char *part)
{
	struct rows r;

	assert_int_equal(rows_open(&r, kind, conf, bytes ? adapter_input_memory(bytes, n) : NULL, wanted),
			 code);
	if (!strstr(rows_error, part))
		fail_msg("'%s' is not in '%s'", part, rows_error);
	rows_close(&r);
}

/* What every kind says of files that are none of its business. */
static inline void rows_refuses_foreign_files(const char *kind, const char *conf, const char *wanted)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *part;
	} foreign[] = {
		{ "", 0, "the file is empty" },
		{ "\xef\xbb\xbf", 3, "the file is empty" },
		{ "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", 12, "legacy .xls" },
		{ "PK\x03\x04....", 8, ".xlsx" },
		{ "%PDF-1.7\n", 9, "PDF" },
		{ "\x1f\x8b\x08\x00", 4, "gzip" },
		{ "a,b\0\n", 5, "NUL" },
		{ "\n<HTML><table>", 14, "HTML" },
	};

	for (size_t i = 0; i < BUS_LEN(foreign); i++)
		rows_refused(kind, conf, foreign[i].bytes, foreign[i].n, wanted, BUS_EDATA, foreign[i].part);
}

/* Physical lines of a file in cacat.csv's list with this class, in order: "4 27 ...". */
static inline void rows_truth_lines(const char *file, const char *class, struct bus_buf *out)
{
	FILE *fp = fopen("deploy/demo/cacat.csv", "re");
	char line[512];

	assert_non_null(fp);
	while (fgets(line, sizeof(line), fp)) {
		char *comma = strchr(line, ','), *last = strrchr(line, ',');

		last[strcspn(last, "\r\n")] = '\0';
		if (strncmp(line, file, strlen(file)) == 0 && comma == line + strlen(file) &&
		    strcmp(last + 1, class) == 0)
			bus_buf_printf(out, "%lu ", strtoul(comma + 1, NULL, 10));
	}
	fclose(fp);
}

/* Reads a sample feed and compares rows, physical lines and the lines of its defects (class) with the truth.
 * repaired: the class of rows with repaired bytes, or NULL: there are none. */
static inline void rows_feed(const char *kind, const char *conf, const char *file, const char *wanted,
			     const char *class, const char *repaired, uint64_t rows, uint64_t lines,
			     const char *end)
{
	struct bus_buf bad = { NULL, 0, 0 }, fixed = { NULL, 0, 0 }, truth = { NULL, 0, 0 },
		       tail = { NULL, 0, 0 };
	struct adapter_input *in;
	struct bus_error err;
	struct adapter_row row;
	char path[256], hex[65];
	struct rows r;
	uint64_t n = 0;

	snprintf(path, sizeof(path), FEEDS "%s", file);
	if (adapter_input_open(path, &in, &err) != BUS_OK)
		fail_msg("%s", err.text);
	if (rows_open(&r, kind, conf, in, wanted) != BUS_OK)
		fail_msg("%s", rows_error);
	for (; rows_next(&r, &row); n++) {
		if (row.defect)
			assert_string_equal(row.defect, class);
		if (row.defect || row.repaired)
			bus_buf_printf(row.defect ? &bad : &fixed, "%" PRIu64 " ", row.line);
	}
	assert_int_equal(n, rows);
	rows_put_end(&tail, r.kind, r.source);
	assert_string_equal(bus_buf_cstr(&tail), end);
	assert_int_equal(adapter_input_sha256(r.in, hex, &err), BUS_OK);
	assert_int_equal(adapter_input_lines(r.in), lines);
	rows_truth_lines(file, class, &truth);
	assert_string_equal(bus_buf_cstr(&bad), bus_buf_cstr(&truth));
	bus_buf_reset(&truth);
	if (repaired)
		rows_truth_lines(file, repaired, &truth);
	assert_string_equal(bus_buf_cstr(&fixed), bus_buf_cstr(&truth));
	bus_buf_release(&bad);
	bus_buf_release(&fixed);
	bus_buf_release(&truth);
	bus_buf_release(&tail);
	rows_close(&r);
}

#endif
