#include "gateway/publish/slice.h"

static bool space(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

char gw_slice_peek(struct gw_slice *s)
{
	while (s->p < s->end && space(*s->p))
		s->p++;
	return s->p < s->end ? *s->p : 0;
}

bool gw_slice_over(struct gw_slice *s)
{
	return gw_slice_peek(s) == 0 && s->p == s->end;
}

/* From behind the opening quote to behind the closing one; false: there is none, *p is the end. */
static bool string_end(const char **p, const char *end)
{
	for (;;) {
		const char *quote = memchr(*p, '"', (size_t)(end - *p)), *back;

		if (!quote) {
			*p = end;
			return false;
		}
		for (back = quote; back > *p && back[-1] == '\\'; back--)
			;
		*p = quote + 1; /* an escaped one: what stands before it is done with */
		if ((quote - back) % 2 == 0)
			return true;
	}
}

/* To behind an object or array; the kinds of its brackets are compared where the value is read. False: *p is where it
 * went wrong. */
static bool container_end(const char **p, const char *end)
{
	int depth = 0;

	while (*p < end) {
		switch (*(*p)++) {
		case '"':
			if (!string_end(p, end))
				return false;
			break;
		case '{':
		case '[':
			if (++depth > GW_SLICE_DEPTH_MAX)
				return false;
			break;
		case '}':
		case ']':
			if (--depth == 0)
				return true;
			break;
		default:
			break;
		}
	}
	return false;
}

bool gw_slice_value(struct gw_slice *s, struct bus_str *out)
{
	const char c = gw_slice_peek(s), *begin = s->p;
	bool whole = true;

	if (c == '"') {
		s->p++;
		whole = string_end(&s->p, s->end);
	} else if (c == '{' || c == '[') {
		whole = container_end(&s->p, s->end);
	} else {
		while (s->p < s->end && !space(*s->p) && *s->p != ',' && *s->p != '}' && *s->p != ']')
			s->p++;
	}
	if (!whole || s->p == begin)
		return false;
	*out = (struct bus_str){ begin, (size_t)(s->p - begin) };
	return true;
}

void gw_slice_enter(struct gw_slice *s, struct bus_str container)
{
	*s = (struct gw_slice){ container.p + 1, container.p + container.n, false };
}

/* To the next part: over a comma, or to the end. */
static enum gw_slice_next step(struct gw_slice *s, char close)
{
	char c = gw_slice_peek(s);

	if (c == close && s->p + 1 == s->end) {
		s->p++;
		return GW_SLICE_END;
	}
	if (s->begun) {
		if (c != ',')
			return GW_SLICE_BROKEN;
		s->p++;
	}
	s->begun = true;
	return GW_SLICE_ONE;
}

enum gw_slice_next gw_slice_member(struct gw_slice *s, struct bus_str *name, struct bus_str *value)
{
	enum gw_slice_next next = step(s, '}');

	if (next != GW_SLICE_ONE)
		return next;
	if (gw_slice_peek(s) != '"' || !gw_slice_value(s, name) || gw_slice_peek(s) != ':')
		return GW_SLICE_BROKEN;
	*name = (struct bus_str){ name->p + 1, name->n - 2 };
	s->p++;
	return gw_slice_value(s, value) ? GW_SLICE_ONE : GW_SLICE_BROKEN;
}

enum gw_slice_next gw_slice_item(struct gw_slice *s, struct bus_str *value)
{
	enum gw_slice_next next = step(s, ']');

	if (next != GW_SLICE_ONE)
		return next;
	return gw_slice_value(s, value) ? GW_SLICE_ONE : GW_SLICE_BROKEN;
}
