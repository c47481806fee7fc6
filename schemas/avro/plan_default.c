/* Defaults: one cell, made once, where that is enough; else bytes in the plan that the machine reads. */
#include <endian.h>

#include "schemas/avro/compile.h"

#define DEFAULTS_MAX ((size_t)16 * 1024 * 1024) /* bytes of all in one plan */

/* Our own encoder wrote it. */
static int64_t take_long(const char **p)
{
	uint64_t z = 0;
	int shift = 0;

	do
		z |= (uint64_t)(**p & 0x7f) << shift;
	while (shift += 7, *(*p)++ & 0x80);
	return (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
}

/* A default as a cell; of text and bytes, `at` is their place in the plan and the branch 1 until the plan is
 * complete. False: it has parts. */
static bool constant(const struct schema_compiler *c, const struct schema_node *type, const char *p,
		     struct schema_cell *cell)
{
	uint32_t u32;
	uint64_t u64;
	float f;

	switch (type->type) {
	case SCHEMA_NULL:
		return true;
	case SCHEMA_BOOLEAN:
		cell->i = *p;
		return true;
	case SCHEMA_INT:
	case SCHEMA_LONG:
	case SCHEMA_ENUM:
		cell->i = take_long(&p);
		return true;
	case SCHEMA_FLOAT:
		memcpy(&u32, p, sizeof(u32));
		u32 = le32toh(u32);
		memcpy(&f, &u32, sizeof(f));
		cell->r = (double)f;
		return true;
	case SCHEMA_DOUBLE:
		memcpy(&u64, p, sizeof(u64));
		u64 = le64toh(u64);
		memcpy(&cell->r, &u64, sizeof(u64));
		return true;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
	case SCHEMA_FIXED:
		cell->n = (uint32_t)(type->type == SCHEMA_FIXED ? (int64_t)type->size : take_long(&p));
		cell->at = (uint64_t)(p - c->plan->bytes.p);
		cell->branch = 1;
		return true;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		return *p == 0;
	default:
		return false;
	}
}

static void emit_constant(struct schema_compiler *c, struct schema_cell cell, struct schema_place at)
{
	c->plan->constant = schema_compile_grow(c->plan->constant, c->n_constants, &c->cap_constants,
						sizeof(*c->plan->constant));
	c->plan->constant[c->n_constants] = cell;
	schema_emit(c, SCHEMA_OP_CONSTANT, (int64_t)c->n_constants++, 0, at);
}

void schema_compile_default(struct schema_compiler *c, const struct schema_node *r, size_t i)
{
	const struct schema_field *field = &r->field[i];
	const struct schema_node *type = field->type;
	struct schema_place at = { (uint32_t)i, 0 };
	struct schema_cell cell = { 0 };
	size_t from = c->plan->bytes.n;
	const char *p;

	if (from > DEFAULTS_MAX) {
		c->too_big = true;
		return;
	}
	if (schema_default_encode(type, field->fallback, &c->plan->bytes) != BUS_OK) {
		c->unfit = field->name;
		return;
	}
	bus_buf_putc(&c->plan->bytes, '\0'); /* so that there is a byte to look at */
	p = c->plan->bytes.p + from;
	if (type->type == SCHEMA_UNION) {
		at.branch = (uint32_t)take_long(&p);
		type = type->branch[at.branch];
	}
	if (constant(c, type, p, &cell)) {
		emit_constant(c, cell, at);
		return;
	}
	schema_emit(c, SCHEMA_OP_DEFAULT, (int64_t)from, (int64_t)(c->plan->bytes.n - 1 - from), at);
	c->in_default = true;
	schema_compile(c, field->type, field->type, (struct schema_place){ (uint32_t)i, 0 });
	c->in_default = false;
	schema_emit(c, SCHEMA_OP_DEFAULT_END, 0, 0, at);
}
