#include "gateway/restproxy/pattern.h"

#include <stdint.h>

#include "bus/mem.h"

#define CHARS 128 /* names of topics are ASCII */
#define WORDS (GW_RP_PATTERN_MAX / 64)

struct set { /* of places in the pattern that take a character */
	uint64_t w[WORDS];
};

struct gw_rp_pattern {
	struct set takes[CHARS];
	struct set follow[GW_RP_PATTERN_MAX];
	struct set first, last;
	bool empty; /* the empty name matches */
};

/* A part of the pattern: where it begins, where it may end, whether it may be nothing. */
struct part {
	struct set first, last;
	bool empty;
};

struct reader {
	struct gw_rp_pattern *p;
	const char *at;
	size_t places;
	int depth;
	const char *why;
};

static void join(struct set *to, const struct set *from)
{
	for (int i = 0; i < WORDS; i++)
		to->w[i] |= from->w[i];
}

static void add(struct set *s, size_t place)
{
	s->w[place / 64] |= UINT64_C(1) << (place % 64);
}

/* Behind each place of `last` may come `first`. */
static void follows(struct gw_rp_pattern *p, const struct set *last, const struct set *first)
{
	for (int i = 0; i < WORDS; i++)
		for (uint64_t w = last->w[i]; w; w &= w - 1)
			join(&p->follow[64 * i + __builtin_ctzll(w)], first);
}

static struct part place(struct reader *r, const bool takes[CHARS])
{
	struct part out = { 0 };

	for (int c = 0; c < CHARS; c++)
		if (takes[c])
			add(&r->p->takes[c], r->places);
	add(&out.first, r->places);
	add(&out.last, r->places++);
	return out;
}

/* A character as it is; one beyond ASCII is in no name. False: wrong. */
static bool literal(struct reader *r, unsigned char *out)
{
	if (*r->at == '\\' && (!*++r->at || !strchr(".*+?()|[]^$\\-_", *r->at)))
		r->why = "topic_pattern may have a backslash only before a punctuation mark";
	*out = (unsigned char)*r->at;
	if (*r->at)
		r->at++;
	return !r->why;
}

static struct part class(struct reader *r)
{
	bool takes[CHARS] = { false };
	const bool but = *r->at == '^';
	const char *begin;
	unsigned char from, to;

	r->at += but;
	begin = r->at;
	while (!r->why && (*r->at != ']' || r->at == begin)) {
		if (!*r->at || *r->at == '[') {
			r->why = "topic_pattern: a class is [a-z_], with no [ in it";
			break;
		}
		if (!literal(r, &from))
			break;
		to = from;
		if (r->at[0] == '-' && r->at[1] && r->at[1] != ']') {
			r->at++;
			if (!literal(r, &to))
				break;
			if (to < from)
				r->why = "topic_pattern: a class that goes backwards";
		}
		for (int c = from; c <= to && c < CHARS; c++)
			takes[c] = true;
	}
	r->at += *r->at == ']';
	for (int c = 0; but && c < CHARS; c++)
		takes[c] = !takes[c];
	return place(r, takes);
}

static struct part either(struct reader *r);

static struct part atom(struct reader *r)
{
	bool takes[CHARS] = { false };
	struct part out = { .empty = true };
	unsigned char c;

	switch (*r->at) {
	case '(':
		r->at++;
		r->depth++;
		out = either(r);
		r->depth--;
		if (*r->at != ')' && !r->why)
			r->why = "topic_pattern: ( without )";
		r->at += *r->at == ')';
		return out;
	case '[':
		r->at++;
		return class(r);
	case '.':
		r->at++;
		memset(takes, true, sizeof(takes));
		return place(r, takes);
	case '{':
		r->why = "topic_pattern may not have {}";
		return out;
	case '*':
	case '+':
	case '?':
		r->why = "topic_pattern: nothing to repeat";
		return out;
	case '^':
	case '$':
		r->why = "topic_pattern: ^ begins it and $ ends it";
		return out;
	default:
		if (!literal(r, &c))
			return out;
		if (c < CHARS)
			takes[c] = true;
		return place(r, takes);
	}
}

static struct part repeated(struct reader *r)
{
	struct part out = atom(r);

	if (!*r->at || !strchr("*+?", *r->at))
		return out;
	if (*r->at != '?')
		follows(r->p, &out.last, &out.first);
	out.empty |= *r->at != '+';
	r->at++;
	if (*r->at && strchr("*+?", *r->at))
		r->why = "topic_pattern: repeated twice";
	return out;
}

static struct part row(struct reader *r)
{
	struct part out = { .empty = true }, next;

	if (r->depth == 0 && *r->at == '^')
		r->at++;
	while (!r->why && *r->at && *r->at != '|' && *r->at != ')') {
		if (r->depth == 0 && *r->at == '$' && (!r->at[1] || r->at[1] == '|')) {
			r->at++;
			break;
		}
		next = repeated(r);
		follows(r->p, &out.last, &next.first);
		if (out.empty)
			join(&out.first, &next.first);
		if (!next.empty)
			out.last = next.last;
		else
			join(&out.last, &next.last);
		out.empty &= next.empty;
	}
	return out;
}

static struct part either(struct reader *r)
{
	struct part out = row(r), next;

	while (!r->why && *r->at == '|') {
		r->at++;
		next = row(r);
		join(&out.first, &next.first);
		join(&out.last, &next.last);
		out.empty |= next.empty;
	}
	return out;
}

struct gw_rp_pattern *gw_rp_pattern_new(const char *text, const char **why)
{
	struct reader r = { .at = text };
	struct part all;

	*why = NULL;
	if (strlen(text) > GW_RP_PATTERN_MAX) {
		*why = "topic_pattern is too long";
		return NULL;
	}
	r.p = bus_xcalloc(1, sizeof(*r.p));
	all = either(&r);
	if (!r.why && *r.at)
		r.why = "topic_pattern: ) without (";
	*why = r.why;
	if (r.why) {
		gw_rp_pattern_free(&r.p);
		return NULL;
	}
	r.p->first = all.first;
	r.p->last = all.last;
	r.p->empty = all.empty;
	return r.p;
}

void gw_rp_pattern_free(struct gw_rp_pattern **p)
{
	free(*p);
	*p = NULL;
}

bool gw_rp_pattern_matches(const struct gw_rp_pattern *p, const char *topic)
{
	struct set at = p->first, took = { 0 };
	uint64_t any = p->empty;

	for (; *topic; topic++) {
		const unsigned char c = (unsigned char)*topic;

		any = 0;
		for (int i = 0; i < WORDS && c < CHARS; i++) {
			took.w[i] = at.w[i] & p->takes[c].w[i];
			any |= took.w[i];
		}
		if (!any)
			return false;
		memset(&at, 0, sizeof(at));
		for (int i = 0; i < WORDS; i++)
			for (uint64_t w = took.w[i]; w; w &= w - 1)
				join(&at, &p->follow[64 * i + __builtin_ctzll(w)]);
		any = 0;
		for (int i = 0; i < WORDS; i++)
			any |= took.w[i] & p->last.w[i];
	}
	return any != 0;
}
