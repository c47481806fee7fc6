/* (writer, reader) -> program. Each pair of records is compiled once, as a routine; a worklist holds those
 * that were called and are not written yet, so that neither depth nor recursion of schemas matters here. */
#include "schemas/avro/compile.h"

static const struct schema_place nowhere = { 0, 0 };

static void compile_branch(struct schema_compiler *c, const struct schema_node *w,
			   const struct schema_node *r, size_t i, struct schema_place at)
{
	schema_compile(c, w->branch[i], r, at);
}

/* The reader's union has the same branches. */
static void compile_same_branch(struct schema_compiler *c, const struct schema_node *w,
				const struct schema_node *r, size_t i, struct schema_place at)
{
	at.branch = (uint32_t)i;
	schema_compile(c, w->branch[i], r->branch[i], at);
}

/* Which branch of the reader takes the writer's null: 0 when the reader has no union; -1: none does. */
static int32_t null_branch(struct schema_compiler *c, const struct schema_node *null,
			   const struct schema_node *r)
{
	if (r->type == SCHEMA_UNION)
		return schema_resolve_branch(c->resolver, null, r);
	return r->type == SCHEMA_NULL ? 0 : -1;
}

static void compile_union(struct schema_compiler *c, const struct schema_node *w, const struct schema_node *r,
			  struct schema_place at)
{
	const bool same =
	    r == w || (r->type == SCHEMA_UNION && schema_resolve_unions_equal(c->resolver, w, r));
	schema_branch_fn *const each = same ? compile_same_branch : compile_branch;
	const bool second = w->n == 2 && w->branch[1]->type == SCHEMA_NULL;
	int32_t null = -1;
	size_t option;

	if (w->n == 2 && w->branch[second]->type == SCHEMA_NULL)
		null = same ? second : null_branch(c, w->branch[second], r);
	if (null < 0) {
		schema_compile_branches(c, w, r, at, each);
		return;
	}
	/* The other branch stands in line; null goes on after it. */
	option = schema_emit(c, SCHEMA_OP_OPTION, second, 0, (struct schema_place){ at.to, (uint32_t)null });
	schema_emit_label(c);
	each(c, w, r, !second, at);
	if (!c->too_big)
		c->plan->op[option].b = schema_emit_label(c);
}

static void compile_items(struct schema_compiler *c, const struct schema_node *w, const struct schema_node *r,
			  struct schema_place at)
{
	const bool map = w->type == SCHEMA_MAP;
	const uint32_t item = c->in_default ? 0 : schema_size_of(c, w->item).smallest;
	size_t begin = schema_emit(c, map ? SCHEMA_OP_MAP : SCHEMA_OP_ARRAY, 0, (int64_t)item + map, at);

	schema_emit_label(c);
	schema_compile(c, w->item, r->item, (struct schema_place){ map, 0 });
	schema_emit(c, map ? SCHEMA_OP_MAP_LOOP : SCHEMA_OP_ARRAY_LOOP, 0, 0, nowhere);
	if (!c->too_big)
		c->plan->op[begin].a = schema_emit_label(c);
}

static void compile_enum(struct schema_compiler *c, const struct schema_node *w, const struct schema_node *r,
			 struct schema_place at)
{
	int32_t fallback = -1;
	size_t table;

	if (r == w) {
		schema_emit(c, SCHEMA_OP_ENUM, (int64_t)w->n, -1, at);
		return;
	}
	if (r->fallback_symbol)
		fallback = schema_position(r, bus_str(r->fallback_symbol));
	table = schema_emit_table(c, w->n);
	schema_emit(c, SCHEMA_OP_ENUM, (int64_t)w->n, (int64_t)table, at);
	for (size_t i = 0; i < w->n && !c->too_big; i++) {
		int32_t to = schema_position(r, bus_str(w->symbol[i]));

		c->plan->table[table + i] = to >= 0 ? to : fallback;
	}
}

static enum schema_op_code scalar_code(const struct schema_node *w, const struct schema_node *r)
{
	static const enum schema_op_code code[] = {
		[SCHEMA_NULL] = SCHEMA_OP_NULL,	  [SCHEMA_BOOLEAN] = SCHEMA_OP_BOOLEAN,
		[SCHEMA_INT] = SCHEMA_OP_INT,	  [SCHEMA_LONG] = SCHEMA_OP_LONG,
		[SCHEMA_FLOAT] = SCHEMA_OP_FLOAT, [SCHEMA_DOUBLE] = SCHEMA_OP_DOUBLE,
		[SCHEMA_BYTES] = SCHEMA_OP_BYTES, [SCHEMA_STRING] = SCHEMA_OP_TEXT,
		[SCHEMA_FIXED] = SCHEMA_OP_FIXED,
	};

	if (w->type == SCHEMA_INT && r->type == SCHEMA_FLOAT)
		return SCHEMA_OP_INT_TO_FLOAT;
	if (w->type == SCHEMA_INT && r->type == SCHEMA_DOUBLE)
		return SCHEMA_OP_INT_TO_DOUBLE;
	if (w->type == SCHEMA_LONG && r->type == SCHEMA_FLOAT)
		return SCHEMA_OP_LONG_TO_FLOAT;
	if (w->type == SCHEMA_LONG && r->type == SCHEMA_DOUBLE)
		return SCHEMA_OP_LONG_TO_DOUBLE;
	if (w->type == SCHEMA_BYTES && r->type == SCHEMA_STRING)
		return SCHEMA_OP_BYTES_TO_TEXT;
	if (w->type == SCHEMA_STRING && r->type == SCHEMA_BYTES)
		return SCHEMA_OP_BYTES;
	return code[w->type];
}

/* Recursion: as deep as one text nests. */
void schema_compile(struct schema_compiler *c, const struct schema_node *w, const struct schema_node *r,
		    struct schema_place at)
{
	const char *clash;

	if (c->too_big)
		return;
	if (w->type == SCHEMA_UNION) {
		compile_union(c, w, r, at);
		return;
	}
	if (r != w && r->type == SCHEMA_UNION) {
		int32_t i = schema_resolve_branch(c->resolver, w, r);

		if (i < 0) {
			schema_emit_error(c, w, r, "no branch takes it");
			return;
		}
		at.branch = (uint32_t)i;
		schema_compile(c, w, r->branch[i], at);
		return;
	}
	clash = r == w ? NULL : schema_resolve_clash(c->resolver, w, r);
	if (clash) {
		schema_emit_error(c, w, r, clash);
		return;
	}
	switch (w->type) {
	case SCHEMA_RECORD:
		schema_emit_call(c, w, r, at);
		break;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		compile_items(c, w, r, at);
		break;
	case SCHEMA_ENUM:
		compile_enum(c, w, r, at);
		break;
	default:
		schema_emit(c, scalar_code(w, r), (int64_t)w->size, 0, at);
	}
}

/* The fields in the writer's order, then those that only the reader has. */
static void compile_fields(struct schema_compiler *c, const struct schema_node *w,
			   const struct schema_node *r)
{
	int32_t *map = bus_xmalloc((w->n + 1) * sizeof(*map));
	bool *has = bus_xcalloc(r->n + 1, sizeof(*has));

	/* That names do not collide was seen when the call was compiled. */
	if (!schema_resolve_fields(c->resolver, w, r, map))
		c->too_big = true;
	for (size_t i = 0; i < w->n && !c->too_big; i++) {
		if (map[i] >= 0) {
			has[map[i]] = true;
			schema_compile(c, w->field[i].type, r->field[map[i]].type,
				       (struct schema_place){ (uint32_t)map[i], 0 });
		} else {
			schema_compile_skip(c, w->field[i].type);
		}
	}
	for (size_t i = 0; i < r->n && !c->too_big; i++)
		if (!has[i])
			schema_compile_default(c, r, i);
	free(map);
	free(has);
}

static void compile_routine(struct schema_compiler *c, size_t k)
{
	const struct schema_routine routine = c->routine[k];
	const struct schema_node *w = routine.w;
	const struct schema_node *r = routine.r;

	c->routine[k].at = schema_emit_label(c);
	c->in_default = routine.in_default;
	if (r && r != w)
		compile_fields(c, w, r);
	for (size_t i = 0; (!r || r == w) && i < w->n; i++) {
		if (r)
			schema_compile(c, w->field[i].type, w->field[i].type,
				       (struct schema_place){ (uint32_t)i, 0 });
		else
			schema_compile_skip(c, w->field[i].type);
	}
	schema_emit(c, r ? SCHEMA_OP_RETURN : SCHEMA_OP_SKIP_RETURN, 0, 0, nowhere);
	c->in_default = false;
}

static void compile_all(struct schema_compiler *c)
{
	struct schema_plan *plan = c->plan;

	schema_compile(c, plan->writer->root, plan->reader->root, nowhere);
	schema_emit(c, SCHEMA_OP_HALT, 0, 0, nowhere);
	for (size_t i = 0; i < c->n_routines && !c->too_big; i++)
		compile_routine(c, i);
	if (c->too_big)
		return;
	for (size_t i = 0; i < c->n_ops; i++)
		if (plan->op[i].code == SCHEMA_OP_CALL || plan->op[i].code == SCHEMA_OP_SKIP_CALL)
			plan->op[i].a = c->routine[plan->op[i].a].at;
	for (size_t i = 0; i < c->n_constants; i++)
		if (plan->constant[i].branch)
			plan->constant[i].p = plan->bytes.p + plan->constant[i].at;
}

enum bus_err schema_plan(struct schema *writer, struct schema *reader, struct schema_plan **out,
			 struct bus_error *err)
{
	struct schema_compiler c = { .plan = bus_xcalloc(1, sizeof(*c.plan)) };

	*out = NULL;
	atomic_init(&c.plan->refs, 1);
	c.plan->writer = schema_ref(writer);
	c.plan->reader = schema_ref(reader ? reader : writer);
	c.resolver = schema_resolver_new(c.plan->writer, c.plan->reader);
	c.size = bus_xmalloc((size_t)writer->count * sizeof(*c.size));
	memset(c.size, 0xff, (size_t)writer->count * sizeof(*c.size));
	compile_all(&c);
	c.too_big |= schema_resolver_exhausted(c.resolver);
	schema_resolver_free(&c.resolver);
	free(c.size);
	free(c.routine);
	free(c.index);
	if (c.too_big) {
		schema_plan_free(&c.plan);
		return bus_fail(err, BUS_ETOOBIG, "schemas with too many combinations to be resolved");
	}
	if (c.unfit) {
		schema_plan_free(&c.plan);
		return bus_fail(err, BUS_EDATA, "the default of field '%.100s' is no value of its type",
				c.unfit);
	}
	c.plan->size = sizeof(*c.plan) + c.cap_ops * sizeof(*c.plan->op) +
		       c.cap_table * sizeof(*c.plan->table) + c.cap_messages * sizeof(*c.plan->message) +
		       c.cap_constants * sizeof(*c.plan->constant) + c.plan->bytes.cap;
	*out = c.plan;
	return BUS_OK;
}

struct schema_plan *schema_plan_ref(struct schema_plan *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

size_t schema_plan_bytes(const struct schema_plan *p)
{
	return p->size;
}

void schema_plan_free(struct schema_plan **p)
{
	struct schema_plan *old = *p;

	*p = NULL;
	if (!old || atomic_fetch_sub_explicit(&old->refs, 1, memory_order_acq_rel) > 1)
		return;
	schema_unref(&old->writer);
	schema_unref(&old->reader);
	free(old->op);
	free(old->table);
	free(old->message);
	free(old->constant);
	bus_buf_release(&old->bytes);
	free(old);
}

const struct schema *schema_plan_reader(const struct schema_plan *p)
{
	return p->reader;
}
