/* Compatibility against Avro Java's SchemaCompatibility: compat.jsonl (reasons too), compat_chain.jsonl. */
#include "tests/support/vectors.h"

#include "schemas/avro_compat.h"

#define VERSIONS_MAX 16

static struct schema *parse(struct bus_str text, char *why, size_t n)
{
	struct bus_error err = { 0 };
	struct schema *s = NULL;

	if (schema_parse(text, SCHEMA_LENIENT, NULL, 0, &s, &err) != BUS_OK)
		snprintf(why, n, "schema refused: %s", err.text);
	return s;
}

static bool same_reason(const struct schema_reason *got, const struct bus_json *want)
{
	if (!bus_str_is(vectors_text(want, "type"), got->type))
		return false;
	/* An exception's text is Java's own. */
	return strcmp(got->type, "EXCEPTION") == 0 ||
	       (bus_str_is(vectors_text(want, "location"), got->location) &&
		bus_str_is(vectors_text(want, "message"), got->message));
}

static bool same_reasons(const struct schema_verdict *got, const struct bus_json *line, const char *direction,
			 char *why, size_t n)
{
	const struct bus_json *want = bus_json_get(bus_json_get(line, "reasons"), direction);
	size_t i = 0;

	if (got->n_reasons != want->n) {
		snprintf(why, n, "%s: %zu reasons, should be %zu", direction, got->n_reasons, want->n);
		return false;
	}
	for (const struct bus_json *r = want->first; r; r = r->next, i++) {
		if (same_reason(&got->reason[i], r))
			continue;
		snprintf(why, n, "%s: %s at %s: %s", direction, got->reason[i].type, got->reason[i].location,
			 got->reason[i].message);
		return false;
	}
	return true;
}

static bool check(const struct schema *reader, const struct schema *writer, const struct bus_json *line,
		  const char *direction, char *why, size_t n)
{
	bool ok = bus_json_get(line, direction)->type == BUS_JSON_TRUE;
	struct schema_verdict verdict;
	bool same = schema_can_read(reader, writer, &verdict) == ok && verdict.ok == ok;

	if (!same)
		snprintf(why, n, "%s is %s", direction, ok ? "refused" : "accepted");
	same = same && same_reasons(&verdict, line, direction, why, n);
	schema_verdict_release(&verdict);
	return same;
}

static bool run_compat(const struct bus_json *line, char *why, size_t n)
{
	struct schema *old = parse(vectors_text(line, "old"), why, n);
	struct schema *new = parse(vectors_text(line, "new"), why, n);
	bool ok = old && new &&check(new, old, line, "backward", why, n) &&
		  check(old, new, line, "forward", why, n);

	schema_unref(&old);
	schema_unref(&new);
	return ok;
}

static bool run_chain(const struct bus_json *line, char *why, size_t n)
{
	struct schema *candidate = parse(vectors_text(line, "candidate"), why, n);
	const struct bus_json *failing = bus_json_get(line, "incompatible_with");
	struct schema *version[VERSIONS_MAX] = { NULL };
	enum schema_level level;
	char name[40];
	size_t count = 0;
	size_t failed = SIZE_MAX;
	int64_t first = -1;
	bool all = candidate != NULL;
	bool ok;

	for (const struct bus_json *v = bus_json_get(line, "versions")->first; v; v = v->next) {
		assert_true(count < VERSIONS_MAX);
		version[count] = parse(v->text, why, n);
		all = all && version[count];
		count++;
	}
	snprintf(name, sizeof(name), "%.*s", (int)vectors_text(line, "level").n,
		 vectors_text(line, "level").p);
	assert_int_equal(schema_level_parse(name, &level), BUS_OK);
	if (failing->first)
		assert_int_equal(bus_json_int(failing->first, &first), BUS_OK);
	ok = all && schema_compatible(level, candidate, (const struct schema *const *)version, count, NULL,
				      &failed) == (bus_json_get(line, "ok")->type == BUS_JSON_TRUE);
	if (all && (!ok || (first >= 0 && failed != (size_t)first))) {
		snprintf(why, n, "%s: fails with version %zd, should with %lld", name, (ssize_t)failed,
			 (long long)first);
		ok = false;
	}
	schema_unref(&candidate);
	for (size_t i = 0; i < count; i++)
		schema_unref(&version[i]);
	return ok;
}

static void judges_two_schemas_as_avro_java_does(void **state)
{
	(void)state;
	vectors_run("compat.jsonl", 676, run_compat, NULL);
}

static void judges_a_history_under_every_level(void **state)
{
	(void)state;
	vectors_run("compat_chain.jsonl", 395, run_chain, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_two_schemas_as_avro_java_does),
		cmocka_unit_test(judges_a_history_under_every_level),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
