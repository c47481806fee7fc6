/* (writer, reader) -> program. Each pair of records is compiled once, as a routine; a worklist holds those
 * that were called and are not written yet, so that neither depth nor recursion of schemas matters here. */
#include "schemas/avro_plan.h"

#include <assert.h>
#include <stdio.h>

#include "schemas/schema_impl.h"

struct routine {
	const struct schema_node *w;
	const struct schema_node *r; /* NULL: skipped */
	bool in_default;
	int32_t at; /* instruction */
};

struct compiler {
	struct schema_plan *plan;
	struct schema_resolver *resolver;
	size_t n_ops, n_table, n_messages, n_routines;
	size_t cap_ops, cap_table, cap_messages, cap_routines;
	struct routine *routine;
	int32_t *index; /* of routines, by hash of (w, r): a power of two; -1 free */
	size_t index_size;
	size_t *smallest; /* bytes, by writer's node; SIZE_MAX: not known */
	bool in_default;  /* compiling a default: what is read are our own bytes, of the reader's nodes */
	bool too_big;
};

static void *grow(void *p, size_t n, size_t *cap, size_t size)
{
	if (n < *cap)
		return p;
	*cap = *cap ? 2 * *cap : 64;
	return bus_xrealloc(p, *cap * size);
}

static size_t emit(struct compiler *c, enum schema_op_code code, int64_t a, int32_t b,
		   const struct schema_node *node)
{
	if (c->n_ops >= SCHEMA_OPS_MAX) {
		c->too_big = true;
		return 0;
	}
	c->plan->op = grow(c->plan->op, c->n_ops, &c->cap_ops, sizeof(*c->plan->op));
	c->plan->op[c->n_ops] = (struct schema_op){ code, (int32_t)a, b, node };
	return c->n_ops++;
}

static int32_t here(const struct compiler *c)
{
	return (int32_t)c->n_ops;
}

static size_t reserve_table(struct compiler *c, size_t n)
{
	size_t at = c->n_table;

	if (n > SCHEMA_OPS_MAX || c->n_table + n > 4 * (size_t)SCHEMA_OPS_MAX) {
		c->too_big = true;
		return 0;
	}
	while (c->n_table + n >= c->cap_table)
		c->plan->table = grow(c->plan->table, c->cap_table, &c->cap_table, sizeof(*c->plan->table));
	c->n_table += n;
	return at;
}

static void emit_error(struct compiler *c, const struct schema_node *w, const struct schema_node *r,
		       const char *why)
{
	if (c->n_messages >= SCHEMA_OPS_MAX / 10) {
		c->too_big = true;
		return;
	}
	c->plan->message = grow(c->plan->message, c->n_messages, &c->cap_messages, sizeof(*c->plan->message));
	snprintf(c->plan->message[c->n_messages], SCHEMA_MESSAGE_MAX, "%.50s is not read as %.50s: %s",
		 schema_label(w), schema_label(r), why);
	emit(c, SCHEMA_OP_ERROR, (int64_t)c->n_messages++, 0, NULL);
}

/* The fewest bytes that a value can take; 0 for what is being looked at already: a lower bound. */
static size_t smallest(struct compiler *c, const struct schema_node *w)
{
	const size_t most = 1 << 30;
	size_t n = 0;

	if (c->smallest[w->index] != SIZE_MAX)
		return c->smallest[w->index];
	c->smallest[w->index] = 0;
	switch (w->type) {
	case SCHEMA_NULL:
		break;
	case SCHEMA_FLOAT:
		n = 4;
		break;
	case SCHEMA_DOUBLE:
		n = 8;
		break;
	case SCHEMA_FIXED:
		n = w->size;
		break;
	case SCHEMA_RECORD:
		for (size_t i = 0; i < w->n && n < most; i++)
			n += smallest(c, w->field[i].type);
		break;
	case SCHEMA_UNION:
		n = w->n > 0 ? SIZE_MAX : 0;
		for (size_t i = 0; i < w->n; i++) {
			size_t branch = smallest(c, w->branch[i]);

			n = branch < n ? branch : n;
		}
		n++;
		break;
	default:
		n = 1;
	}
	c->smallest[w->index] = n < most ? n : most;
	return c->smallest[w->index];
}

static size_t hash(const struct schema_node *w, const struct schema_node *r)
{
	uint64_t h = ((uint64_t)(uintptr_t)w * UINT64_C(0x9e3779b97f4a7c15)) ^
		     ((uint64_t)(uintptr_t)r * UINT64_C(0xc2b2ae3d27d4eb4f));

	return (size_t)(h ^ (h >> 29));
}

static int32_t *routine_slot(struct compiler *c, const struct schema_node *w, const struct schema_node *r)
{
	size_t i;

	for (i = hash(w, r) & (c->index_size - 1); c->index[i] >= 0; i = (i + 1) & (c->index_size - 1))
		if (c->routine[c->index[i]].w == w && c->routine[c->index[i]].r == r)
			break;
	return &c->index[i];
}

static void grow_index(struct compiler *c)
{
	if (2 * (c->n_routines + 1) <= c->index_size)
		return;
	c->index_size = c->index_size ? 2 * c->index_size : 64;
	c->index = bus_xrealloc(c->index, c->index_size * sizeof(*c->index));
	memset(c->index, 0xff, c->index_size * sizeof(*c->index));
	for (size_t i = 0; i < c->n_routines; i++)
		*routine_slot(c, c->routine[i].w, c->routine[i].r) = (int32_t)i;
}

static void emit_call(struct compiler *c, const struct schema_node *w, const struct schema_node *r)
{
	int32_t *slot;

	grow_index(c);
	slot = routine_slot(c, w, r);
	if (*slot < 0) {
		*slot = (int32_t)c->n_routines;
		c->routine = grow(c->routine, c->n_routines, &c->cap_routines, sizeof(*c->routine));
		c->routine[c->n_routines++] = (struct routine){ w, r, c->in_default, -1 };
	}
	emit(c, SCHEMA_OP_CALL, *slot, 0, r);
}

static void compile(struct compiler *c, const struct schema_node *w, const struct schema_node *r);

/* Each branch of the writer's union in its own stretch; branch_of: the reader's union has the same ones. */
static void compile_union(struct compiler *c, const struct schema_node *w, const struct schema_node *r,
			  bool same)
{
	size_t table = reserve_table(c, w->n);
	size_t first_jump;

	emit(c, SCHEMA_OP_UNION, (int64_t)w->n, (int32_t)table, NULL);
	first_jump = c->n_ops;
	/* The ends of the stretches are not known yet: each jumps to the next one's jump, at first. */
	for (size_t i = 0; i < w->n && !c->too_big; i++) {
		c->plan->table[table + i] = here(c);
		if (r && same)
			emit(c, SCHEMA_OP_BRANCH, (int64_t)i, 0, r);
		compile(c, w->branch[i], r && same ? r->branch[i] : r);
		if (i + 1 < w->n)
			emit(c, SCHEMA_OP_JUMP, -1, 0, NULL);
	}
	if (c->too_big)
		return;
	for (size_t i = 0; i + 1 < w->n; i++) {
		size_t jump = (size_t)c->plan->table[table + i + 1] - 1;

		assert(jump >= first_jump && c->plan->op[jump].code == SCHEMA_OP_JUMP);
		c->plan->op[jump].a = here(c);
	}
}

static void compile_items(struct compiler *c, const struct schema_node *w, const struct schema_node *r)
{
	enum schema_op_code code = w->type == SCHEMA_ARRAY ? SCHEMA_OP_ARRAY : SCHEMA_OP_MAP;
	size_t item = c->in_default ? 0 : smallest(c, w->item);
	size_t begin = emit(c, code, 0, (int32_t)(item + (w->type == SCHEMA_MAP)), r);

	compile(c, w->item, r ? r->item : NULL);
	emit(c, SCHEMA_OP_LOOP, 0, 0, NULL);
	if (!c->too_big)
		c->plan->op[begin].a = here(c);
}

static void compile_enum(struct compiler *c, const struct schema_node *w, const struct schema_node *r)
{
	int32_t fallback = -1;
	size_t table;

	if (!r || r == w) {
		emit(c, SCHEMA_OP_ENUM, (int64_t)w->n, -1, r);
		return;
	}
	if (r->fallback_symbol)
		fallback = schema_position(r, bus_str(r->fallback_symbol));
	table = reserve_table(c, w->n);
	emit(c, SCHEMA_OP_ENUM, (int64_t)w->n, (int32_t)table, r);
	for (size_t i = 0; i < w->n && !c->too_big; i++) {
		int32_t to = schema_position(r, bus_str(w->symbol[i]));

		c->plan->table[table + i] = to >= 0 ? to : fallback;
	}
}

static void compile_scalar(struct compiler *c, const struct schema_node *w, const struct schema_node *r)
{
	static const enum schema_op_code code[] = {
		[SCHEMA_NULL] = SCHEMA_OP_NULL,	  [SCHEMA_BOOLEAN] = SCHEMA_OP_BOOLEAN,
		[SCHEMA_INT] = SCHEMA_OP_INT,	  [SCHEMA_LONG] = SCHEMA_OP_LONG,
		[SCHEMA_FLOAT] = SCHEMA_OP_FLOAT, [SCHEMA_DOUBLE] = SCHEMA_OP_DOUBLE,
		[SCHEMA_BYTES] = SCHEMA_OP_BYTES, [SCHEMA_STRING] = SCHEMA_OP_TEXT,
		[SCHEMA_FIXED] = SCHEMA_OP_FIXED,
	};
	enum schema_op_code op = code[w->type];

	if (r && (r->type == SCHEMA_FLOAT || r->type == SCHEMA_DOUBLE)) {
		if (w->type == SCHEMA_INT)
			op = SCHEMA_OP_INT_TO_REAL;
		else if (w->type == SCHEMA_LONG)
			op = SCHEMA_OP_LONG_TO_REAL;
	} else if (r && w->type == SCHEMA_BYTES && r->type == SCHEMA_STRING) {
		op = SCHEMA_OP_BYTES_TO_TEXT;
	} else if (r && w->type == SCHEMA_STRING && r->type == SCHEMA_BYTES) {
		op = SCHEMA_OP_BYTES;
	}
	emit(c, op, (int64_t)w->size, 0, r);
}

/* The value of w, read as r; r NULL: skipped; r == w: as it is. Recursion: as deep as one text nests. */
static void compile(struct compiler *c, const struct schema_node *w, const struct schema_node *r)
{
	const bool plain = !r || r == w;
	const char *clash;

	if (c->too_big)
		return;
	if (w->type == SCHEMA_UNION) {
		compile_union(
		    c, w, r,
		    plain || (r->type == SCHEMA_UNION && schema_resolve_unions_equal(c->resolver, w, r)));
		return;
	}
	if (!plain && r->type == SCHEMA_UNION) {
		int32_t i = schema_resolve_branch(c->resolver, w, r);

		if (i < 0) {
			emit_error(c, w, r, "no branch takes it");
			return;
		}
		emit(c, SCHEMA_OP_BRANCH, i, 0, r);
		compile(c, w, r->branch[i]);
		return;
	}
	clash = plain ? NULL : schema_resolve_clash(c->resolver, w, r);
	if (clash) {
		emit_error(c, w, r, clash);
		return;
	}
	switch (w->type) {
	case SCHEMA_RECORD:
		emit_call(c, w, r);
		break;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		compile_items(c, w, r);
		break;
	case SCHEMA_ENUM:
		compile_enum(c, w, r);
		break;
	default:
		compile_scalar(c, w, r);
	}
}

static void compile_default(struct compiler *c, const struct schema_node *r, size_t i)
{
	const struct schema_field *field = &r->field[i];
	size_t from = c->plan->bytes.n;

	emit(c, SCHEMA_OP_FIELD, (int64_t)i, 0, r);
	if (from > INT32_MAX / 2) {
		c->too_big = true;
		return;
	}
	if (schema_default_encode(field->type, field->fallback, &c->plan->bytes) != BUS_OK) {
		emit_error(c, field->type, field->type, "its default is no such value");
		return;
	}
	emit(c, SCHEMA_OP_DEFAULT, (int64_t)from, (int32_t)(c->plan->bytes.n - from), NULL);
	c->in_default = true;
	compile(c, field->type, field->type);
	c->in_default = false;
	emit(c, SCHEMA_OP_DEFAULT_END, 0, 0, NULL);
}

/* The fields in the writer's order, then those that only the reader has. */
static void compile_fields(struct compiler *c, const struct schema_node *w, const struct schema_node *r)
{
	int32_t *map = bus_xmalloc((w->n + 1) * sizeof(*map));
	bool *has = bus_xcalloc(r->n + 1, sizeof(*has));

	/* That names do not collide was seen when the call was compiled. */
	if (!schema_resolve_fields(c->resolver, w, r, map))
		c->too_big = true;
	for (size_t i = 0; i < w->n && !c->too_big; i++) {
		if (map[i] >= 0) {
			has[map[i]] = true;
			emit(c, SCHEMA_OP_FIELD, map[i], 0, r);
			compile(c, w->field[i].type, r->field[map[i]].type);
		} else {
			compile(c, w->field[i].type, NULL);
		}
	}
	for (size_t i = 0; i < r->n && !c->too_big; i++)
		if (!has[i])
			compile_default(c, r, i);
	free(map);
	free(has);
}

static void compile_routine(struct compiler *c, size_t k)
{
	const struct routine routine = c->routine[k];
	const struct schema_node *w = routine.w;
	const struct schema_node *r = routine.r;

	c->routine[k].at = here(c);
	c->in_default = routine.in_default;
	emit(c, SCHEMA_OP_RECORD, 0, 0, r);
	if (r && r != w)
		compile_fields(c, w, r);
	for (size_t i = 0; (!r || r == w) && i < w->n; i++) {
		if (r)
			emit(c, SCHEMA_OP_FIELD, (int64_t)i, 0, r);
		compile(c, w->field[i].type, r ? w->field[i].type : NULL);
	}
	emit(c, SCHEMA_OP_RETURN, (int64_t)(w->n + (r ? r->n : 0) + 1), 0, r);
	c->in_default = false;
}

static void compile_all(struct compiler *c)
{
	compile(c, c->plan->writer->root, c->plan->reader->root);
	emit(c, SCHEMA_OP_HALT, 0, 0, NULL);
	for (size_t i = 0; i < c->n_routines && !c->too_big; i++)
		compile_routine(c, i);
	if (c->too_big)
		return;
	for (size_t i = 0; i < c->n_ops; i++)
		if (c->plan->op[i].code == SCHEMA_OP_CALL)
			c->plan->op[i].a = c->routine[c->plan->op[i].a].at;
}

enum bus_err schema_plan(struct schema *writer, struct schema *reader, struct schema_plan **out,
			 struct bus_error *err)
{
	struct compiler c = { .plan = bus_xcalloc(1, sizeof(*c.plan)) };

	*out = NULL;
	c.plan->writer = schema_ref(writer);
	c.plan->reader = schema_ref(reader ? reader : writer);
	c.resolver = schema_resolver_new(c.plan->writer, c.plan->reader);
	c.smallest = bus_xmalloc((size_t)writer->count * sizeof(*c.smallest));
	for (int i = 0; i < writer->count; i++)
		c.smallest[i] = SIZE_MAX;
	compile_all(&c);
	c.too_big |= schema_resolver_exhausted(c.resolver);
	schema_resolver_free(&c.resolver);
	free(c.smallest);
	free(c.routine);
	free(c.index);
	if (c.too_big) {
		schema_plan_free(&c.plan);
		return bus_fail(err, BUS_ETOOBIG, "schemas with too many combinations to be resolved");
	}
	*out = c.plan;
	return BUS_OK;
}

void schema_plan_free(struct schema_plan **p)
{
	struct schema_plan *old = *p;

	*p = NULL;
	if (!old)
		return;
	schema_unref(&old->writer);
	schema_unref(&old->reader);
	free(old->op);
	free(old->table);
	free(old->message);
	bus_buf_release(&old->bytes);
	free(old);
}

const struct schema *schema_plan_reader(const struct schema_plan *p)
{
	return p->reader;
}
