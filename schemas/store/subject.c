#include "schemas/store/subject.h"

#include "bus/utf8.h"

struct schema_qualified schema_subject_split(const char *subject)
{
	struct schema_qualified q = { BUS_STR(SCHEMA_CONTEXT_DEFAULT), bus_str(subject) };
	const char *end;

	if (strncmp(subject, ":*:", 3) == 0)
		return (struct schema_qualified){ BUS_STR("*"), bus_str(subject + 3) };
	if (strncmp(subject, ":.", 2) != 0)
		return q;
	end = strchr(subject + 2, ':');
	if (!end)
		return (struct schema_qualified){ bus_str(subject + 1), { "", 0 } };
	q.context = (struct bus_str){ subject + 1, (size_t)(end - subject - 1) };
	q.name = bus_str(end + 1);
	return q;
}

bool schema_subject_is_default(struct schema_qualified q)
{
	return bus_str_is(q.context, SCHEMA_CONTEXT_DEFAULT);
}

void schema_subject_join(struct bus_str context, struct bus_str name, struct bus_buf *out)
{
	if (!bus_str_is(context, SCHEMA_CONTEXT_DEFAULT)) {
		bus_buf_putc(out, ':');
		bus_buf_put(out, context.p, context.n);
		bus_buf_putc(out, ':');
	}
	bus_buf_put(out, name.p, name.n);
}

char *schema_subject_normal(const char *subject)
{
	struct schema_qualified q = schema_subject_split(subject);
	struct bus_buf b = { 0 };

	schema_subject_join(q.context, q.name, &b);
	return bus_buf_take(&b, NULL);
}

char *schema_subject_seen_from(const char *parent, const char *subject)
{
	struct schema_qualified q = schema_subject_split(subject);
	struct bus_buf b = { 0 };

	if (schema_subject_is_default(q))
		q.context = schema_subject_split(parent).context;
	schema_subject_join(q.context, q.name, &b);
	return bus_buf_take(&b, NULL);
}

bool schema_context_normal(const char *given, struct bus_buf *out)
{
	size_t n;

	if (*given == ':')
		given++;
	n = strlen(given);
	if (n > 0 && given[n - 1] == ':')
		n--;
	if (memchr(given, ':', n))
		return false;
	if (n == 0 || *given != '.')
		bus_buf_putc(out, '.');
	bus_buf_put(out, given, n);
	return true;
}

bool schema_subject_valid(const char *subject, bool settings)
{
	struct schema_qualified q = schema_subject_split(subject);
	size_t n = strlen(subject);

	/* What is not UTF-8 could be written, and never read back. */
	if (n > SCHEMA_SUBJECT_MAX || bus_utf8_ok(subject, n) != n)
		return false;
	for (const unsigned char *p = (const unsigned char *)subject; *p; p++)
		if (*p < 0x20 || *p == 0x7f || (*p == 0xc2 && p[1] < 0xa0))
			return false;
	if (bus_str_is(q.name, "__GLOBAL") || bus_str_is(q.name, "__EMPTY"))
		return false;
	return settings ||
	       (q.name.n > 0 && !bus_str_is(q.context, SCHEMA_CONTEXT_GLOBAL) && !bus_str_is(q.context, "*"));
}
