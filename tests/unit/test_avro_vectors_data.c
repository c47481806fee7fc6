/* Data against Avro Java: encode.jsonl.gz (both ways), encode_errors.jsonl, resolve.jsonl,
 * malformed_binary.jsonl, single_object.jsonl. */
#include "tests/support/vectors.h"

#include <math.h>
#include <time.h>

#include "schemas/avro_canon.h"
#include "schemas/avro_json.h"

#define SLOW_MS 100 /* a refusal that takes longer is a fault */

static struct schema *parse(struct bus_str text, char *why, size_t n)
{
	struct bus_error err = { 0 };
	struct schema *s = NULL;

	/* Names beyond ASCII are in some: lenient, as registered schemas are read. */
	if (schema_parse(text, SCHEMA_LENIENT, NULL, 0, &s, &err) != BUS_OK)
		snprintf(why, n, "schema refused: %s", err.text);
	return s;
}

static enum bus_err decode(struct schema *w, struct schema *r, struct bus_str datum, struct bus_buf *json,
			   struct bus_error *err)
{
	const struct schema_limits limits = { .depth = 400 };
	struct schema_reader *reader = schema_reader_new(&limits);
	struct bus_json_out out = { .buf = json };
	struct schema_json_sink sink;
	struct schema_plan *plan = NULL;
	enum bus_err rc = schema_plan(w, r, &plan, err);

	schema_json_sink_init(&sink, &out, SCHEMA_JSON_AVRO);
	if (rc == BUS_OK)
		rc = schema_read(reader, plan, datum, &sink.sink, err);
	schema_plan_free(&plan);
	schema_reader_free(&reader);
	return rc;
}

static bool same_number(const struct schema_node *node, const struct bus_json *a, const struct bus_json *b)
{
	int64_t x;
	int64_t y;
	double u;
	double v;

	if (node->type == SCHEMA_INT || node->type == SCHEMA_LONG)
		return bus_json_int(a, &x) == BUS_OK && bus_json_int(b, &y) == BUS_OK && x == y;
	if (a->type == BUS_JSON_STRING || b->type == BUS_JSON_STRING) /* NaN and the infinities */
		return a->type == b->type && bus_str_eq(a->text, b->text);
	u = strtod(a->text.p, NULL);
	v = strtod(b->text.p, NULL);
	if (node->type == SCHEMA_FLOAT)
		return (float)u == (float)v && signbit(u) == signbit(v);
	return u == v && signbit(u) == signbit(v);
}

static bool same(const struct schema_node *node, const struct bus_json *a, const struct bus_json *b);

static bool same_members(const struct schema_node *node, const struct bus_json *a, const struct bus_json *b)
{
	if (a->type != BUS_JSON_OBJECT || b->type != BUS_JSON_OBJECT || a->n != b->n)
		return false;
	for (const struct bus_json *x = a->first; x; x = x->next) {
		const struct bus_json *y = b->first;
		const struct schema_node *type = node->item;
		int32_t at;

		while (y && !bus_str_eq(x->name, y->name))
			y = y->next;
		if (node->type == SCHEMA_RECORD) {
			at = schema_position(node, x->name);
			type = at < 0 ? NULL : node->field[at].type;
		}
		if (!y || !type || !same(type, x, y))
			return false;
	}
	return true;
}

static bool same(const struct schema_node *node, const struct bus_json *a, const struct bus_json *b)
{
	const struct bus_json *y;
	int32_t at;

	switch (node->type) {
	case SCHEMA_INT:
	case SCHEMA_LONG:
	case SCHEMA_FLOAT:
	case SCHEMA_DOUBLE:
		return same_number(node, a, b);
	case SCHEMA_RECORD:
	case SCHEMA_MAP:
		return same_members(node, a, b);
	case SCHEMA_ARRAY:
		y = b->first;
		if (a->type != BUS_JSON_ARRAY || b->type != BUS_JSON_ARRAY || a->n != b->n)
			return false;
		for (const struct bus_json *x = a->first; x; x = x->next, y = y->next)
			if (!same(node->item, x, y))
				return false;
		return true;
	case SCHEMA_UNION:
		if (a->type == BUS_JSON_NULL || b->type == BUS_JSON_NULL)
			return a->type == b->type;
		at = schema_position(node, a->first->name);
		return at >= 0 && bus_str_eq(a->first->name, b->first->name) &&
		       same(node->branch[at], a->first, b->first);
	default:
		return a->type == b->type && bus_str_eq(a->text, b->text);
	}
}

/* Number texts end where the tree's text goes on, which strtod does not mind; but not at the text's end. */
static bool same_json(const struct schema *s, struct bus_buf *got, struct bus_str want, char *why, size_t n)
{
	const struct bus_json_limits limits = { .depth = 512, .text = VECTORS_LINE_MAX };
	struct bus_arena *arena = bus_arena_new(0);
	struct bus_error err = { 0 };
	struct bus_buf copy = { 0 };
	struct bus_json *a;
	struct bus_json *b;
	bool ok;

	bus_buf_put(&copy, want.p, want.n);
	bus_buf_cstr(&copy);
	bus_buf_cstr(got);
	ok = bus_json_parse(bus_buf_str(got), &limits, arena, &a, &err) == BUS_OK &&
	     bus_json_parse(bus_buf_str(&copy), &limits, arena, &b, &err) == BUS_OK &&
	     same(schema_root(s), a, b);
	if (!ok)
		snprintf(why, n, "is %.200s, should be %.200s %s", got->p, copy.p, err.text);
	bus_buf_release(&copy);
	bus_arena_free(&arena);
	return ok;
}

static bool check_decode(struct schema *s, struct bus_str datum, struct bus_str want, char *why, size_t n)
{
	struct bus_buf json = { 0 };
	struct bus_error err = { 0 };
	bool ok = decode(s, NULL, datum, &json, &err) == BUS_OK;

	if (ok)
		ok = same_json(s, &json, want, why, n);
	else
		snprintf(why, n, "not decoded: %s", err.text);
	bus_buf_release(&json);
	return ok;
}

static bool check_encode(struct schema *s, struct bus_str json, struct bus_str want, char *why, size_t n)
{
	struct bus_buf got = { 0 };
	struct bus_error err = { 0 };
	bool ok = schema_encode_json(s, json, SCHEMA_JSON_AVRO, &got, &err) == BUS_OK;

	if (!ok) {
		snprintf(why, n, "not encoded: %s", err.text);
	} else {
		ok = bus_str_eq(bus_buf_str(&got), want);
		if (!ok)
			snprintf(why, n, "other bytes for %.*s", (int)json.n, json.p);
	}
	bus_buf_release(&got);
	return ok;
}

static bool run_encode(const struct bus_json *line, char *why, size_t n)
{
	struct schema *s = parse(vectors_text(line, "schema"), why, n);
	struct bus_buf binary = { 0 };
	bool ok = s != NULL;

	vectors_hex(vectors_text(line, "binary"), &binary);
	if (ok && !vectors_is(line, "dir", "encode"))
		ok = check_decode(s, bus_buf_str(&binary), vectors_text(line, "json_java"), why, n);
	if (ok && !vectors_is(line, "dir", "decode"))
		ok = check_encode(s, vectors_text(line, "json"), bus_buf_str(&binary), why, n);
	bus_buf_release(&binary);
	schema_unref(&s);
	return ok;
}

static bool run_encode_error(const struct bus_json *line, char *why, size_t n)
{
	struct schema *s = parse(vectors_text(line, "schema"), why, n);
	struct bus_buf got = { 0 };
	struct bus_error err = { 0 };
	bool ok =
	    s && schema_encode_json(s, vectors_text(line, "json"), SCHEMA_JSON_AVRO, &got, &err) != BUS_OK;

	if (s && !ok)
		snprintf(why, n, "encoded");
	ok = ok && got.n == 0 && err.text[0] != '\0';
	bus_buf_release(&got);
	schema_unref(&s);
	return ok;
}

static bool run_resolve(const struct bus_json *line, char *why, size_t n)
{
	struct schema *w = parse(vectors_text(line, "writer"), why, n);
	struct schema *r = parse(vectors_text(line, "reader"), why, n);
	const struct bus_json *expected = bus_json_get(line, "expected");
	struct bus_buf binary = { 0 };
	struct bus_buf json = { 0 };
	struct bus_error err = { 0 };
	bool ok = w && r;

	vectors_hex(vectors_text(line, "binary"), &binary);
	if (ok) {
		enum bus_err rc = decode(w, r, bus_buf_str(&binary), &json, &err);

		if (expected && rc != BUS_OK)
			snprintf(why, n, "refused: %s", err.text);
		else if (!expected && rc == BUS_OK)
			snprintf(why, n, "read as %s", bus_buf_cstr(&json));
		ok = (expected != NULL) == (rc == BUS_OK) &&
		     (!expected || same_json(r, &json, expected->text, why, n));
	}
	bus_buf_release(&json);
	bus_buf_release(&binary);
	schema_unref(&w);
	schema_unref(&r);
	return ok;
}

static long cpu_ms(void)
{
	return (long)(clock() * 1000 / CLOCKS_PER_SEC);
}

static bool run_malformed(const struct bus_json *line, char *why, size_t n)
{
	struct schema *s = parse(vectors_text(line, "schema"), why, n);
	struct bus_buf binary = { 0 };
	struct bus_buf json = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc;
	bool ok = s != NULL;
	long before;

	vectors_hex(vectors_text(line, "hex"), &binary);
	if (ok) {
		before = cpu_ms();
		rc = decode(s, NULL, bus_buf_str(&binary), &json, &err);
		if (cpu_ms() - before > SLOW_MS) {
			snprintf(why, n, "took %ld ms", cpu_ms() - before);
			ok = false;
		}
		if (vectors_is(line, "expect", "error") && rc == BUS_OK) {
			snprintf(why, n, "accepted");
			ok = false;
		}
		/* Where a refusal is advised, we refuse; but read booleans, and sizes of blocks that are
		 * not skipped, as Java does, because encode.jsonl wants that. */
		if (vectors_is(line, "expect", "policy") && rc == BUS_OK &&
		    !vectors_is(line, "category", "boolean-byte") &&
		    !vectors_is(line, "category", "block-count")) {
			snprintf(why, n, "accepted: %.*s", (int)vectors_text(line, "why").n,
				 vectors_text(line, "why").p);
			ok = false;
		}
	}
	bus_buf_release(&json);
	bus_buf_release(&binary);
	schema_unref(&s);
	return ok;
}

static bool run_single_object(const struct bus_json *line, char *why, size_t n)
{
	struct schema *s = parse(vectors_text(line, "schema"), why, n);
	struct bus_buf want = { 0 };
	struct bus_buf got = { 0 };
	struct bus_buf canonical = { 0 };
	struct bus_error err = { 0 };
	uint64_t crc;
	bool ok = s != NULL;

	vectors_hex(vectors_text(line, "message"), &want);
	if (ok) {
		schema_canonical(s, &canonical);
		crc = schema_crc64(bus_buf_str(&canonical));
		bus_buf_put(&got, "\xc3\x01", 2);
		for (int i = 0; i < 8; i++)
			bus_buf_putc(&got, (char)(crc >> (8 * i)));
		ok = schema_encode_json(s, vectors_text(line, "json"), SCHEMA_JSON_AVRO, &got, &err) ==
			 BUS_OK &&
		     bus_str_eq(bus_buf_str(&got), bus_buf_str(&want));
		if (!ok)
			snprintf(why, n, "other message; %s", err.text);
	}
	bus_buf_release(&want);
	bus_buf_release(&got);
	bus_buf_release(&canonical);
	schema_unref(&s);
	return ok;
}

static void transcodes_between_json_and_avro_as_avro_java_does(void **state)
{
	static const struct vectors_skip skip[] = {
		{ "enc-02372", "a map with a key twice: the sink streams both, Java keeps the last" },
		{ NULL, NULL },
	};

	(void)state;
	vectors_run("encode.jsonl.gz", 1681, run_encode, skip);
}

static void refuses_json_that_does_not_fit(void **state)
{
	(void)state;
	vectors_run("encode_errors.jsonl", 141, run_encode_error, NULL);
}

static void resolves_writer_and_reader_as_avro_java_does(void **state)
{
	(void)state;
	vectors_run("resolve.jsonl", 1355, run_resolve, NULL);
}

static void refuses_malformed_data_quickly(void **state)
{
	(void)state;
	vectors_run("malformed_binary.jsonl", 578, run_malformed, NULL);
}

static void makes_single_object_messages(void **state)
{
	(void)state;
	vectors_run("single_object.jsonl", 23, run_single_object, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transcodes_between_json_and_avro_as_avro_java_does),
		cmocka_unit_test(refuses_json_that_does_not_fit),
		cmocka_unit_test(resolves_writer_and_reader_as_avro_java_does),
		cmocka_unit_test(refuses_malformed_data_quickly),
		cmocka_unit_test(makes_single_object_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
