#include <stdio.h>

#include "bus/utf8.h"
#include "schemas/kinds/proto_parse.h"
#include "schemas/kinds/proto_text.h"

static void put_value(struct proto_text *t, const struct schema_proto_message *scope,
		      const struct schema_proto_value *v);

void schema_proto_put_quoted(struct proto_text *t, struct bus_str s)
{
	static const char from[] = "\a\b\f\n\r\t\v\\'\"";
	static const char to[] = "abfnrtv\\'\"";
	struct bus_buf b = { 0 };

	bus_buf_putc(&b, '"');
	for (size_t i = 0; i < s.n;) {
		size_t n = bus_utf8_len(s.p + i, s.n - i);
		const char *known = s.p[i] ? strchr(from, s.p[i]) : NULL;

		if (known)
			bus_buf_printf(&b, "\\%c", to[known - from]);
		else if (n == 0 || s.p[i] == '\0')
			bus_buf_printf(&b, "\\%03o", (unsigned char)s.p[i]);
		else
			bus_buf_put(&b, s.p + i, n);
		i += n ? n : 1;
	}
	bus_buf_putc(&b, '"');
	schema_proto_put_str(t, bus_buf_str(&b));
	bus_buf_release(&b);
}

/* 1024.0 -> 1024, 1.50 -> 1.5, as Java's DecimalFormat; others stay as written. */
static struct bus_str short_number(struct bus_str s)
{
	bool plain = memchr(s.p, '.', s.n) != NULL;

	for (size_t i = 0; i < s.n; i++)
		plain = plain && ((s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.' || s.p[i] == '-');
	while (plain && s.n > 1 && s.p[s.n - 1] == '0')
		s.n--;
	if (plain && s.n > 1 && s.p[s.n - 1] == '.')
		s.n--;
	return s;
}

static void put_number(struct proto_text *t, struct bus_str s)
{
	bool negative;
	uint64_t v;
	char text[32];

	if (!t->normalize || !schema_proto_number(s, &negative, &v)) {
		schema_proto_put_str(t, t->normalize ? short_number(s) : s);
		return;
	}
	snprintf(text, sizeof(text), "%s%llu", negative && v ? "-" : "", (unsigned long long)v);
	schema_proto_put(t, text);
}

/* The full name of an extension as it is used in the scope; without one, as written. */
static struct bus_str extension_name(struct proto_text *t, const struct schema_proto_message *scope,
				     struct bus_str name)
{
	const struct schema_proto_symbol *s =
	    t->normalize ? schema_proto_resolve(t->p, t->file, scope, name, false) : NULL;

	return s && s->kind == SCHEMA_PROTO_IS_EXTENSION ? s->name : name;
}

static int by_key(const void *a, const void *b)
{
	struct bus_str x = (*(const struct schema_proto_value *const *)a)->key;
	struct bus_str y = (*(const struct schema_proto_value *const *)b)->key;
	int c = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);

	return c ? c : (x.n > y.n) - (x.n < y.n);
}

static void put_map(struct proto_text *t, const struct schema_proto_message *scope,
		    const struct schema_proto_value *map)
{
	size_t n;
	const struct schema_proto_value **all =
	    SCHEMA_PROTO_ARRAY((const struct schema_proto_value *)map->first, &n);

	if (t->normalize)
		qsort(all, n, sizeof(*all), by_key);
	schema_proto_put(t, "{\n");
	t->depth++;
	for (size_t i = 0; i < n; i++) {
		if (t->normalize && all[i]->kind == SCHEMA_PROTO_LIST && !all[i]->first)
			continue;
		if (all[i]->key_extension)
			schema_proto_put(t, "[");
		schema_proto_put_str(t, all[i]->key_extension ? extension_name(t, scope, all[i]->key)
							      : all[i]->key);
		schema_proto_put(t, all[i]->key_extension ? "]: " : ": ");
		put_value(t, scope, all[i]);
		schema_proto_put(t, i + 1 < n ? ",\n" : "\n");
	}
	t->depth--;
	schema_proto_put(t, "}");
	free(all);
}

static void put_value(struct proto_text *t, const struct schema_proto_message *scope,
		      const struct schema_proto_value *v)
{
	switch (v->kind) {
	case SCHEMA_PROTO_STRING:
		schema_proto_put_quoted(t, v->text);
		break;
	case SCHEMA_PROTO_NUMBER:
		put_number(t, v->text);
		break;
	case SCHEMA_PROTO_MAP:
		put_map(t, scope, v);
		break;
	case SCHEMA_PROTO_LIST:
		if (t->normalize && v->first && !v->first->next) {
			put_value(t, scope, v->first);
			break;
		}
		schema_proto_put(t, "[\n");
		t->depth++;
		for (v = v->first; v; v = v->next) {
			put_value(t, scope, v);
			schema_proto_put(t, v->next ? ",\n" : "\n");
		}
		t->depth--;
		schema_proto_put(t, "]");
		break;
	default:
		schema_proto_put_str(t, v->text);
		break;
	}
}

static void put_option(struct proto_text *t, const struct schema_proto_message *scope,
		       const struct schema_proto_option *o)
{
	for (const struct schema_proto_part *part = o->name; part; part = part->next) {
		schema_proto_put(t, part->parens ? "(" : "");
		schema_proto_put_str(t, part->text);
		schema_proto_put(t, part->parens ? ")" : "");
		if (part->next)
			schema_proto_put(t, ".");
	}
	schema_proto_put(t, " = ");
	put_value(t, scope, o->value);
}

/* (a).b.c = v is (a) = { b: { c: v } }. */
static struct schema_proto_option *as_map(struct proto_text *t, const struct schema_proto_message *scope,
					  const struct schema_proto_option *o)
{
	struct schema_proto_option *made = schema_proto_new(t->p, sizeof(*made));
	struct schema_proto_part *name = schema_proto_new(t->p, sizeof(*name));
	struct schema_proto_value **in;

	if (!made || !name)
		return NULL;
	*made = *o;
	made->next = NULL;
	*name = *o->name;
	name->next = NULL;
	made->name = name;
	if (!name->parens) { /* features.x and the like are left as they are */
		made->name = o->name;
		return made;
	}
	name->text = extension_name(t, scope, name->text);
	in = &made->value;
	for (const struct schema_proto_part *part = o->name->next; part; part = part->next) {
		struct schema_proto_value *map =
		    schema_proto_value_new(t->p, SCHEMA_PROTO_MAP, (struct bus_str){ 0 });
		struct schema_proto_value *v = schema_proto_new(t->p, sizeof(*v));

		if (!map || !v)
			return NULL;
		*v = *o->value;
		v->key = part->text;
		v->key_extension = part->parens;
		v->next = NULL;
		/* What *in is now, the value or the copy put in its place one step ago, moves a level in. */
		map->key = (*in)->key;
		map->key_extension = (*in)->key_extension;
		map->first = v;
		*in = map;
		in = &map->first;
	}
	return made;
}

static bool is_repeated(struct proto_text *t, const struct schema_proto_option *o)
{
	const struct schema_proto_symbol *s = schema_proto_find(t->p, o->name->text);
	const struct schema_proto_field *f = s && s->kind == SCHEMA_PROTO_IS_EXTENSION ? s->what : NULL;

	return !f || f->label == SCHEMA_PROTO_REPEATED;
}

/* The entries of b after those of a; a message that both have is merged, of a single value the last counts,
 * what else both have becomes a list. Depth: that of values and parts. */
static void merge(struct proto_text *t, struct schema_proto_value *a, const struct schema_proto_value *b)
{
	for (const struct schema_proto_value *v = b->first; v; v = v->next) {
		struct schema_proto_value **tail = &a->first;
		struct schema_proto_value *copy = schema_proto_new(t->p, sizeof(*copy));

		if (!copy) {
			t->failed = true;
			return;
		}
		*copy = *v;
		copy->next = NULL;
		while (*tail &&
		       !(bus_str_eq((*tail)->key, v->key) && (*tail)->key_extension == v->key_extension))
			tail = &(*tail)->next;
		if (!*tail) {
			*tail = copy;
		} else if ((*tail)->kind == SCHEMA_PROTO_MAP && v->kind == SCHEMA_PROTO_MAP) {
			merge(t, *tail, v);
		} else {
			copy->next = (*tail)->next;
			*tail = copy;
		}
	}
}

static int by_option(const void *a, const void *b)
{
	const struct schema_proto_option *x = *(const struct schema_proto_option *const *)a;
	const struct schema_proto_option *y = *(const struct schema_proto_option *const *)b;
	struct bus_str s = x->name->text;
	struct bus_str r = y->name->text;
	int c = memcmp(s.p, r.p, s.n < r.n ? s.n : r.n);

	return c ? c : (s.n > r.n) - (s.n < r.n);
}

/* Sorted by name, what is set in parts put together. */
static size_t normalized(struct proto_text *t, const struct schema_proto_message *scope,
			 const struct schema_proto_option **all, size_t n)
{
	struct schema_proto_option **made = bus_xcalloc(n + 1, sizeof(struct schema_proto_option *));
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		struct schema_proto_option *o = as_map(t, scope, all[i]);
		struct schema_proto_option *before = NULL;

		if (!o) {
			t->failed = true;
			break;
		}
		for (size_t k = 0; k < kept && o->name->parens && o->value->kind == SCHEMA_PROTO_MAP; k++)
			if (made[k]->name->parens && bus_str_eq(made[k]->name->text, o->name->text))
				before = made[k];
		if (before && before->value->kind == SCHEMA_PROTO_MAP && !is_repeated(t, o)) {
			struct schema_proto_value *both = schema_proto_new(t->p, sizeof(*both));

			if (!both) {
				t->failed = true;
				break;
			}
			both->kind = SCHEMA_PROTO_MAP;
			merge(t, both, before->value);
			merge(t, both, o->value);
			before->value = both;
		} else {
			made[kept++] = o;
		}
	}
	/* Stable: equal names keep their order. */
	for (size_t i = 1; i < kept; i++) {
		struct schema_proto_option *o = made[i];
		size_t k = i;

		for (; k > 0 && by_option(&made[k - 1], &o) > 0; k--)
			made[k] = made[k - 1];
		made[k] = o;
	}
	for (size_t i = 0; i < kept; i++)
		all[i] = made[i];
	free(made);
	return kept;
}

/* Those to be written; the caller frees. */
static const struct schema_proto_option **select_options(struct proto_text *t,
							 const struct schema_proto_message *scope,
							 const struct schema_proto_option *options, size_t *n)
{
	const struct schema_proto_option **all = SCHEMA_PROTO_ARRAY(options, n);
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		struct bus_str name = all[i]->name->text;

		if (t->ignore_extensions && all[i]->name->parens &&
		    !(name.n > 10 && memcmp(name.p, "confluent.", 10) == 0))
			continue;
		all[kept++] = all[i];
	}
	*n = t->normalize ? normalized(t, scope, all, kept) : kept;
	return all;
}

void schema_proto_put_options(struct proto_text *t, const struct schema_proto_message *scope,
			      const struct schema_proto_option *options, bool blank, int indent)
{
	size_t n;
	const struct schema_proto_option **all = select_options(t, scope, options, &n);

	if (n > 0 && blank)
		schema_proto_put(t, "\n");
	t->depth += indent;
	for (size_t i = 0; i < n; i++) {
		schema_proto_put(t, "option ");
		put_option(t, scope, all[i]);
		schema_proto_put(t, ";\n");
	}
	t->depth -= indent;
	free(all);
}

void schema_proto_put_brackets(struct proto_text *t, const struct schema_proto_message *scope,
			       const struct schema_proto_option *options, const struct schema_proto_field *f)
{
	struct schema_proto_part special[2] = { { .text = BUS_STR("default") },
						{ .text = BUS_STR("json_name") } };
	struct schema_proto_value json = { .kind = SCHEMA_PROTO_STRING };
	struct schema_proto_option last[2] = { 0 };
	size_t n;
	const struct schema_proto_option **all = select_options(t, scope, options, &n);
	size_t n_last = 0;

	if (f && f->preset)
		last[n_last++] = (struct schema_proto_option){ .name = &special[0], .value = f->preset };
	if (f && f->json_name.p) {
		json.text = f->json_name;
		last[n_last++] = (struct schema_proto_option){ .name = &special[1], .value = &json };
	}
	if (n + n_last > 0) {
		all = bus_xrealloc(all, (n + 3) * sizeof(*all));
		for (size_t i = 0; i < n_last; i++)
			all[n + i] = &last[i];
		n += n_last;
		if (t->normalize && n_last > 0) /* they take their places among the others */
			for (size_t i = 1; i < n; i++) {
				const struct schema_proto_option *o = all[i];
				size_t k = i;

				for (; k > 0 && by_option(&all[k - 1], &o) > 0; k--)
					all[k] = all[k - 1];
				all[k] = o;
			}
		schema_proto_put(t, n > 1 ? " [\n" : " [");
		t->depth += n > 1;
		for (size_t i = 0; i < n; i++) {
			put_option(t, scope, all[i]);
			if (n > 1)
				schema_proto_put(t, i + 1 < n ? ",\n" : "\n");
		}
		t->depth -= n > 1;
		schema_proto_put(t, "]");
	}
	free(all);
}
