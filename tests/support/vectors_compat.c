/* Sets of compatibility: compat (reasons too), compat_chain. */
#include "schemas/avro/compat.h"
#include "tests/support/vectors.h"

#define VERSIONS_MAX 256

static bool is(const struct bus_json *object, const char *name, const char *value)
{
	const struct bus_json *v = bus_json_get(object, name);

	return v && v->type == BUS_JSON_STRING && bus_str_is(v->text, value);
}

static bool same_reason(const struct schema_reason *got, const struct bus_json *want)
{
	if (!is(want, "type", got->type))
		return false;
	/* An exception's text is Java's own. */
	return strcmp(got->type, "EXCEPTION") == 0 ||
	       (is(want, "location", got->location) && is(want, "message", got->message));
}

static bool same_reasons(struct vectors_case *c, const struct schema_verdict *got, const char *direction)
{
	const struct bus_json *want = bus_json_get(bus_json_get(c->line, "reasons"), direction);
	size_t i = 0;

	if (!want)
		return true;
	if (got->n_reasons != want->n)
		return vectors_differ(c, "%s: %zu reasons, should be %zu", direction, got->n_reasons,
				      want->n);
	for (const struct bus_json *r = want->first; r; r = r->next, i++)
		if (!same_reason(&got->reason[i], r))
			return vectors_differ(c, "%s: %s at %s: %s", direction, got->reason[i].type,
					      got->reason[i].location, got->reason[i].message);
	return true;
}

static bool check(struct vectors_case *c, const struct schema *reader, const struct schema *writer,
		  const char *direction)
{
	const struct bus_json *said = bus_json_get(c->line, direction);
	bool ok = said && said->type == BUS_JSON_TRUE;
	struct schema_verdict verdict = { 0 };
	bool same = schema_can_read(reader, writer, &verdict) == ok && verdict.ok == ok;

	if (same)
		same = same_reasons(c, &verdict, direction);
	else
		(void)vectors_differ(c, "%s is %s: %s", direction, ok ? "refused" : "accepted",
				     verdict.n_reasons > 0 ? verdict.reason[0].message : "");
	schema_verdict_release(&verdict);
	return same;
}

bool vectors_compat(struct vectors_case *c)
{
	struct schema *old = vectors_schema(c, vectors_text(c, "old"));
	struct schema *new = vectors_schema(c, vectors_text(c, "new"));
	bool ok = old && new &&check(c, new, old, "backward") && check(c, old, new, "forward");

	schema_unref(&old);
	schema_unref(&new);
	return ok;
}

static bool judge(struct vectors_case *c, const struct schema *candidate, const struct schema *const *version,
		  size_t n)
{
	const struct bus_json *failing = bus_json_get(c->line, "incompatible_with");
	const struct bus_json *said = bus_json_get(c->line, "ok");
	enum schema_level level;
	char name[40];
	size_t failed = SIZE_MAX;
	int64_t first = -1;
	bool ok;

	snprintf(name, sizeof(name), "%.*s", (int)vectors_text(c, "level").n, vectors_text(c, "level").p);
	if (schema_level_parse(name, &level) != BUS_OK)
		return vectors_differ(c, "unknown level '%s'", name);
	if (failing && failing->first && bus_json_int(failing->first, &first) != BUS_OK)
		return vectors_differ(c, "incompatible_with is no list of numbers");
	ok = schema_compatible(level, candidate, version, n, NULL, &failed);
	if (ok != (said && said->type == BUS_JSON_TRUE) || (first >= 0 && failed != (size_t)first))
		return vectors_differ(c, "%s: %s with version %zd, should with %lld", name,
				      ok ? "compatible" : "fails", (ssize_t)failed, (long long)first);
	return true;
}

bool vectors_chain(struct vectors_case *c)
{
	const struct bus_json *versions = bus_json_get(c->line, "versions");
	struct schema *candidate = vectors_schema(c, vectors_text(c, "candidate"));
	struct schema *version[VERSIONS_MAX] = { NULL };
	size_t n = 0;
	bool ok = candidate != NULL;

	for (const struct bus_json *v = versions ? versions->first : NULL; v && ok; v = v->next) {
		if (n == VERSIONS_MAX) {
			ok = vectors_differ(c, "more than %d versions", VERSIONS_MAX);
			break;
		}
		version[n] = vectors_schema(c, v->text);
		ok = version[n++] != NULL;
	}
	ok = ok && judge(c, candidate, (const struct schema *const *)version, n);
	schema_unref(&candidate);
	for (size_t i = 0; i < n; i++)
		schema_unref(&version[i]);
	return ok;
}
