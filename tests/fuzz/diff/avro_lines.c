/* Titian's Avro engine behind lines of JSON: a request in, an answer out. The protocol is in avro_diff.py. */
#include <stdio.h>

#include "schemas/avro/canon.h"
#include "schemas/avro/compat.h"
#include "schemas/avro/json.h"

#define LINE_MAX_BYTES ((size_t)64 * 1024 * 1024)

static const char *const logical_name[] = {
	[SCHEMA_LOGICAL_NONE] = "",
	[SCHEMA_DATE] = "date",
	[SCHEMA_TIME_MILLIS] = "time-millis",
	[SCHEMA_TIME_MICROS] = "time-micros",
	[SCHEMA_TIMESTAMP_MILLIS] = "timestamp-millis",
	[SCHEMA_TIMESTAMP_MICROS] = "timestamp-micros",
	[SCHEMA_LOCAL_TIMESTAMP_MILLIS] = "local-timestamp-millis",
	[SCHEMA_LOCAL_TIMESTAMP_MICROS] = "local-timestamp-micros",
	[SCHEMA_DECIMAL] = "decimal",
	[SCHEMA_UUID] = "uuid",
	[SCHEMA_DURATION] = "duration",
	[SCHEMA_TIMESTAMP_NANOS] = "timestamp-nanos",
	[SCHEMA_LOCAL_TIMESTAMP_NANOS] = "local-timestamp-nanos",
	[SCHEMA_BIG_DECIMAL] = "big-decimal",
};

struct answer {
	const struct bus_json *in;
	struct bus_json_out out;
	struct bus_error err;
};

static struct bus_str text_of(const struct answer *a, const char *name)
{
	const struct bus_json *v = bus_json_get(a->in, name);

	return v ? v->text : (struct bus_str){ "", 0 };
}

static void put(struct answer *a, const char *name, struct bus_str text)
{
	bus_json_key(&a->out, name);
	bus_json_put_str(&a->out, text);
}

static enum bus_err parse(struct answer *a, const char *name, struct schema **out)
{
	return schema_parse(text_of(a, name), SCHEMA_LENIENT, NULL, 0, out, &a->err);
}

static enum bus_err answer_schema(struct answer *a)
{
	struct bus_buf b = { 0 };
	struct schema *strict = NULL;
	struct schema *s = NULL;
	bool is_strict =
	    schema_parse(text_of(a, "schema"), SCHEMA_STRICT, NULL, 0, &strict, &a->err) == BUS_OK;
	enum bus_err rc;

	bus_json_key(&a->out, "strict");
	bus_json_put_bool(&a->out, is_strict);
	if (!is_strict)
		put(a, "why", bus_str(a->err.text));
	schema_unref(&strict);
	rc = parse(a, "schema", &s);
	if (rc != BUS_OK)
		return rc;
	schema_canonical(s, &b);
	put(a, "canonical", bus_buf_str(&b));
	bus_buf_reset(&b);
	schema_to_string(s, &b);
	put(a, "text", bus_buf_str(&b));
	bus_buf_reset(&b);
	bus_buf_printf(&b, "%lld", (long long)schema_fingerprint(s));
	put(a, "crc", bus_buf_str(&b));
	put(a, "logical", bus_str(logical_name[schema_root(s)->logical]));
	bus_buf_release(&b);
	schema_unref(&s);
	return BUS_OK;
}

static enum bus_err answer_encode(struct answer *a)
{
	struct bus_buf datum = { 0 };
	struct schema *s = NULL;
	enum bus_err rc = parse(a, "schema", &s);

	if (rc == BUS_OK)
		rc = schema_encode_json(s, text_of(a, "json"), SCHEMA_JSON_AVRO, &datum, &a->err);
	if (rc == BUS_OK) {
		char *hex = bus_xmalloc(2 * datum.n + 1);

		bus_hex(datum.p, datum.n, hex);
		put(a, "binary", bus_str(hex));
		free(hex);
	}
	bus_buf_release(&datum);
	schema_unref(&s);
	return rc;
}

static int digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static enum bus_err answer_read(struct answer *a, const char *writer, const char *reader)
{
	const struct schema_limits limits = { .depth = 400 };
	struct bus_str hex = text_of(a, "binary");
	struct bus_buf datum = { 0 };
	struct bus_buf json = { 0 };
	struct bus_json_out out = { .buf = &json };
	struct schema_reader *machine = schema_reader_new(&limits);
	struct schema_json_sink sink;
	struct schema_plan *plan = NULL;
	struct schema *w = NULL;
	struct schema *r = NULL;
	enum bus_err rc = parse(a, writer, &w);

	for (size_t i = 0; i + 1 < hex.n; i += 2)
		bus_buf_putc(&datum, (char)(digit(hex.p[i]) << 4 | digit(hex.p[i + 1])));
	if (rc == BUS_OK)
		rc = parse(a, reader, &r);
	if (rc == BUS_OK)
		rc = schema_plan(w, r, &plan, &a->err);
	schema_json_sink_init(&sink, &out, SCHEMA_JSON_AVRO);
	if (rc == BUS_OK)
		rc = schema_read(machine, plan, bus_buf_str(&datum), &sink.sink, &a->err);
	if (rc == BUS_OK)
		put(a, "json", bus_buf_str(&json));
	schema_plan_free(&plan);
	schema_reader_free(&machine);
	schema_unref(&w);
	schema_unref(&r);
	bus_buf_release(&datum);
	bus_buf_release(&json);
	return rc;
}

static enum bus_err answer_compat(struct answer *a)
{
	struct schema_verdict why = { 0 };
	struct schema *w = NULL;
	struct schema *r = NULL;
	enum bus_err rc = parse(a, "reader", &r);

	if (rc == BUS_OK)
		rc = parse(a, "writer", &w);
	if (rc == BUS_OK) {
		bool ok = schema_can_read(r, w, &why);

		bus_json_key(&a->out, "compatible");
		bus_json_put_bool(&a->out, ok);
		bus_json_key(&a->out, "reasons");
		bus_json_array(&a->out);
		for (size_t i = 0; i < why.n_reasons; i++) {
			char *text = bus_xasprintf("%s %s %s", why.reason[i].type, why.reason[i].location,
						   why.reason[i].message);

			bus_json_put_text(&a->out, text);
			free(text);
		}
		bus_json_array_end(&a->out);
	}
	schema_verdict_release(&why);
	schema_unref(&w);
	schema_unref(&r);
	return rc;
}

static enum bus_err answer_op(struct answer *a)
{
	struct bus_str op = text_of(a, "op");

	if (bus_str_is(op, "schema"))
		return answer_schema(a);
	if (bus_str_is(op, "encode"))
		return answer_encode(a);
	if (bus_str_is(op, "decode"))
		return answer_read(a, "schema", "schema");
	if (bus_str_is(op, "resolve"))
		return answer_read(a, "writer", "reader");
	if (bus_str_is(op, "compat"))
		return answer_compat(a);
	return bus_fail(&a->err, BUS_EINVAL, "no such op");
}

int main(void)
{
	const struct bus_json_limits limits = { .text = LINE_MAX_BYTES };
	struct bus_arena *arena = bus_arena_new(0);
	struct bus_buf b = { 0 };
	char *line = NULL;
	size_t room = 0;
	ssize_t n;

	while ((n = getline(&line, &room, stdin)) > 0) {
		struct answer a = { .out = { .buf = &b } };
		struct bus_json *in;
		enum bus_err rc;

		bus_arena_reset(arena);
		bus_buf_reset(&b);
		bus_json_object(&a.out);
		rc = bus_json_parse((struct bus_str){ line, (size_t)n }, &limits, arena, &in, &a.err);
		a.in = in;
		if (rc == BUS_OK)
			rc = answer_op(&a);
		bus_json_key(&a.out, "ok");
		bus_json_put_bool(&a.out, rc == BUS_OK);
		if (rc != BUS_OK)
			put(&a, "error", bus_str(a.err.text));
		bus_json_object_end(&a.out);
		bus_buf_putc(&b, '\n');
		fwrite(b.p, 1, b.n, stdout);
		fflush(stdout);
	}
	free(line);
	bus_buf_release(&b);
	bus_arena_free(&arena);
	return 0;
}
