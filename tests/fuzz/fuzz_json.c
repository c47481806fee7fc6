/* JSON both ways: the puller, fed in pieces of odd sizes, must accept what the tree accepts and give the same
 * tokens. The first byte of the input chooses the sizes of the pieces. */
#include <stdint.h>

#include "bus/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct bus_json_limits limits = { .depth = 16, .text = 64 };

struct source {
	const char *p;
	size_t n;
	size_t at;
	unsigned seed;
	char *piece;
	struct bus_json_puller *j;
};

static void feed(struct source *s)
{
	size_t n = s->seed % 7 + (s->seed % 3 == 0 ? 20 : 0);

	s->seed = s->seed * 1103515245 + 12345;
	n = n > s->n - s->at ? s->n - s->at : n;
	free(s->piece);
	s->piece = bus_xmalloc(n + 1);
	memcpy(s->piece, s->p + s->at, n);
	s->piece = bus_xrealloc(s->piece, n + (n == 0)); /* so that reading past it is seen */
	s->at += n;
	bus_json_feed(s->j, s->piece, n, s->at == s->n);
}

static enum bus_err next(struct source *s, enum bus_json_type *type, struct bus_str *text,
			 struct bus_error *err)
{
	enum bus_err rc;

	while ((rc = bus_json_next(s->j, type, text, err)) == BUS_OK && *type == BUS_JSON_MORE)
		feed(s);
	return rc;
}

static void must(int what)
{
	if (!what)
		abort();
}

static void expect(struct source *s, enum bus_json_type want, struct bus_str want_text)
{
	enum bus_json_type type;
	struct bus_str text;

	must(next(s, &type, &text, NULL) == BUS_OK);
	must(type == want);
	if (type == BUS_JSON_STRING || type == BUS_JSON_NUMBER || type == BUS_JSON_NAME)
		must(bus_str_eq(text, want_text));
}

/* The tree's depth is limited, so this may recurse. */
static void compare(struct source *s, const struct bus_json *v)
{
	int64_t whole;

	expect(s, v->type, v->text);
	if (v->type == BUS_JSON_NUMBER)
		(void)!bus_json_int(v, &whole);
	if (v->type != BUS_JSON_OBJECT && v->type != BUS_JSON_ARRAY)
		return;
	for (const struct bus_json *c = v->first; c; c = c->next) {
		if (v->type == BUS_JSON_OBJECT)
			expect(s, BUS_JSON_NAME, c->name);
		compare(s, c);
	}
	expect(s, v->type == BUS_JSON_OBJECT ? BUS_JSON_OBJECT_END : BUS_JSON_ARRAY_END, v->text);
}

static enum bus_err pull_all(struct source *s, struct bus_error *err)
{
	enum bus_json_type type = BUS_JSON_MORE;
	struct bus_str text;
	enum bus_err rc = BUS_OK;

	while (rc == BUS_OK && type != BUS_JSON_END)
		rc = next(s, &type, &text, err);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bus_arena *arena;
	struct source s;
	struct bus_json *root;
	struct bus_error tree_err = { 0 };
	struct bus_error err = { 0 };
	enum bus_err rc;

	if (size < 1)
		return 0;
	arena = bus_arena_new(0);
	s = (struct source){ .p = (const char *)data + 1, .n = size - 1, .seed = data[0] };
	s.j = bus_json_puller_new(&limits);
	rc = bus_json_parse((struct bus_str){ s.p, s.n }, &limits, arena, &root, &tree_err);
	if (rc == BUS_OK) {
		compare(&s, root);
		expect(&s, BUS_JSON_END, (struct bus_str){ 0 });
	} else if (!strstr(tree_err.text, "stands twice")) { /* which the puller does not look for */
		must(pull_all(&s, &err) != BUS_OK);
	}
	bus_json_puller_free(&s.j);
	free(s.piece);
	bus_arena_free(&arena);
	return 0;
}
