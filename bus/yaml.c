#include "bus/yaml.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <yaml.h>

#include "bus/arena.h"
#include "bus/buf.h"

#define FILE_MAX ((size_t)1024 * 1024)
#define DEPTH_MAX 32
#define FEW 16	     /* keys up to which a new one is compared with those before it */
#define ASKED_MAX 64 /* names remembered for hints, per map */

struct asked {
	struct asked *next;
	const char *name;
};

/* What callers see, and what only this file does. */
struct node {
	struct bus_yaml_node n;
	struct bus_arena *arena;
	struct bus_yaml_node **tail;
	size_t count;
	struct asked *asked; /* names asked for that are not there */
	size_t n_asked;
};

struct bus_yaml {
	char *file;
	struct bus_arena *arena;
	struct bus_yaml_node *root;
};

struct load {
	struct bus_yaml *y;
	struct bus_error *err;
	yaml_parser_t parser;
	int first_line;
	struct node *open[DEPTH_MAX]; /* containers */
	int depth;
	const char *key; /* of the value that comes next */
	int key_line;
};

static struct node *node_of(struct bus_yaml_node *n)
{
	return (struct node *)n; /* n is its first member */
}

static enum bus_err fail_line(struct bus_yaml *y, int line, struct bus_error *err, enum bus_err code,
			      const char *fmt, va_list ap)
{
	char text[sizeof(err->text)];

	vsnprintf(text, sizeof(text), fmt, ap);
	return bus_fail(err, code, "%s:%d: %s", y->file, line, text);
}

enum bus_err bus_yaml_fail(struct bus_yaml *y, const struct bus_yaml_node *at, struct bus_error *err,
			   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_line(y, at ? at->line : 1, err, BUS_EPARSE, fmt, ap);
	va_end(ap);
	return BUS_EPARSE;
}

static enum bus_err BUS_PRINTF(4, 5) fail(struct load *l, int line, enum bus_err code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail_line(l->y, line, l->err, code, fmt, ap);
	va_end(ap);
	return code;
}

/* --- loading --- */

static int line_of(const struct load *l, const yaml_event_t *e)
{
	return l->first_line + (int)e->start_mark.line;
}

static enum bus_err fail_syntax(struct load *l)
{
	const yaml_parser_t *p = &l->parser;
	const char *problem = p->problem ? p->problem : "not YAML";
	const char *hint = "";
	int line = l->first_line + (int)p->problem_mark.line;

	if (p->error == YAML_READER_ERROR)
		return fail(l, line, BUS_EPARSE, "%s (byte %zu); write the file in UTF-8", problem,
			    p->problem_offset);
	if (strstr(problem, "cannot start any token"))
		hint = "; indent with spaces, and put text that begins with a sign in quotes";
	else if (strstr(problem, "mapping values are not allowed"))
		hint = "; put text that holds ': ' in quotes, and look at the indentation";
	else if (strstr(problem, "could not find expected ':'"))
		hint = "; a key is followed by ': '";
	else if (strstr(problem, "did not find expected key") || strstr(problem, "block end"))
		hint = "; look at the indentation";
	return fail(l, line, BUS_EPARSE, "%s%s%s%s%s", problem, p->context ? " (" : "",
		    p->context ? p->context : "", p->context ? ")" : "", hint);
}

static int by_key(const void *a, const void *b)
{
	const struct bus_yaml_node *const *x = a;
	const struct bus_yaml_node *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static enum bus_err fail_twice(struct load *l, const char *key, int line, int first)
{
	return fail(l, line, BUS_EPARSE, "key '%s' stands twice; the first is in line %d", key, first);
}

/* A map of many keys, when it ends: sorted, so that equal ones are neighbours. */
static enum bus_err check_keys(struct load *l, const struct node *map)
{
	const struct bus_yaml_node **all;
	size_t n = 0;
	enum bus_err rc = BUS_OK;

	if (map->n.kind != BUS_YAML_MAP || map->count <= FEW)
		return BUS_OK;
	all = bus_xmalloc(map->count * sizeof(struct bus_yaml_node *));
	for (const struct bus_yaml_node *c = map->n.first; c; c = c->next)
		all[n++] = c;
	qsort(all, n, sizeof(struct bus_yaml_node *), by_key);
	for (size_t i = 1; i < n && rc == BUS_OK; i++) {
		const struct bus_yaml_node *a = all[i - 1];
		const struct bus_yaml_node *b = all[i];

		if (by_key(&a, &b) == 0)
			rc = fail_twice(l, a->key, a->line > b->line ? a->line : b->line,
					a->line > b->line ? b->line : a->line);
	}
	free(all);
	return rc;
}

static enum bus_err take_key(struct load *l, const yaml_event_t *e)
{
	const struct node *map = l->open[l->depth - 1];
	const char *text = (const char *)e->data.scalar.value;
	size_t n = e->data.scalar.length;

	if (e->type != YAML_SCALAR_EVENT)
		return fail(l, line_of(l, e), BUS_EPARSE, "a key must be plain text");
	if (n == 0)
		return fail(l, line_of(l, e), BUS_EPARSE, "a key is empty");
	if (strcmp(text, "<<") == 0 && e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		return fail(l, line_of(l, e), BUS_EPARSE, "merge keys ('<<') are not supported");
	l->key = bus_arena_dup(l->y->arena, text, n);
	l->key_line = line_of(l, e);
	if (map->count > FEW)
		return BUS_OK; /* compared when the map ends */
	for (const struct bus_yaml_node *c = map->n.first; c; c = c->next) {
		if (strcmp(c->key, l->key) == 0)
			return fail_twice(l, l->key, l->key_line, c->line);
	}
	return BUS_OK;
}

static struct node *add_node(struct load *l, const yaml_event_t *e, enum bus_yaml_kind kind)
{
	struct node *n = bus_arena_zalloc(l->y->arena, sizeof(*n));

	n->n.kind = kind;
	n->n.line = l->key ? l->key_line : line_of(l, e);
	n->n.key = l->key;
	n->n.text = "";
	n->arena = l->y->arena;
	n->tail = &n->n.first;
	l->key = NULL;
	if (l->depth == 0) {
		l->y->root = &n->n;
	} else {
		struct node *parent = l->open[l->depth - 1];

		*parent->tail = &n->n;
		parent->tail = &n->n.next;
		parent->count++;
	}
	return n;
}

static enum bus_err take_scalar(struct load *l, const yaml_event_t *e)
{
	struct node *n;

	if (l->depth > 0 && l->open[l->depth - 1]->n.kind == BUS_YAML_MAP && !l->key)
		return take_key(l, e);
	n = add_node(l, e, BUS_YAML_SCALAR);
	n->n.text = bus_arena_dup(l->y->arena, (const char *)e->data.scalar.value, e->data.scalar.length);
	n->n.text_len = e->data.scalar.length;
	n->n.quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	return BUS_OK;
}

static enum bus_err open_container(struct load *l, const yaml_event_t *e, enum bus_yaml_kind kind)
{
	struct node *n;

	if (l->depth > 0 && l->open[l->depth - 1]->n.kind == BUS_YAML_MAP && !l->key)
		return take_key(l, e); /* says that it is no key */
	if (l->depth == DEPTH_MAX)
		return fail(l, line_of(l, e), BUS_EPARSE, "nested deeper than %d", DEPTH_MAX);
	n = add_node(l, e, kind);
	l->open[l->depth++] = n;
	return BUS_OK;
}

static const char *unwanted(const yaml_event_t *e)
{
	const yaml_char_t *anchor = NULL;
	const yaml_char_t *tag = NULL;

	switch (e->type) {
	case YAML_SCALAR_EVENT:
		anchor = e->data.scalar.anchor;
		tag = e->data.scalar.tag;
		if (memchr(e->data.scalar.value, '\0', e->data.scalar.length))
			return "text must not hold a NUL";
		break;
	case YAML_MAPPING_START_EVENT:
		anchor = e->data.mapping_start.anchor;
		tag = e->data.mapping_start.tag;
		break;
	case YAML_SEQUENCE_START_EVENT:
		anchor = e->data.sequence_start.anchor;
		tag = e->data.sequence_start.tag;
		break;
	case YAML_ALIAS_EVENT:
		return "aliases ('*name') are not supported; write it out, or put text that begins with * in "
		       "quotes";
	case YAML_DOCUMENT_START_EVENT:
		return e->data.document_start.tag_directives.start !=
			       e->data.document_start.tag_directives.end
			   ? "%TAG is not supported"
			   : NULL;
	default:
		return NULL;
	}
	if (anchor)
		return "anchors ('&name') are not supported; put text that begins with & in quotes";
	if (tag)
		return "tags ('!name') are not supported; put text that begins with ! in quotes";
	return NULL;
}

static enum bus_err take_event(struct load *l, const yaml_event_t *e)
{
	const char *problem = unwanted(e);

	if (problem)
		return fail(l, line_of(l, e), BUS_EPARSE, "%s", problem);
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (l->y->root)
			return fail(l, line_of(l, e), BUS_EPARSE, "a second document; one file holds one");
		return BUS_OK;
	case YAML_SCALAR_EVENT:
		return take_scalar(l, e);
	case YAML_MAPPING_START_EVENT:
		return open_container(l, e, BUS_YAML_MAP);
	case YAML_SEQUENCE_START_EVENT:
		return open_container(l, e, BUS_YAML_LIST);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		l->depth--;
		return check_keys(l, l->open[l->depth]);
	default:
		return BUS_OK;
	}
}

static enum bus_err take_all(struct load *l)
{
	bool end = false;

	while (!end) {
		yaml_event_t e;
		enum bus_err rc;

		if (!yaml_parser_parse(&l->parser, &e))
			return fail_syntax(l);
		end = e.type == YAML_STREAM_END_EVENT;
		rc = take_event(l, &e);
		yaml_event_delete(&e);
		if (rc != BUS_OK)
			return rc;
	}
	if (!l->y->root) {
		yaml_event_t nothing = { .type = YAML_NO_EVENT };

		add_node(l, &nothing, BUS_YAML_MAP); /* an empty file is an empty map */
	}
	return BUS_OK;
}

enum bus_err bus_yaml_parse(const char *name, int first_line, const char *text, size_t n,
			    struct bus_yaml **out, struct bus_error *err)
{
	struct load l = { .err = err, .first_line = first_line };
	enum bus_err rc;

	*out = NULL;
	l.y = bus_xcalloc(1, sizeof(*l.y));
	l.y->file = bus_xstrdup(name);
	l.y->arena = bus_arena_new(0); /* bounded by the size of the text */
	if (n > FILE_MAX) {
		rc = fail(&l, first_line, BUS_ETOOBIG, "larger than 1 MiB");
		goto out;
	}
	if (!yaml_parser_initialize(&l.parser))
		abort(); /* out of memory, the only reason there is */
	/* Said, not guessed: else two bytes at the beginning could make it UTF-16. */
	yaml_parser_set_encoding(&l.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, n);
	rc = take_all(&l);
	yaml_parser_delete(&l.parser);
	if (rc != BUS_OK)
		goto out;
	*out = l.y;
	l.y = NULL;
out:
	bus_yaml_free(&l.y);
	return rc;
}

enum bus_err bus_yaml_load(const char *path, struct bus_yaml **out, struct bus_error *err)
{
	FILE *fp = fopen(path, "re");
	char *text;
	size_t n;
	bool broken;
	enum bus_err rc;

	*out = NULL;
	if (!fp)
		return bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO, "cannot open '%s': %m", path);
	/* One byte more than is allowed: if it arrives, the file is too long. */
	text = bus_xmalloc(FILE_MAX + 1);
	n = fread(text, 1, FILE_MAX + 1, fp);
	broken = ferror(fp);
	if (broken)
		rc = bus_fail(err, BUS_EIO, "cannot read '%s': %m", path);
	else
		rc = bus_yaml_parse(path, 1, text, n, out, err);
	fclose(fp);
	free(text);
	return rc;
}

void bus_yaml_free(struct bus_yaml **y)
{
	if (!*y)
		return;
	bus_arena_free(&(*y)->arena);
	free((*y)->file);
	free(*y);
	*y = NULL;
}

/* --- reading --- */

struct bus_yaml_node *bus_yaml_root(struct bus_yaml *y)
{
	return y->root;
}

const char *bus_yaml_file(const struct bus_yaml *y)
{
	return y->file;
}

static void remember_asked(struct node *map, const char *key)
{
	struct asked *a;

	if (map->n_asked == ASKED_MAX)
		return;
	for (a = map->asked; a; a = a->next) {
		if (strcmp(a->name, key) == 0)
			return;
	}
	a = bus_arena_alloc(map->arena, sizeof(*a));
	a->name = bus_arena_dup(map->arena, key, strlen(key));
	a->next = map->asked;
	map->asked = a;
	map->n_asked++;
}

struct bus_yaml_node *bus_yaml_get(struct bus_yaml_node *map, const char *key)
{
	if (!map || map->kind != BUS_YAML_MAP)
		return NULL;
	for (struct bus_yaml_node *c = map->first; c; c = c->next) {
		if (strcmp(c->key, key) == 0) {
			c->asked = true;
			return c;
		}
	}
	remember_asked(node_of(map), key);
	return NULL;
}

const char *bus_yaml_asked(const struct bus_yaml_node *map, size_t i)
{
	for (const struct bus_yaml_node *c = map->first; c; c = c->next)
		if (c->asked && i-- == 0)
			return c->key;
	for (const struct asked *a = ((const struct node *)map)->asked; a; a = a->next)
		if (i-- == 0)
			return a->name;
	return NULL;
}

size_t bus_yaml_count(const struct bus_yaml_node *n)
{
	size_t count = 0;

	for (const struct bus_yaml_node *c = n ? n->first : NULL; c; c = c->next)
		count++;
	return count;
}

static const char *nearest_asked(const struct node *map, const char *key)
{
	const char *name[ASKED_MAX];
	size_t n = 0;

	for (const struct asked *a = map->asked; a; a = a->next)
		name[n++] = a->name;
	return bus_nearest(key, name, n);
}

enum bus_err bus_yaml_no_more(struct bus_yaml *y, struct bus_yaml_node *map, struct bus_error *err)
{
	const char *near;

	if (!map || map->kind != BUS_YAML_MAP)
		return BUS_OK;
	for (const struct bus_yaml_node *c = map->first; c; c = c->next) {
		if (c->asked)
			continue;
		near = nearest_asked(node_of(map), c->key);
		if (near)
			return bus_yaml_fail(y, c, err, "unknown key '%s'; did you mean '%s'?", c->key, near);
		return bus_yaml_fail(y, c, err, "unknown key '%s'", c->key);
	}
	return BUS_OK;
}

bool bus_yaml_is_null(const struct bus_yaml_node *n)
{
	return n->kind == BUS_YAML_SCALAR && !n->quoted &&
	       (n->text_len == 0 || strcmp(n->text, "~") == 0 || strcasecmp(n->text, "null") == 0);
}

/* The scalar at key: BUS_OK and NULL when there is none and none is needed. */
static enum bus_err get_scalar(struct bus_yaml *y, struct bus_yaml_node *map, const char *key, bool must,
			       struct bus_yaml_node **out, struct bus_error *err)
{
	struct bus_yaml_node *n = bus_yaml_get(map, key);

	*out = NULL;
	if (!n)
		return must ? bus_yaml_fail(y, map, err, "key '%s' is missing", key) : BUS_OK;
	if (n->kind != BUS_YAML_SCALAR)
		return bus_yaml_fail(y, n, err, "'%s' must be a single value, not a %s", key,
				     n->kind == BUS_YAML_MAP ? "map" : "list");
	if (bus_yaml_is_null(n))
		return bus_yaml_fail(y, n, err,
				     "'%s' has no value; leave the key out, or put the text in quotes", key);
	*out = n;
	return BUS_OK;
}

enum bus_err bus_yaml_str(struct bus_yaml *y, struct bus_yaml_node *map, const char *key, bool must,
			  const char **out, struct bus_error *err)
{
	struct bus_yaml_node *n;
	enum bus_err rc = get_scalar(y, map, key, must, &n, err);

	if (n)
		*out = n->text;
	return rc;
}

static bool parse_int(const char *s, int64_t *out)
{
	char *end;

	if (s[0] == '\0' || strspn(s, "-0123456789") != strlen(s) ||
	    (s[0] == '-' && (s[1] == '\0' || s[1] == '0')) || (s[0] == '0' && s[1] != '\0'))
		return false; /* 010 is eight to some readers of YAML */
	errno = 0;
	*out = strtoll(s, &end, 10);
	return errno == 0 && *end == '\0';
}

enum bus_err bus_yaml_int(struct bus_yaml *y, struct bus_yaml_node *map, const char *key, bool must,
			  int64_t min, int64_t max, int64_t *out, struct bus_error *err)
{
	struct bus_yaml_node *n;
	enum bus_err rc = get_scalar(y, map, key, must, &n, err);
	int64_t v;

	if (!n)
		return rc;
	if (n->quoted || !parse_int(n->text, &v))
		return bus_yaml_fail(y, n, err, "'%s' must be a whole number, in digits only", key);
	if (v < min || v > max)
		return bus_yaml_fail(y, n, err, "'%s' is %lld; from %lld to %lld is allowed", key,
				     (long long)v, (long long)min, (long long)max);
	*out = v;
	return BUS_OK;
}

enum bus_err bus_yaml_bool(struct bus_yaml *y, struct bus_yaml_node *map, const char *key, bool must,
			   bool *out, struct bus_error *err)
{
	struct bus_yaml_node *n;
	enum bus_err rc = get_scalar(y, map, key, must, &n, err);
	bool is_true;

	if (!n)
		return rc;
	is_true = strcmp(n->text, "true") == 0;
	if (n->quoted || (!is_true && strcmp(n->text, "false") != 0))
		return bus_yaml_fail(y, n, err, "'%s' must be true or false", key);
	*out = is_true;
	return BUS_OK;
}
