#include "adapters/intake/body.h"

#include <inttypes.h>
#include <strings.h>

#include "adapters/adapter.h"
#include "adapters/csv.h"
#include "adapters/input.h"
#include "bus/arena.h"
#include "bus/json_out.h"
#include "bus/utf8.h"

#define TREE_MAX ((size_t)48 * 1024 * 1024) /* of CloudEvents */
#define COLUMNS_MAX 1000

bool adapter_body_kind(const char *type, bool binary, enum adapter_body_kind *out)
{
	static const struct {
		const char *type;
		enum adapter_body_kind kind;
	} known[] = {
		{ "application/json", ADAPTER_BODY_JSON },
		{ "application/x-ndjson", ADAPTER_BODY_LINES },
		{ "application/ndjson", ADAPTER_BODY_LINES },
		{ "application/jsonl", ADAPTER_BODY_LINES },
		{ "text/csv", ADAPTER_BODY_CSV },
		{ "application/cloudevents+json", ADAPTER_BODY_EVENT },
		{ "application/cloudevents-batch+json", ADAPTER_BODY_EVENTS },
	};
	size_t n = type ? strcspn(type, "; \t") : 0;

	for (size_t i = 0; i < BUS_LEN(known); i++)
		if (strlen(known[i].type) == n && strncasecmp(type, known[i].type, n) == 0) {
			*out = known[i].kind;
			if (binary && *out == ADAPTER_BODY_JSON)
				*out = ADAPTER_BODY_BINARY;
			return !binary || *out == ADAPTER_BODY_BINARY;
		}
	return false;
}

struct taking {
	struct bus_buf *rows;
	size_t begin; /* of ours in it */
	uint32_t n;
};

static enum bus_err too_many(struct bus_error *err)
{
	return bus_fail(err, BUS_ETOOBIG,
			"lebih dari %d baris atau %zu byte sekali kirim / more than that in one post",
			ADAPTER_BODY_ROWS, ADAPTER_BODY_OUT);
}

/* The row that was just appended from `at` on: ends it. */
static enum bus_err end_row(struct taking *t, size_t at, uint64_t line, struct bus_error *err)
{
	if (t->rows->n - at > ADAPTER_ROW_MAX)
		return bus_fail(err, BUS_ETOOBIG,
				"baris / line %" PRIu64 ": lebih dari 1 MiB / longer than 1 MiB", line);
	bus_buf_putc(t->rows, '\n');
	if (++t->n > ADAPTER_BODY_ROWS || t->rows->n - t->begin > ADAPTER_BODY_OUT)
		return too_many(err);
	return BUS_OK;
}

/* A slice of JSON that was read through: a line break in it stands between tokens. */
static void put_on_one_line(struct bus_buf *out, const char *p, size_t n)
{
	size_t at = out->n;

	bus_buf_put(out, p, n);
	for (char *c = out->p + at; c < out->p + out->n; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
}

/* One document: an object, or (array) an array of objects. The puller says where it is no JSON. */
static enum bus_err take_document(struct taking *t, struct bus_json_puller *j, struct bus_str text,
				  uint64_t line, bool array, struct bus_error *err)
{
	uint64_t begin = 0, row_line = line;
	bool in_array = false;

	bus_json_puller_reset(j);
	bus_json_feed(j, text.p, text.n, true);
	for (;;) {
		enum bus_json_type type;
		struct bus_str unused;
		struct bus_error why;
		enum bus_err rc = bus_json_next(j, &type, &unused, &why);
		int depth = bus_json_depth(j);
		uint64_t here = line + bus_json_line(j) - 1;

		if (rc)
			return line > 1
				   ? bus_fail(err, BUS_EPARSE, "baris / line %" PRIu64 " of the body: %.300s",
					      line, why.text)
				   : bus_fail(err, BUS_EPARSE, "bukan JSON / not JSON: %.300s", why.text);
		if (type == BUS_JSON_END)
			return BUS_OK;
		if (type == BUS_JSON_ARRAY && array && !in_array && depth == 1) {
			in_array = true;
			continue;
		}
		if (type == BUS_JSON_OBJECT && depth == 1 + in_array) {
			begin = bus_json_offset(j) - 1;
			row_line = here;
		} else if (type == BUS_JSON_OBJECT_END && depth == in_array) {
			size_t at = t->rows->n;

			put_on_one_line(t->rows, text.p + begin, (size_t)(bus_json_offset(j) - begin));
			rc = end_row(t, at, row_line, err);
			if (rc)
				return rc;
		} else if ((type <= BUS_JSON_STRING && depth == in_array) ||
			   (type == BUS_JSON_ARRAY && depth == 1 + in_array)) {
			return bus_fail(err, BUS_EPARSE,
					"baris / line %" PRIu64 ": bukan objek JSON / no JSON object", here);
		}
	}
}

static bool is_blank(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr(" \t\r", p[i]))
			return false;
	return true;
}

static enum bus_err take_lines(struct taking *t, struct bus_json_puller *j, struct bus_str text,
			       struct bus_error *err)
{
	const char *p = text.p, *end = text.p + text.n;

	for (uint64_t line = 1; p < end; line++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p)), *to = lf ? lf : end;
		enum bus_err rc = BUS_OK;

		if (!is_blank(p, (size_t)(to - p)))
			rc = take_document(t, j, (struct bus_str){ p, (size_t)(to - p) }, line, false, err);
		if (rc)
			return rc;
		p = lf ? lf + 1 : end;
	}
	return BUS_OK;
}

/* --- CSV --- */

static void field_text(const struct adapter_csv *c, size_t i, struct bus_buf *out)
{
	const struct adapter_csv_field *f = &c->field[i];
	const char *p = c->raw.p + f->at;

	bus_buf_reset(out);
	for (size_t k = 0; k < f->n; k++) {
		bus_buf_putc(out, p[k]);
		if (f->doubled && p[k] == '"')
			k++;
	}
}

static char separator_of(struct bus_str text)
{
	const char *lf = memchr(text.p, '\n', text.n);
	size_t n = lf ? (size_t)(lf - text.p) : text.n;

	if (memchr(text.p, ',', n))
		return ',';
	return memchr(text.p, ';', n) ? ';' : memchr(text.p, '\t', n) ? '\t' : ',';
}

static enum bus_err bad_line(const struct adapter_csv *c, const char *why, struct bus_error *err)
{
	return bus_fail(err, BUS_EPARSE, "baris / line %" PRIu64 ": %s", c->line, why);
}

static enum bus_err read_header(struct adapter_csv *c, struct bus_str *name, struct bus_buf *names,
				struct bus_error *err)
{
	size_t end[COLUMNS_MAX];
	struct bus_buf field = { 0 };
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < c->n && !rc; i++) {
		field_text(c, i, &field);
		bus_buf_put(names, field.p, field.n);
		end[i] = names->n;
		if (field.n == 0)
			rc = bad_line(c, "nama kolom kosong / a column without a name", err);
	}
	bus_buf_release(&field);
	for (size_t i = 0; i < c->n && !rc; i++) {
		size_t at = i ? end[i - 1] : 0;

		name[i] = (struct bus_str){ names->p + at, end[i] - at };
		for (size_t k = 0; k < i && !rc; k++)
			if (bus_str_eq(name[k], name[i]))
				rc = bad_line(c, "nama kolom dua kali / a column's name twice", err);
	}
	return rc;
}

static enum bus_err take_record(struct taking *t, const struct adapter_csv *c, const struct bus_str *name,
				size_t n, struct bus_error *err)
{
	struct bus_json_out j = { .buf = t->rows };
	struct bus_buf field = { 0 };
	size_t at = t->rows->n;

	if (c->n != n)
		return bad_line(
		    c, "jumlah kolom lain dari kepalanya / another number of fields than the header", err);
	bus_json_object(&j);
	for (size_t i = 0; i < n; i++) {
		field_text(c, i, &field);
		bus_json_key_str(&j, name[i]);
		bus_json_put_str(&j, bus_buf_str(&field));
	}
	bus_json_object_end(&j);
	bus_buf_release(&field);
	return end_row(t, at, c->line, err);
}

static enum bus_err take_csv(struct taking *t, struct bus_str text, struct bus_error *err)
{
	struct bus_str name[COLUMNS_MAX];
	struct bus_buf names = { 0 };
	struct adapter_input *in;
	struct adapter_csv csv;
	size_t n = 0, ok;
	enum bus_err rc;

	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		text = (struct bus_str){ text.p + 3, text.n - 3 };
	ok = bus_utf8_ok(text.p, text.n);
	if (ok < text.n || (text.n && memchr(text.p, '\0', text.n))) {
		uint64_t line = 1;

		for (size_t i = 0; i < ok; i++)
			line += text.p[i] == '\n';
		return bus_fail(err, BUS_EPARSE, "baris / line %" PRIu64 ": bukan UTF-8 / not UTF-8", line);
	}
	in = adapter_input_memory(text.p, text.n);
	adapter_csv_init(&csv, in, text.n ? separator_of(text) : ',', '"');
	adapter_csv_limit(&csv, COLUMNS_MAX);
	while (!(rc = adapter_csv_next(&csv, err))) {
		if (csv.too_long)
			rc = bad_line(&csv, "lebih dari 1 MiB / longer than 1 MiB", err);
		else if (csv.broken)
			rc = bad_line(&csv, csv.broken, err);
		else if (is_blank(csv.raw.p, csv.raw.n))
			continue;
		else if (csv.n > COLUMNS_MAX)
			rc = bad_line(&csv, "lebih dari 1000 kolom / more than 1000 fields", err);
		else if (n == 0)
			rc = read_header(&csv, name, &names, err);
		else
			rc = take_record(t, &csv, name, n, err);
		if (rc)
			break;
		n = n ? n : csv.n;
	}
	adapter_csv_release(&csv);
	adapter_input_close(&in);
	bus_buf_release(&names);
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

/* --- CloudEvents --- */

/* `data` with the attributes under _ce; both are members as they stand in an object. */
static enum bus_err put_event(struct taking *t, const struct bus_json *data, struct bus_str attributes,
			      size_t number, struct bus_error *err)
{
	struct bus_json_out j = { .buf = t->rows };
	size_t at = t->rows->n;

	if (!data || data->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EPARSE,
				"peristiwa / event %zu: `data` bukan objek JSON / is no JSON object", number);
	/* It would stand twice in the row, and the source refuse it when its sender was told that it is taken. */
	if (bus_json_get(data, "_ce"))
		return bus_fail(err, BUS_EPARSE, "peristiwa / event %zu: `data` punya / has `_ce`", number);
	bus_json_object(&j);
	for (const struct bus_json *m = data->first; m; m = m->next) {
		bus_json_key_str(&j, m->name);
		bus_json_put_tree(&j, m);
	}
	bus_json_key(&j, "_ce");
	bus_json_object(&j);
	bus_json_put_members(&j, attributes);
	bus_json_object_end(&j);
	bus_json_object_end(&j);
	return end_row(t, at, number, err);
}

static enum bus_err take_event(struct taking *t, const struct bus_json *event, size_t number,
			       struct bus_error *err)
{
	static const char *const must[] = { "id", "source", "type" };
	const struct bus_json *version =
	    event->type == BUS_JSON_OBJECT ? bus_json_get(event, "specversion") : NULL;
	struct bus_buf text = { 0 };
	struct bus_json_out j = { .buf = &text };
	enum bus_err rc = BUS_OK;

	if (!version || version->type != BUS_JSON_STRING || !bus_str_is(version->text, "1.0"))
		return bus_fail(
		    err, BUS_EPARSE,
		    "peristiwa / event %zu: bukan CloudEvents 1.0 / no CloudEvents 1.0 (specversion)",
		    number);
	for (size_t i = 0; i < BUS_LEN(must) && !rc; i++) {
		const struct bus_json *m = bus_json_get(event, must[i]);

		if (!m || m->type != BUS_JSON_STRING || m->text.n == 0)
			rc = bus_fail(err, BUS_EPARSE, "peristiwa / event %zu: tanpa / without `%s`", number,
				      must[i]);
	}
	bus_json_object(&j);
	for (const struct bus_json *m = event->first; m; m = m->next) {
		if (m->type > BUS_JSON_STRING || bus_str_is(m->name, "data") ||
		    bus_str_is(m->name, "data_base64"))
			continue;
		bus_json_key_str(&j, m->name);
		bus_json_put_tree(&j, m);
	}
	if (!rc)
		rc = put_event(t, bus_json_get(event, "data"), (struct bus_str){ text.p + 1, text.n - 1 },
			       number, err);
	bus_buf_release(&text);
	return rc;
}

static enum bus_err take_events(struct taking *t, enum adapter_body_kind kind, struct bus_str text,
				struct bus_str attributes, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(TREE_MAX);
	struct bus_json *tree;
	size_t number = 0;
	enum bus_err rc = bus_json_parse(text, NULL, arena, &tree, err);

	if (rc) {
		bus_fail_prefix(err, rc, "bukan JSON / not JSON");
	} else if (kind == ADAPTER_BODY_BINARY) {
		rc = put_event(t, tree, attributes, 1, err);
	} else if (kind == ADAPTER_BODY_EVENT) {
		rc = take_event(t, tree, 1, err);
	} else if (tree->type != BUS_JSON_ARRAY) {
		rc = bus_fail(err, BUS_EPARSE, "bukan larik peristiwa / no array of events");
	} else {
		for (const struct bus_json *e = tree->first; e && !rc; e = e->next)
			rc = take_event(t, e, ++number, err);
	}
	bus_arena_free(&arena);
	return rc;
}

enum bus_err adapter_body_rows(enum adapter_body_kind kind, struct bus_str text, struct bus_str attributes,
			       struct bus_buf *rows, uint32_t *n, struct bus_error *err)
{
	struct taking t = { .rows = rows, .begin = rows->n };
	struct bus_json_puller *j;
	enum bus_err rc;

	switch (kind) {
	case ADAPTER_BODY_JSON:
	case ADAPTER_BODY_LINES:
		j = bus_json_puller_new(NULL);
		rc = kind == ADAPTER_BODY_JSON ? take_document(&t, j, text, 1, true, err)
					       : take_lines(&t, j, text, err);
		bus_json_puller_free(&j);
		break;
	case ADAPTER_BODY_CSV:
		rc = take_csv(&t, text, err);
		break;
	default:
		rc = take_events(&t, kind, text, attributes, err);
	}
	if (!rc && t.n == 0)
		rc = bus_fail(err, BUS_EPARSE, "tidak ada baris data / there are no rows");
	*n = t.n;
	return rc;
}
