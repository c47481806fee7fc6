/* The machine: runs a plan over a datum. One loop, its own stack of bounded depth. What it reads it looks at
 * once; what it is not sure of by one comparison is looked at in a function of its own. */
#include "schemas/avro/machine.h"
#include "schemas/avro/take.h"

#define EMPTY_COST 16	 /* of an item that takes no bytes */
#define CELLS_FREE 1024	 /* that any datum may have, besides an item's each and */
#define CELLS_PER_BYTE 4 /* these: defaults and nulls cost no byte */

/* Where the machine stands. Its address is never taken while it runs, but in finish. */
struct run {
	const char *p;
	const char *end;
	const char *after; /* while a default is read: where the datum goes on */
	const char *after_end;
	int64_t items; /* still allowed */
	const char *why;
	enum bus_err rc;
};

static enum bus_err finish(const struct run *run, const char *begin, struct bus_error *err)
{
	const char *at = run->after ? run->after : run->p;

	return bus_fail(err, run->rc, "datum, near byte %td: %s", at - begin, run->why);
}

#define STOP(code, text)                                                                                     \
	do {                                                                                                 \
		run.rc = (code);                                                                             \
		run.why = (text);                                                                            \
		goto stopped;                                                                                \
	} while (0)

#define NUMBER(z)                                                                                            \
	do {                                                                                                 \
		const char *next_ = schema_take_varint(run.p, run.end, &(z));                                \
		if (__builtin_expect(!next_, 0))                                                             \
			STOP(BUS_EDATA, "no whole number stands here");                                      \
		run.p = next_;                                                                               \
	} while (0)

#define NEED(n)                                                                                              \
	do {                                                                                                 \
		if (__builtin_expect((size_t)(run.end - run.p) < (size_t)(n), 0))                            \
			STOP(BUS_EDATA, "the datum ends in a value");                                        \
	} while (0)

#define INT(v)                                                                                               \
	do {                                                                                                 \
		uint64_t z_;                                                                                 \
		NUMBER(z_);                                                                                  \
		if (__builtin_expect(z_ > UINT32_MAX, 0))                                                    \
			STOP(BUS_EDATA, "an int of more than 32 bits");                                      \
		(v) = schema_take_unzigzag(z_);                                                              \
	} while (0)

/* Length of bytes that are all there. An odd number is a negative length. */
#define LENGTH(n)                                                                                            \
	do {                                                                                                 \
		uint64_t z_;                                                                                 \
		NUMBER(z_);                                                                                  \
		(n) = (size_t)(z_ >> 1);                                                                     \
		if (__builtin_expect((z_ & 1) || (n) > (size_t)(run.end - run.p), 0))                        \
			STOP(BUS_EDATA, "a length beyond the end of the datum");                             \
		if (__builtin_expect((n) > text_most, 0))                                                    \
			STOP(BUS_ETOOBIG, "a text or bytes over the limit");                                 \
	} while (0)

#define BYTES(cell_, op_, check)                                                                             \
	do {                                                                                                 \
		size_t n_;                                                                                   \
		LENGTH(n_);                                                                                  \
		if ((check) && __builtin_expect(!schema_take_is_text(run.p, n_, run.end), 0))                \
			STOP(BUS_EDATA, "a text that is not UTF-8");                                         \
		*(cell_) = (struct schema_cell){ .p = run.p, .n = (uint32_t)n_, .branch = (op_)->branch };   \
		run.p += n_;                                                                                 \
	} while (0)

/* The count of the next block, 0 at the end; *size: its bytes, -1 when they are not given. */
static bool get_block(struct run *run, int32_t smallest, int64_t *count, int64_t *size)
{
	uint64_t z;
	int64_t cost;
	const char *p = schema_take_varint(run->p, run->end, &z);

	run->rc = BUS_EDATA;
	run->why = "no count stands here";
	if (!p)
		return false;
	*count = schema_take_unzigzag(z);
	*size = -1;
	if (*count < 0) {
		run->why = "a count that is no number of items";
		if (*count == INT64_MIN)
			return false;
		*count = -*count;
		p = schema_take_varint(p, run->end, &z);
		run->why = "no size of a block stands here";
		if (!p)
			return false;
		*size = schema_take_unzigzag(z);
		run->why = "a block of less than no bytes";
		if (*size < 0)
			return false;
	}
	run->p = p;
	run->why = "more items than the datum has room for";
	if (smallest > 0 && *count > (run->end - p) / smallest)
		return false;
	run->rc = BUS_ETOOBIG;
	run->why = "more items than allowed in one datum";
	/* Items that take no bytes cost more: a few bytes may claim any number of them. */
	cost = smallest > 0 ? 1 : EMPTY_COST;
	if (*count > run->items / cost)
		return false;
	run->items -= *count * cost;
	run->rc = BUS_OK;
	return true;
}

/* Blocks of an array or map that nobody wants: those that say how long they are, or whose items all take
 * `each` bytes, are passed over at once. *count: items of a block that must be read one by one, or 0: at the
 * end. */
static bool skip_blocks(struct run *run, int32_t smallest, uint32_t each, int64_t *count)
{
	int64_t size;

	for (;;) {
		if (!get_block(run, smallest, count, &size))
			return false;
		if (*count == 0)
			return true;
		if (size < 0 && each == UINT32_MAX)
			return true;
		if (size < 0)
			size = *count * (int64_t)each; /* there is room: get_block saw to it */
		if (size > run->end - run->p) {
			run->rc = BUS_EDATA;
			run->why = "a block beyond the end of the datum";
			return false;
		}
		run->p += size;
	}
}

enum bus_err schema_read_cells(struct schema_reader *r, const struct schema_plan *plan, struct bus_str datum,
			       const struct schema_cell **root, struct bus_error *err)
{
	const struct schema_op *const code = plan->op;
	const struct schema_op *op = code;
	struct schema_frame *top = r->frame; /* the first free one */
	struct schema_frame *const ceiling = r->frame + r->limits.depth;
	const size_t text_most = (size_t)r->limits.bytes;
	const char *const begin = datum.n > 0 ? datum.p : "";
	struct run run = { .p = begin, .end = begin + datum.n, .items = r->limits.items };
	struct schema_cell *base; /* the block at hand */
	struct bus_str s;
	int64_t v;
	int64_t size;
	uint64_t z;
	size_t n;

	*root = NULL;
	r->n = 0;
	r->most = CELLS_FREE + (size_t)r->limits.items + CELLS_PER_BYTE * datum.n;
	if (r->text)
		bus_arena_reset(r->text);
	if (r->cap == 0 || r->cap > SCHEMA_CELLS_KEPT)
		(void)schema_tape_grow(r, 1);
	r->n = 1;
	base = r->cell;
	for (;; op++) {
		struct schema_cell *const to = base + op->to;

		switch (op->code) {
		case SCHEMA_OP_NULL:
			*to = (struct schema_cell){ .branch = op->branch };
			break;
		case SCHEMA_OP_BOOLEAN:
			NEED(1);
			*to = (struct schema_cell){ .i = *run.p == 1, .branch = op->branch };
			run.p++;
			break;
		case SCHEMA_OP_INT:
			INT(v);
			*to = (struct schema_cell){ .i = v, .branch = op->branch };
			break;
		case SCHEMA_OP_LONG:
			NUMBER(z);
			*to = (struct schema_cell){ .i = schema_take_unzigzag(z), .branch = op->branch };
			break;
		case SCHEMA_OP_FLOAT:
			NEED(4);
			*to = (struct schema_cell){ .r = schema_take_float_at(run.p), .branch = op->branch };
			run.p += 4;
			break;
		case SCHEMA_OP_DOUBLE:
			NEED(8);
			*to = (struct schema_cell){ .r = schema_take_double_at(run.p), .branch = op->branch };
			run.p += 8;
			break;
		case SCHEMA_OP_INT_TO_FLOAT:
			INT(v);
			*to = (struct schema_cell){ .r = (double)(float)v, .branch = op->branch };
			break;
		case SCHEMA_OP_INT_TO_DOUBLE:
			INT(v);
			*to = (struct schema_cell){ .r = (double)v, .branch = op->branch };
			break;
		case SCHEMA_OP_LONG_TO_FLOAT:
			NUMBER(z);
			*to = (struct schema_cell){ .r = (double)(float)schema_take_unzigzag(z),
						    .branch = op->branch };
			break;
		case SCHEMA_OP_LONG_TO_DOUBLE:
			NUMBER(z);
			*to = (struct schema_cell){ .r = (double)schema_take_unzigzag(z),
						    .branch = op->branch };
			break;
		case SCHEMA_OP_BYTES:
			BYTES(to, op, false);
			break;
		case SCHEMA_OP_TEXT:
			BYTES(to, op, true);
			break;
		case SCHEMA_OP_BYTES_TO_TEXT:
			BYTES(to, op, false);
			s = schema_tape_text(r, (struct bus_str){ to->p, to->n });
			to->p = s.p;
			to->n = (uint32_t)s.n;
			break;
		case SCHEMA_OP_FIXED:
			NEED(op->a);
			*to = (struct schema_cell){ .p = run.p, .n = (uint32_t)op->a, .branch = op->branch };
			run.p += op->a;
			break;
		case SCHEMA_OP_ENUM:
			NUMBER(z);
			v = schema_take_unzigzag(z);
			if (v < 0 || v >= op->a)
				STOP(BUS_EDATA, "a symbol that the enum does not have");
			if (op->b >= 0)
				v = plan->table[op->b + v];
			if (v < 0)
				STOP(BUS_EDATA, "a symbol that the reader's enum does not have");
			*to = (struct schema_cell){ .i = v, .branch = op->branch };
			break;
		case SCHEMA_OP_CONSTANT:
			*to = plan->constant[op->a];
			to->branch = op->branch;
			break;
		case SCHEMA_OP_OPTION:
		case SCHEMA_OP_SKIP_OPTION:
			NUMBER(z);
			if (z == 2 * (uint64_t)op->a) {
				if (op->code == SCHEMA_OP_OPTION)
					*to = (struct schema_cell){ .branch = op->branch };
				op = &code[op->b] - 1;
			} else if (z != 2 * (uint64_t)!op->a) {
				STOP(BUS_EDATA, "a branch that the union does not have");
			}
			break;
		case SCHEMA_OP_UNION:
			NUMBER(z);
			v = schema_take_unzigzag(z);
			if (v < 0 || v >= op->a)
				STOP(BUS_EDATA, "a branch that the union does not have");
			op = &code[plan->table[op->b + v]] - 1;
			break;
		case SCHEMA_OP_JUMP:
			op = &code[op->a] - 1;
			break;
		case SCHEMA_OP_CALL:
			if (top == ceiling)
				goto too_deep;
			n = r->n;
			*to = (struct schema_cell){ .at = n, .n = (uint32_t)op->b, .branch = op->branch };
			top->op = op;
			top->base = (size_t)(base - r->cell);
			top++;
			if (!schema_tape_alloc(r, (size_t)op->b))
				goto too_many;
			base = r->cell + n;
			op = &code[op->a] - 1;
			break;
		case SCHEMA_OP_RETURN:
			top--;
			base = r->cell + top->base;
			op = top->op;
			break;
		case SCHEMA_OP_ARRAY:
		case SCHEMA_OP_MAP:
			if (top == ceiling)
				goto too_deep;
			if (!get_block(&run, op->b, &v, &size))
				goto stopped;
			*to = (struct schema_cell){ .branch = op->branch };
			if (v == 0) {
				op = &code[op->a] - 1;
				break;
			}
			n = (size_t)v << (op->code == SCHEMA_OP_MAP);
			*top = (struct schema_frame){
				.op = op,
				.base = (size_t)(base - r->cell),
				.block = r->n,
				.cap = n,
				.n = (size_t)v,
				.left = v,
			};
			if (!schema_tape_alloc(r, n))
				goto too_many;
			base = r->cell + top->block;
			if (op->code == SCHEMA_OP_MAP)
				BYTES(base, op, true);
			top++;
			break;
		case SCHEMA_OP_ARRAY_LOOP:
			op = top[-1].op;
			if (--top[-1].left > 0) {
				base++;
				break;
			}
			goto next_block;
		case SCHEMA_OP_MAP_LOOP:
			op = top[-1].op;
			if (--top[-1].left == 0)
				goto next_block;
			base += 2;
			BYTES(base, op, true);
			break;
		case SCHEMA_OP_SKIP:
			NEED(op->a);
			run.p += op->a;
			break;
		case SCHEMA_OP_SKIP_LONGS:
			for (int32_t i = 0; i < op->a; i++)
				NUMBER(z);
			break;
		case SCHEMA_OP_SKIP_BYTES:
			for (int32_t i = 0; i < op->a; i++) {
				LENGTH(n);
				run.p += n;
			}
			break;
		case SCHEMA_OP_SKIP_CALL:
			if (top == ceiling)
				goto too_deep;
			top++->op = op;
			op = &code[op->a] - 1;
			break;
		case SCHEMA_OP_SKIP_RETURN:
			op = (--top)->op;
			break;
		case SCHEMA_OP_SKIP_ITEMS:
			if (top == ceiling)
				goto too_deep;
			top->op = op;
			top++->left = 1;
			/* fall through */
		case SCHEMA_OP_SKIP_LOOP:
			op = top[-1].op;
			if (--top[-1].left > 0)
				break;
			if (!skip_blocks(&run, op->b, op->to, &top[-1].left))
				goto stopped;
			if (top[-1].left == 0) {
				top--;
				op = &code[op->a] - 1;
			}
			break;
		case SCHEMA_OP_DEFAULT:
			run.after = run.p;
			run.after_end = run.end;
			run.p = plan->bytes.p ? plan->bytes.p + op->a : "";
			run.end = run.p + op->b;
			break;
		case SCHEMA_OP_DEFAULT_END:
			run.p = run.after;
			run.end = run.after_end;
			run.after = NULL;
			break;
		case SCHEMA_OP_ERROR:
			STOP(BUS_EDATA, plan->message[op->a]);
		case SCHEMA_OP_HALT:
			r->used = (size_t)(run.p - begin);
			if (run.p != run.end && !r->rest)
				STOP(BUS_EDATA, "bytes are left over");
			*root = r->cell;
			return BUS_OK;
		}
		continue;
	next_block: /* of the array or map of the innermost frame, whose instruction is op */
		if (!get_block(&run, op->b, &v, &size))
			goto stopped;
		n = op->code == SCHEMA_OP_MAP;
		if (v > 0) {
			const size_t used = top[-1].n << n;

			if (!schema_tape_extend(r, &top[-1], used, (size_t)v << n))
				goto too_many;
			base = r->cell + top[-1].block + used;
			top[-1].n += (size_t)v;
			top[-1].left = v;
			if (n)
				BYTES(base, op, true);
			continue;
		}
		top--;
		if (n)
			top->n = schema_tape_unique(r, top->block, top->n);
		base = r->cell + top->base;
		base[op->to].at = top->block;
		base[op->to].n = (uint32_t)top->n;
		op = &code[op->a] - 1;
	}
too_deep:
	STOP(BUS_ETOOBIG, "values nested deeper than allowed");
too_many:
	STOP(BUS_ETOOBIG, "more values than allowed in one datum");
stopped:
	return finish(&run, begin, err);
}
