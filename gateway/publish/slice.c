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

/* From behind the opening quote to behind the closing one; NULL: there is none. */
static const char *string_end(const char *p, const char *end)
{
	for (;;) {
		const char *quote = memchr(p, '"', (size_t)(end - p)), *back;

		if (!quote)
			return NULL;
		for (back = quote; back > p && back[-1] == '\\'; back--)
			;
		if ((quote - back) % 2 == 0)
			return quote + 1;
		p = quote + 1; /* an escaped one: what stands before it is done with */
	}
}

/* An object or array; the kinds of its brackets are compared where the value is read. */
static const char *container_end(const char *p, const char *end)
{
	int depth = 0;

	while (p < end) {
		switch (*p++) {
		case '"':
			p = string_end(p, end);
			if (!p)
				return NULL;
			break;
		case '{':
		case '[':
			if (++depth > GW_SLICE_DEPTH_MAX)
				return NULL;
			break;
		case '}':
		case ']':
			if (--depth == 0)
				return p;
			break;
		default:
			break;
		}
	}
	return NULL;
}

bool gw_slice_value(struct gw_slice *s, struct bus_str *out)
{
	const char c = gw_slice_peek(s), *begin = s->p, *stop = begin;

	if (c == '"')
		stop = string_end(begin + 1, s->end);
	else if (c == '{' || c == '[')
		stop = container_end(begin, s->end);
	else
		while (stop < s->end && !space(*stop) && *stop != ',' && *stop != '}' && *stop != ']')
			stop++;
	if (!stop || stop == begin)
		return false;
	*out = (struct bus_str){ begin, (size_t)(stop - begin) };
	s->p = stop;
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
