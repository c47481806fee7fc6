/* Regular expressions, as far as ECMA 262, Java and re2 agree on what is none. */
#include "schemas/kinds/json_schema.h"

struct pattern {
	const char *p, *end;
};

/* After '{': a count {n}, {n,}, {n,m}? Moves behind it; anything else is a literal brace. */
static const char *count(struct pattern *s, bool *repeats)
{
	const char *c = s->p;
	long low = 0, high = -1;
	int digits = 0;

	*repeats = false;
	for (; c < s->end && *c >= '0' && *c <= '9'; c++, digits++)
		low = low < 1000000 ? low * 10 + (*c - '0') : low;
	if (digits == 0)
		return NULL;
	if (c < s->end && *c == ',') {
		c++;
		if (c < s->end && *c >= '0' && *c <= '9')
			for (high = 0; c < s->end && *c >= '0' && *c <= '9'; c++)
				high = high < 1000000 ? high * 10 + (*c - '0') : high;
	}
	if (c == s->end || *c != '}')
		return NULL;
	s->p = c + 1;
	*repeats = true;
	return high >= 0 && high < low ? "a count {n,m} whose m is smaller than n" : NULL;
}

/* One member of a class: its character, or -1 where that cannot be said (\w, multi-byte). */
static int member(struct pattern *s)
{
	unsigned char c = (unsigned char)*s->p++;

	if (c == '\\' && s->p < s->end) {
		c = (unsigned char)*s->p++;
		return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? -1 : c;
	}
	return c < 0x80 ? c : -1;
}

/* After '['. */
static const char *class(struct pattern *s)
{
	if (s->p < s->end && *s->p == '^')
		s->p++;
	while (s->p < s->end && *s->p != ']') {
		int from = member(s);

		if (s->end - s->p >= 2 && s->p[0] == '-' && s->p[1] != ']') {
			int to;

			s->p++;
			to = member(s);
			if (from >= 0 && to >= 0 && to < from)
				return "a range [b-a] whose end comes before its start";
		}
	}
	if (s->p == s->end)
		return "a '[' without ']'";
	s->p++;
	return NULL;
}

const char *schema_json_pattern(struct bus_str pattern)
{
	struct pattern s = { pattern.p, pattern.p + pattern.n };
	bool something = false; /* that can be repeated */
	const char *wrong = NULL;
	size_t open = 0;

	while (!wrong && s.p < s.end) {
		char c = *s.p++;
		bool repeats = c == '*' || c == '+' || c == '?';

		if (c == '\\') {
			if (s.p == s.end)
				return "a '\\' at the end";
			s.p++;
		} else if (c == '[') {
			wrong = class(&s);
		} else if (c == '(') {
			open++;
			if (s.p < s.end && *s.p == '?')
				s.p++; /* (?: (?= (?! (?<: what follows is read as characters */
			something = false;
			continue;
		} else if (c == ')') {
			if (open-- == 0)
				return "a ')' without '('";
		} else if (c == '|') {
			something = false;
			continue;
		} else if (c == '{') {
			wrong = count(&s, &repeats);
		}
		if (repeats && !something)
			return "nothing stands before a '*', '+', '?' or '{n}'";
		if (repeats && s.p < s.end && (*s.p == '?' || *s.p == '+'))
			s.p++;
		something = !repeats || c == '{'; /* a{2}{3} is one in Java */
	}
	return wrong ? wrong : open > 0 ? "a '(' without ')'" : NULL;
}
