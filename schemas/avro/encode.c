/* JSON text -> Avro, in one pass: the tokens are written as they come, with a stack of the objects and arrays
 * that are open. What must stand before what is not known yet is put there when it is: the count of an array
 * or a map, fields that came in another order than the schema's. */
#include <assert.h>
#include <stdio.h>

#include "bus/yaml.h"
#include "schemas/avro/encode.h"
#include "schemas/avro/write.h"
#include "schemas/avro/schema_impl.h"
#include "schemas/avro/words.h"

#define OUT_MAX ((size_t)64 * 1024 * 1024)  /* one datum: defaults take no JSON */
#define SPANS_MAX ((size_t)4 * 1024 * 1024) /* fields and keys of all that is open */
#define FEW 8				    /* keys of a map, each compared with each */
#define ABSENT SIZE_MAX
#define NAME_SHOWN_MAX 64 /* of a member that is no field */
#define FIELDS_NEAR_MAX 1000

/* JSON pointer of the outermost n levels; "" is the datum. */
static void put_place(const struct schema_encoder *e, size_t n, struct bus_buf *b)
{
	for (size_t i = 0; i < n; i++) {
		const struct schema_encode_level *l = &e->level[i];

		if (l->kind == SCHEMA_LEVEL_RECORD)
			bus_buf_printf(b, "/%s", l->node->field[l->at].name);
		else if (l->kind == SCHEMA_LEVEL_ARRAY)
			bus_buf_printf(b, "/%zu", l->at);
		else if (l->kind == SCHEMA_LEVEL_MAP)
			bus_buf_puts(b, "/*"); /* keys are data */
		else
			bus_buf_printf(b, "/%s", schema_label(l->node->branch[l->at]));
	}
}

/* Names the place by the outermost n levels. */
static enum bus_err misfit_at(struct schema_encoder *e, size_t n, const char *want)
{
	struct bus_buf b = { 0 };
	enum bus_err rc;

	put_place(e, n, &b);
	rc = bus_fail(e->err, BUS_EDATA, "value %.300s: %s", b.n > 0 ? bus_buf_cstr(&b) : "/", want);
	bus_buf_release(&b);
	return rc;
}

static enum bus_err misfit(struct schema_encoder *e, const char *want)
{
	return misfit_at(e, e->depth, want);
}

/* --- objects and arrays --- */

static enum bus_err open_level(struct schema_encoder *e, enum schema_level_kind kind,
			       const struct schema_node *node)
{
	const size_t more = kind == SCHEMA_LEVEL_RECORD ? node->n : 0;

	assert(e->depth < BUS_JSON_DEPTH_MAX); /* the puller's limit */
	e->level[e->depth++] = (struct schema_encode_level){
		.kind = kind, .node = node, .begin = e->out->n, .spans = e->n_spans, .ordered = true
	};
	if (more > SPANS_MAX - e->n_spans)
		return bus_fail(e->err, BUS_ETOOBIG, "too many fields in what is open");
	if (e->n_spans + more > e->cap_spans) {
		e->cap_spans = 2 * (e->n_spans + more);
		e->span = bus_xrealloc(e->span, e->cap_spans * sizeof(*e->span));
	}
	for (size_t i = 0; i < more; i++)
		e->span[e->n_spans + i] = (struct schema_span){ ABSENT, 0 };
	e->n_spans += more;
	if (kind == SCHEMA_LEVEL_ARRAY || kind == SCHEMA_LEVEL_MAP)
		bus_buf_putc(e->out, 0); /* the count, or the end of an empty one */
	return BUS_OK;
}

static enum bus_err named_twice(struct schema_encoder *e)
{
	return bus_fail(e->err, BUS_EPARSE, "line %llu: a name stands twice in an object",
			(unsigned long long)bus_json_line(e->json));
}

/* Names are no values, but what a program puts there may be one: only what could name a field is shown. */
static enum bus_err no_field(struct schema_encoder *e, const struct schema_node *record, struct bus_str name)
{
	const size_t n = record->n < FIELDS_NEAR_MAX ? record->n : FIELDS_NEAR_MAX;
	const char **known, *near;
	struct bus_buf b = { 0 };
	char word[NAME_SHOWN_MAX + 1];
	enum bus_err rc;

	if (name.n > NAME_SHOWN_MAX || !schema_name_valid(name))
		return misfit_at(e, e->depth - 1, "a member that is no field of the record");
	snprintf(word, sizeof(word), "%.*s", (int)name.n, name.p);
	known = bus_xmalloc((n + 1) * sizeof(*known));
	for (size_t i = 0; i < n; i++)
		known[i] = record->field[i].name;
	near = bus_nearest(word, known, n);
	put_place(e, e->depth - 1, &b);
	rc = bus_fail(e->err, BUS_EDATA, "value %.300s/%s: no field of the record%s%.100s%s",
		      b.n > 0 ? bus_buf_cstr(&b) : "", word, near ? "; did you mean '" : "", near ? near : "",
		      near ? "'?" : "");
	bus_buf_release(&b);
	free(known);
	return rc;
}

static enum bus_err on_field(struct schema_encoder *e, struct schema_encode_level *l, struct bus_str name)
{
	const size_t next = l->n == 0 ? 0 : l->at + 1; /* most often the fields stand in order */
	int32_t i = (int32_t)next;

	if (next >= l->node->n || !bus_str_is(name, l->node->field[next].name))
		i = schema_position(l->node, name);
	if (i < 0)
		return no_field(e, l->node, name);
	if (e->span[l->spans + (size_t)i].at != ABSENT)
		return named_twice(e);
	l->ordered = l->ordered && (size_t)i == next;
	l->at = (size_t)i;
	l->n++;
	e->span[l->spans + (size_t)i].at = e->out->n;
	return BUS_OK;
}

static enum bus_err on_key(struct schema_encoder *e, struct schema_encode_level *l, struct bus_str name)
{
	if (e->n_spans == SPANS_MAX)
		return bus_fail(e->err, BUS_ETOOBIG, "too many keys in what is open");
	if (e->n_spans == e->cap_spans) {
		e->cap_spans *= 2;
		e->span = bus_xrealloc(e->span, e->cap_spans * sizeof(*e->span));
	}
	schema_put_text(e->out, name);
	e->span[e->n_spans++] = (struct schema_span){ e->out->n - name.n, name.n };
	l->n++;
	return BUS_OK;
}

#define UNION_WANTS "not null and not {\"branch\": value} of the union"

static enum bus_err on_label(struct schema_encoder *e, struct schema_encode_level *l, struct bus_str name)
{
	int32_t i = schema_position(l->node, name);

	/* {"null": null} would be a second spelling of null. */
	if (l->n > 0 || i < 0 || l->node->branch[i]->type == SCHEMA_NULL)
		return misfit_at(e, e->depth - 1, UNION_WANTS);
	l->at = (size_t)i;
	l->n = 1;
	schema_put_long(e->out, i);
	return BUS_OK;
}

static enum bus_err on_name(struct schema_encoder *e, struct bus_str name)
{
	struct schema_encode_level *l = &e->level[e->depth - 1];

	if (l->kind == SCHEMA_LEVEL_RECORD)
		return on_field(e, l, name);
	return l->kind == SCHEMA_LEVEL_MAP ? on_key(e, l, name) : on_label(e, l, name);
}

static int compare_keys(const void *x, const void *y, void *ctx)
{
	const struct schema_span *a = x;
	const struct schema_span *b = y;
	const char *out = ctx;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return memcmp(out + a->at, out + b->at, a->n);
}

static bool has_key_twice(struct schema_encoder *e, const struct schema_encode_level *l)
{
	struct schema_span *key = &e->span[l->spans];

	if (l->n > FEW)
		qsort_r(key, l->n, sizeof(*key), compare_keys, e->out->p);
	for (size_t i = 1; i < l->n; i++)
		for (size_t k = l->n > FEW ? i - 1 : 0; k < i; k++)
			if (compare_keys(&key[i], &key[k], e->out->p) == 0)
				return true;
	return false;
}

/* The count goes where a byte was kept for it; mostly that is enough. */
static void end_items(struct schema_encoder *e, const struct schema_encode_level *l)
{
	struct bus_buf *out = e->out;
	struct bus_buf *count = &e->scratch;

	if (l->n == 0)
		return;
	bus_buf_reset(count);
	schema_put_long(count, (int64_t)l->n);
	bus_buf_put(out, count->p, count->n); /* room for what is moved, and the end */
	if (count->n > 1)
		memmove(out->p + l->begin + count->n, out->p + l->begin + 1,
			out->n - count->n - l->begin - 1);
	memcpy(out->p + l->begin, count->p, count->n);
	out->p[out->n - 1] = 0;
}

/* Fields that were not given, then all of them in the schema's order. */
static enum bus_err end_record(struct schema_encoder *e, struct schema_encode_level *l)
{
	const struct schema_node *node = l->node;
	struct schema_span *span = &e->span[l->spans];

	for (size_t i = 0; i < node->n && l->n < node->n; i++) {
		const struct schema_field *field = &node->field[i];

		if (span[i].at != ABSENT)
			continue;
		l->at = i;
		if (!schema_encode_plain(e) || !field->fallback)
			return misfit(e, "missing");
		span[i].at = e->out->n;
		if (schema_default_encode(field->type, field->fallback, e->out) != BUS_OK)
			return misfit(e, "missing, and its default is no such value");
		span[i].n = e->out->n - span[i].at;
		l->ordered = false;
	}
	if (e->out->n - e->before > OUT_MAX)
		return bus_fail(e->err, BUS_ETOOBIG, "the datum is larger than %zu bytes", OUT_MAX);
	if (l->ordered)
		return BUS_OK;
	bus_buf_reset(&e->scratch);
	for (size_t i = 0; i < node->n; i++)
		bus_buf_put(&e->scratch, e->out->p + span[i].at, span[i].n);
	assert(e->scratch.n == e->out->n - l->begin);
	if (e->scratch.n > 0)
		memcpy(e->out->p + l->begin, e->scratch.p, e->scratch.n);
	return BUS_OK;
}

static enum bus_err end_level(struct schema_encoder *e)
{
	struct schema_encode_level *l = &e->level[e->depth - 1];
	enum bus_err rc = BUS_OK;

	if (l->kind == SCHEMA_LEVEL_RECORD)
		rc = end_record(e, l);
	else if (l->kind == SCHEMA_LEVEL_LABEL && l->n == 0)
		rc = misfit_at(e, e->depth - 1, UNION_WANTS);
	else if (l->kind == SCHEMA_LEVEL_MAP && has_key_twice(e, l))
		rc = named_twice(e);
	else if (l->kind != SCHEMA_LEVEL_LABEL)
		end_items(e, l);
	e->n_spans = l->spans;
	e->depth--;
	return rc;
}

/* --- values --- */

static enum bus_err put_bytes(struct schema_encoder *e, const struct schema_node *node,
			      const struct bus_json *v)
{
	if (!schema_encode_bytes(e, node, v))
		return misfit(e, schema_encode_unfit(e, node));
	if (node->type == SCHEMA_BYTES)
		schema_put_long(e->out, (int64_t)e->scratch.n);
	bus_buf_put(e->out, e->scratch.p, e->scratch.n);
	return BUS_OK;
}

static enum bus_err put_number(struct schema_encoder *e, const struct schema_node *node,
			       const struct bus_json *v)
{
	int64_t whole;
	double real;

	if (node->type == SCHEMA_INT || node->type == SCHEMA_LONG) {
		if (!schema_encode_whole(e, node, v, &whole))
			return misfit(e, schema_encode_unfit(e, node));
		schema_put_long(e->out, whole);
		return BUS_OK;
	}
	if (!schema_encode_real(v, &real))
		return misfit(e, "not a number");
	if (node->type == SCHEMA_DOUBLE)
		schema_put_double(e->out, real);
	else
		schema_put_float(e->out, (float)real);
	return BUS_OK;
}

/* A value that is one token, or the beginning of one that has parts; of no union. */
static enum bus_err put_value(struct schema_encoder *e, const struct schema_node *node,
			      const struct bus_json *v)
{
	int32_t i;

	switch (node->type) {
	case SCHEMA_NULL:
		return v->type == BUS_JSON_NULL ? BUS_OK : misfit(e, "not null");
	case SCHEMA_BOOLEAN:
		if (v->type != BUS_JSON_TRUE && v->type != BUS_JSON_FALSE)
			return misfit(e, "not true or false");
		schema_put_boolean(e->out, v->type == BUS_JSON_TRUE);
		return BUS_OK;
	case SCHEMA_STRING:
		if (v->type != BUS_JSON_STRING)
			return misfit(e, "not a string");
		schema_put_text(e->out, v->text);
		return BUS_OK;
	case SCHEMA_BYTES:
	case SCHEMA_FIXED:
		return put_bytes(e, node, v);
	case SCHEMA_ENUM:
		i = v->type == BUS_JSON_STRING ? schema_position(node, v->text) : -1;
		if (i < 0)
			return misfit(e, "not a symbol of the enum");
		schema_put_long(e->out, i);
		return BUS_OK;
	case SCHEMA_RECORD:
	case SCHEMA_MAP:
		if (v->type != BUS_JSON_OBJECT)
			return misfit(e, "not an object");
		return open_level(e, node->type == SCHEMA_MAP ? SCHEMA_LEVEL_MAP : SCHEMA_LEVEL_RECORD, node);
	case SCHEMA_ARRAY:
		if (v->type != BUS_JSON_ARRAY)
			return misfit(e, "not an array");
		return open_level(e, SCHEMA_LEVEL_ARRAY, node);
	default:
		return put_number(e, node, v);
	}
}

/* No branch took it: which there are, by what a value of each is called. */
static enum bus_err no_branch(struct schema_encoder *e, const struct schema_node *node)
{
	struct bus_buf b = { 0 };
	enum bus_err rc;

	bus_buf_puts(&b, "wants ");
	for (size_t i = 0; i < node->n && b.n < 200; i++) {
		const char *logical = schema_logical_name(node->branch[i]->logical);

		bus_buf_printf(&b, "%s%.60s",
			       i == 0		 ? ""
			       : i + 1 < node->n ? ", "
						 : " or ",
			       logical ? logical : schema_label(node->branch[i]));
	}
	rc = misfit(e, bus_buf_cstr(&b));
	bus_buf_release(&b);
	return rc;
}

static enum bus_err put_union(struct schema_encoder *e, const struct schema_node *node,
			      const struct bus_json *v)
{
	int32_t i;

	if (!schema_encode_plain(e) && v->type == BUS_JSON_OBJECT)
		return open_level(e, SCHEMA_LEVEL_LABEL, node);
	if (schema_encode_plain(e))
		i = schema_encode_choose(e, node, v);
	else
		i = v->type == BUS_JSON_NULL ? schema_position(node, BUS_STR("null")) : -1;
	if (i < 0)
		return schema_encode_plain(e) ? no_branch(e, node) : misfit(e, UNION_WANTS);
	schema_put_long(e->out, i);
	return put_value(e, node->branch[i], v);
}

/* The type of the value that comes next. */
static const struct schema_node *wanted(struct schema_encoder *e, const struct schema_node *root)
{
	struct schema_encode_level *l;

	if (e->depth == 0)
		return root;
	l = &e->level[e->depth - 1];
	if (l->kind == SCHEMA_LEVEL_RECORD)
		return l->node->field[l->at].type;
	if (l->kind == SCHEMA_LEVEL_LABEL)
		return l->node->branch[l->at];
	if (l->kind == SCHEMA_LEVEL_ARRAY)
		l->at = l->n++;
	return l->node->item;
}

/* A value is complete: of a record's field the bytes are known. */
static void value_done(struct schema_encoder *e)
{
	const struct schema_encode_level *l = e->depth > 0 ? &e->level[e->depth - 1] : NULL;

	if (l && l->kind == SCHEMA_LEVEL_RECORD)
		e->span[l->spans + l->at].n = e->out->n - e->span[l->spans + l->at].at;
}

static enum bus_err encode(struct schema_encoder *e, const struct schema_node *root)
{
	for (;;) {
		const size_t depth = e->depth;
		struct bus_json v = { 0 };
		const struct schema_node *node;
		enum bus_err rc = bus_json_next(e->json, &v.type, &v.text, e->err);

		if (rc != BUS_OK || v.type == BUS_JSON_END)
			return rc;
		if (v.type == BUS_JSON_NAME) {
			rc = on_name(e, v.text);
		} else if (v.type == BUS_JSON_OBJECT_END || v.type == BUS_JSON_ARRAY_END) {
			rc = end_level(e);
			value_done(e);
		} else {
			node = wanted(e, root);
			rc = node->type == SCHEMA_UNION ? put_union(e, node, &v) : put_value(e, node, &v);
			if (e->depth == depth)
				value_done(e);
		}
		if (rc != BUS_OK)
			return rc;
	}
}

enum bus_err schema_encode_json(struct schema *s, struct bus_str json, enum schema_json spelling,
				struct bus_buf *out, struct bus_error *err)
{
	const struct bus_json_limits limits = { .depth = BUS_JSON_DEPTH_MAX, .text = SCHEMA_ENCODE_TEXT_MAX };
	struct schema_encoder *e;
	size_t before = out->n;
	enum bus_err rc;

	if (json.n >= 3 && memcmp(json.p, "\xef\xbb\xbf", 3) == 0)
		return bus_fail(err, BUS_EPARSE, "a byte order mark before the value");
	e = bus_xmalloc(sizeof(*e));
	memset(e, 0, offsetof(struct schema_encoder, level));
	e->spelling = spelling;
	e->json = bus_json_puller_new(&limits);
	e->cap_spans = 64;
	e->span = bus_xmalloc(e->cap_spans * sizeof(*e->span));
	e->text = json;
	e->out = out;
	e->before = before;
	e->err = err;
	bus_json_feed(e->json, json.p, json.n, true);
	rc = encode(e, s->root);
	bus_json_puller_free(&e->json);
	bus_buf_release(&e->scratch);
	free(e->span);
	free(e);
	if (rc != BUS_OK)
		out->n = before;
	return rc;
}
