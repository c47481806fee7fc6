/* The tree: one pass over a text that is all there, so that a token is a range of it. */
#include "bus/json.h"

#include "bus/hex.h"
#include "bus/json_lex.h"
#include "bus/utf8.h"

#define FEW 32 /* members up to which a name is compared with those before it */

struct level {
	struct bus_json *container;
	struct bus_json **tail; /* where the next child goes */
	uint64_t seen;		/* a bit per hash of a name, so that most names need no comparing */
	bool twice;		/* lax: a name stood there already */
};

struct parse {
	const char *p;
	const char *end;
	const char *begin;
	struct bus_arena *arena;
	struct bus_error *err;
	size_t text_max;
	int depth_max;
	bool lax;
	int depth;
	struct level level[BUS_JSON_DEPTH_MAX];
};

static enum bus_err fail_at(struct parse *s, enum bus_err code, const char *at, const char *what)
{
	uint64_t line = 1;
	const char *from = s->begin;

	for (const char *c = s->begin; c < at; c++) {
		if (*c == '\n') {
			line++;
			from = c + 1;
		}
	}
	return bus_fail(s->err, code, "line %llu, column %llu: %s", (unsigned long long)line,
			(unsigned long long)(at - from) + 1, what);
}

static enum bus_err fail(struct parse *s, const char *what)
{
	return fail_at(s, BUS_EPARSE, s->p, s->p < s->end ? what : "the text ends too early");
}

static enum bus_err too_big(struct parse *s, const char *at)
{
	return fail_at(s, BUS_ETOOBIG, at, "too large for the memory given to one document");
}

static inline const char *space_end(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

/* Where the comment at p ends; p when none begins there or it has no end. */
static const char *comment_end(const char *p, const char *end)
{
	if (end - p < 2)
		return p;
	if (p[1] == '/') {
		while (p < end && *p != '\n' && *p != '\r')
			p++;
		return p;
	}
	if (p[1] == '*')
		for (const char *q = p + 2; end - q >= 2; q++)
			if (q[0] == '*' && q[1] == '/')
				return q + 2;
	return p;
}

static inline void skip_space(struct parse *s)
{
	s->p = space_end(s->p, s->end);
	while (s->lax && s->p < s->end && *s->p == '/') {
		const char *after = comment_end(s->p, s->end);

		if (after == s->p)
			return;
		s->p = space_end(after, s->end);
	}
}

static int hex4(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int d = bus_hex_digit(p[i]);

		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

/* After "\u" at p. Returns the bytes used, 0 when it is no character. */
static size_t read_unicode(const char *p, const char *end, uint32_t *c)
{
	int high = hex4(p, end);
	int low;

	if (high < 0 || (high >= 0xdc00 && high <= 0xdfff))
		return 0;
	*c = (uint32_t)high;
	if (high < 0xd800 || high > 0xdbff)
		return 4;
	if (end - p < 10 || p[4] != '\\' || p[5] != 'u')
		return 0;
	low = hex4(p + 6, end);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*c = 0x10000 + ((uint32_t)(high - 0xd800) << 10 | (uint32_t)(low - 0xdc00));
	return 10;
}

/* Checks the string from the current position to its closing quote. *escapes: it holds some. */
static enum bus_err find_quote(struct parse *s, bool *escapes)
{
	*escapes = false;
	for (;;) {
		size_t len;

		s->p = bus_json_plain_end(s->p, s->end);
		if (s->p == s->end)
			return fail(s, "");
		if (*s->p == '"')
			return BUS_OK;
		if (*s->p == '\\') {
			*escapes = true;
			if (s->end - s->p < 2) {
				s->p = s->end;
				return fail(s, "");
			}
			s->p += 2;
			continue;
		}
		if ((unsigned char)*s->p < 0x20)
			return fail(s, "a control character in a string must be escaped");
		len = bus_utf8_len(s->p, (size_t)(s->end - s->p));
		if (len == 0)
			return fail(s, "not UTF-8");
		s->p += len;
	}
}

static enum bus_err unescape(struct parse *s, const char *from, struct bus_str *out)
{
	const char *p = from;
	const char *quote = s->p;
	char *to = bus_arena_alloc(s->arena, (size_t)(quote - from));
	char *text = to;

	if (!to)
		return too_big(s, from);
	while (p < quote) {
		const char *slash = memchr(p, '\\', (size_t)(quote - p));
		size_t plain = slash ? (size_t)(slash - p) : (size_t)(quote - p);
		uint32_t c;
		size_t used;

		memcpy(to, p, plain);
		to += plain;
		p += plain;
		if (!slash)
			break;
		if (p[1] != 'u') {
			char one = bus_json_unescape(p[1]);

			if (!one)
				return fail_at(s, BUS_EPARSE, p, "no such escape");
			*to++ = one;
			p += 2;
			continue;
		}
		used = read_unicode(p + 2, quote, &c);
		if (used == 0)
			return fail_at(s, BUS_EPARSE, p,
				       "\\u is not followed by a character's four hex digits");
		to += bus_utf8_put(c, to);
		p += 2 + used;
	}
	*out = (struct bus_str){ text, (size_t)(to - text) };
	return BUS_OK;
}

/* The opening quote has been passed; the closing one is passed on success. */
static inline enum bus_err read_string(struct parse *s, struct bus_str *out)
{
	const char *from = s->p;
	bool escapes;
	enum bus_err rc;

	s->p = bus_json_plain_end(s->p, s->end);
	if (s->p < s->end && *s->p == '"') {
		*out = (struct bus_str){ from, (size_t)(s->p - from) };
	} else {
		rc = find_quote(s, &escapes);
		if (rc != BUS_OK)
			return rc;
		*out = (struct bus_str){ from, (size_t)(s->p - from) };
		if (escapes)
			rc = unescape(s, from, out);
		if (rc != BUS_OK)
			return rc;
	}
	if (out->n > s->text_max)
		return fail_at(s, BUS_ETOOBIG, from, "a string is longer than allowed");
	s->p++;
	return BUS_OK;
}

static inline bool is_digit(const struct parse *s)
{
	return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static enum bus_err read_digits(struct parse *s)
{
	if (!is_digit(s))
		return fail(s, "a digit must follow");
	while (is_digit(s))
		s->p++;
	return BUS_OK;
}

static enum bus_err read_number(struct parse *s, struct bus_str *out)
{
	const char *from = s->p;
	enum bus_err rc = BUS_OK;

	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else
		rc = read_digits(s);
	if (rc == BUS_OK && s->p < s->end && *s->p == '.') {
		s->p++;
		rc = read_digits(s);
	}
	if (rc == BUS_OK && s->p < s->end && (*s->p | 0x20) == 'e') {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		rc = read_digits(s);
	}
	if (rc != BUS_OK)
		return rc;
	*out = (struct bus_str){ from, (size_t)(s->p - from) };
	if (out->n > s->text_max)
		return fail_at(s, BUS_ETOOBIG, from, "a number is longer than allowed");
	return BUS_OK;
}

static enum bus_err read_literal(struct parse *s, const char *word, size_t n)
{
	if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
		return fail_at(s, BUS_EPARSE, s->p, "neither true, false nor null");
	s->p += n;
	return BUS_OK;
}

static uint64_t name_bit(struct bus_str name)
{
	unsigned first = name.n ? (unsigned char)name.p[0] : 0;
	unsigned middle = name.n ? (unsigned char)name.p[name.n / 2] : 0;
	unsigned last = name.n ? (unsigned char)name.p[name.n - 1] : 0;

	return UINT64_C(1) << ((first * 7 + middle * 13 + last * 31 + name.n) & 63);
}

/* In an object of few members: is there one with this name already? */
static bool is_twice(struct level *l, struct bus_str name)
{
	uint64_t bit = name_bit(name);

	if (l->container->n >= FEW)
		return false; /* looked at when the object ends */
	if (!(l->seen & bit)) {
		l->seen |= bit;
		return false;
	}
	for (const struct bus_json *m = l->container->first; m; m = m->next) {
		if (bus_str_eq(m->name, name))
			return true;
	}
	return false;
}

static int by_name(const void *a, const void *b)
{
	const struct bus_json *const *x = a;
	const struct bus_json *const *y = b;

	if ((*x)->name.n != (*y)->name.n)
		return (*x)->name.n < (*y)->name.n ? -1 : 1;
	return (*x)->name.n ? memcmp((*x)->name.p, (*y)->name.p, (*x)->name.n) : 0;
}

/* In an object of many members; sorting has no bad case that a sender could choose, as a hash has. */
static bool has_twice(const struct bus_json *object)
{
	const struct bus_json **all = bus_xmalloc(object->n * sizeof(struct bus_json *));
	size_t n = 0;
	bool twice = false;

	for (const struct bus_json *m = object->first; m; m = m->next)
		all[n++] = m;
	qsort(all, n, sizeof(struct bus_json *), by_name);
	for (size_t i = 1; i < n && !twice; i++)
		twice = by_name(&all[i - 1], &all[i]) == 0;
	free(all);
	return twice;
}

struct member {
	struct bus_json *v;
	size_t at; /* its place in the object */
};

static int by_name_and_place(const void *a, const void *b)
{
	const struct member *x = a;
	const struct member *y = b;
	int d = by_name(&x->v, &y->v);

	return d ? d : (x->at > y->at) - (x->at < y->at);
}

/* Each name once: the first member of it stays where it is, with the value of the last. */
static void keep_last(struct bus_json *object)
{
	struct member *all = bus_xmalloc(object->n * sizeof(*all));
	bool *gone = bus_xcalloc(object->n, sizeof(*gone));
	struct bus_json **tail = &object->first;
	struct bus_json *v = object->first;
	size_t n = 0;

	for (; v; v = v->next, n++)
		all[n] = (struct member){ v, n };
	qsort(all, n, sizeof(*all), by_name_and_place);
	for (size_t i = 1, first = 0; i < n; i++) {
		struct bus_json *to = all[first].v;
		const struct bus_json *from = all[i].v;

		if (by_name(&all[first].v, &all[i].v) != 0) {
			first = i;
			continue;
		}
		gone[all[i].at] = true;
		to->type = from->type;
		to->text = from->text;
		to->first = from->first;
		to->n = from->n;
	}
	v = object->first;
	object->n = 0;
	for (size_t i = 0; i < n; i++, v = v->next) {
		if (gone[i])
			continue;
		*tail = v;
		tail = &v->next;
		object->n++;
	}
	*tail = NULL;
	free(all);
	free(gone);
}

static enum bus_err read_name(struct parse *s, struct bus_str *name)
{
	const char *at = s->p;
	enum bus_err rc;

	if (s->p == s->end || *s->p != '"')
		return fail(s, "a name in quotes must stand here");
	s->p++;
	rc = read_string(s, name);
	if (rc != BUS_OK)
		return rc;
	if (is_twice(&s->level[s->depth - 1], *name)) {
		if (!s->lax)
			return fail_at(s, BUS_EPARSE, at, "a name stands twice in one object");
		s->level[s->depth - 1].twice = true;
	}
	skip_space(s);
	if (s->p == s->end || *s->p != ':')
		return fail(s, "a ':' must follow the name");
	s->p++;
	skip_space(s);
	return BUS_OK;
}

/* v is an object or array that has just begun: its children come next. */
static enum bus_err descend(struct parse *s, struct bus_json *v)
{
	if (s->depth == s->depth_max)
		return fail_at(s, BUS_ETOOBIG, s->p, "nested deeper than allowed");
	s->p++;
	s->level[s->depth++] = (struct level){ .container = v, .tail = &v->first };
	return BUS_OK;
}

/* One value; of an object or array the beginning only. */
static enum bus_err read_value(struct parse *s, struct bus_json *v)
{
	if (s->p == s->end)
		return fail(s, "");
	switch (*s->p) {
	case '"':
		v->type = BUS_JSON_STRING;
		s->p++;
		return read_string(s, &v->text);
	case '{':
		v->type = BUS_JSON_OBJECT;
		return descend(s, v);
	case '[':
		v->type = BUS_JSON_ARRAY;
		return descend(s, v);
	case 't':
		v->type = BUS_JSON_TRUE;
		return read_literal(s, "true", 4);
	case 'f':
		v->type = BUS_JSON_FALSE;
		return read_literal(s, "false", 5);
	case 'n':
		v->type = BUS_JSON_NULL;
		return read_literal(s, "null", 4);
	case '-':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9':
		v->type = BUS_JSON_NUMBER;
		return read_number(s, &v->text);
	default:
		return fail(s, "a value must stand here");
	}
}

/* Appends a child to the innermost container; it may become the innermost itself. */
static enum bus_err read_child(struct parse *s)
{
	struct level *l = &s->level[s->depth - 1];
	struct bus_json *v = bus_arena_zalloc(s->arena, sizeof(*v));
	enum bus_err rc;

	if (!v)
		return too_big(s, s->p);
	if (l->container->type == BUS_JSON_OBJECT) {
		rc = read_name(s, &v->name);
		if (rc != BUS_OK)
			return rc;
	}
	*l->tail = v;
	l->tail = &v->next;
	l->container->n++;
	return read_value(s, v);
}

static char closing(const struct level *l)
{
	return l->container->type == BUS_JSON_OBJECT ? '}' : ']';
}

static enum bus_err ascend(struct parse *s)
{
	struct level *l = &s->level[s->depth - 1];
	struct bus_json *c = l->container;

	if (l->twice || (c->type == BUS_JSON_OBJECT && c->n > FEW && has_twice(c))) {
		if (!s->lax)
			return fail(s, "a name stands twice in the object that ends here");
		keep_last(c);
	}
	s->p++;
	s->depth--;
	return BUS_OK;
}

/* Between two tokens of the innermost container: its end, or its next child. */
static enum bus_err step(struct parse *s)
{
	struct level *l = &s->level[s->depth - 1];

	skip_space(s);
	if (s->p < s->end && *s->p == closing(l))
		return ascend(s);
	if (l->container->n > 0) {
		if (s->p == s->end || *s->p != ',')
			return fail(s, "',' or the end of the object or array must stand here");
		s->p++;
		skip_space(s);
	}
	return read_child(s);
}

enum bus_err bus_json_parse(struct bus_str text, const struct bus_json_limits *limits,
			    struct bus_arena *arena, struct bus_json **out, struct bus_error *err)
{
	struct parse s;
	struct bus_json *root;
	enum bus_err rc;

	text.p = text.n ? text.p : ""; /* NULL may come with nothing */
	/* Not zeroed as a whole: the levels are large and each is set when it is entered. */
	s.begin = text.p;
	s.p = text.p;
	s.end = text.p + text.n;
	s.arena = arena;
	s.err = err;
	s.text_max = bus_json_text_max(limits);
	s.depth_max = bus_json_depth_max(limits);
	s.lax = limits && limits->lax;
	s.depth = 0;
	*out = NULL;
	if (text.n >= 3 && memcmp(text.p, BUS_JSON_BOM, 3) == 0)
		s.p += 3;
	root = bus_arena_zalloc(arena, sizeof(*root));
	if (!root)
		return too_big(&s, s.p);
	skip_space(&s);
	rc = read_value(&s, root);
	while (rc == BUS_OK && s.depth > 0)
		rc = step(&s);
	if (rc != BUS_OK)
		return rc;
	s.lax = false; /* Avro Java takes no comment here */
	skip_space(&s);
	if (s.p < s.end)
		return fail(&s, "nothing may follow the value");
	*out = root;
	return BUS_OK;
}

const struct bus_json *bus_json_get(const struct bus_json *object, const char *name)
{
	size_t n = strlen(name);

	if (!object || object->type != BUS_JSON_OBJECT)
		return NULL;
	for (const struct bus_json *m = object->first; m; m = m->next) {
		if (m->name.n == n && memcmp(m->name.p, name, n) == 0)
			return m;
	}
	return NULL;
}
