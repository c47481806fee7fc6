/* The seven levels of compatibility. */
#include "schemas/avro/compat.h"

static const char *const level_name[] = {
	[SCHEMA_COMPAT_NONE] = "NONE",
	[SCHEMA_COMPAT_BACKWARD] = "BACKWARD",
	[SCHEMA_COMPAT_BACKWARD_TRANSITIVE] = "BACKWARD_TRANSITIVE",
	[SCHEMA_COMPAT_FORWARD] = "FORWARD",
	[SCHEMA_COMPAT_FORWARD_TRANSITIVE] = "FORWARD_TRANSITIVE",
	[SCHEMA_COMPAT_FULL] = "FULL",
	[SCHEMA_COMPAT_FULL_TRANSITIVE] = "FULL_TRANSITIVE",
};

const char *schema_level_name(enum schema_level level)
{
	return level_name[level];
}

enum bus_err schema_level_parse(const char *name, enum schema_level *out)
{
	for (size_t i = 0; i < BUS_LEN(level_name); i++)
		if (strcmp(name, level_name[i]) == 0) {
			*out = (enum schema_level)i;
			return BUS_OK;
		}
	return BUS_EINVAL;
}

/* The reasons are kept only of a "no". */
static bool judge(const struct schema *reader, const struct schema *writer, struct schema_verdict *why)
{
	bool ok = schema_can_read(reader, writer, why);

	if (ok && why) {
		schema_verdict_release(why);
		why->ok = true;
	}
	return ok;
}

/* One version; FULL asks for both directions, backward first. */
static bool check_version(enum schema_level level, const struct schema *candidate,
			  const struct schema *version, struct schema_verdict *why)
{
	const bool forward = level == SCHEMA_COMPAT_FORWARD || level == SCHEMA_COMPAT_FORWARD_TRANSITIVE;
	const bool backward = level == SCHEMA_COMPAT_BACKWARD || level == SCHEMA_COMPAT_BACKWARD_TRANSITIVE;

	if (!forward && !judge(candidate, version, why))
		return false;
	return backward || judge(version, candidate, why);
}

bool schema_level_transitive(enum schema_level level)
{
	return level == SCHEMA_COMPAT_BACKWARD_TRANSITIVE || level == SCHEMA_COMPAT_FORWARD_TRANSITIVE ||
	       level == SCHEMA_COMPAT_FULL_TRANSITIVE;
}

bool schema_compatible(enum schema_level level, const struct schema *candidate,
		       const struct schema *const *version, size_t n, struct schema_verdict *why,
		       size_t *failed)
{
	if (why)
		*why = (struct schema_verdict){ .ok = true };
	if (level == SCHEMA_COMPAT_NONE)
		return true;
	for (size_t i = schema_level_transitive(level) || n == 0 ? 0 : n - 1; i < n; i++) {
		if (check_version(level, candidate, version[i], why))
			continue;
		if (failed)
			*failed = i;
		return false;
	}
	return true;
}
