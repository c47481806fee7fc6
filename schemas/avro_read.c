/* The machine: runs a plan over a datum. One loop, its own stack of bounded depth, no allocation but for the
 * text that bytes are turned into. */
#include "schemas/avro_read.h"

#include "bus/utf8.h"
#include "schemas/avro_plan.h"

#define DEPTH_DEFAULT 64
#define DEPTH_MOST 1000
#define ITEMS_DEFAULT 1000000
#define EMPTY_COST 16
#define BYTES_DEFAULT ((int64_t)16 * 1024 * 1024)

struct frame {
	int32_t pc;	   /* record: where to go on; array, map: its instruction */
	int64_t left;	   /* array, map: items of this block, the current one included */
	const char *start; /* record: where its bytes began */
};

struct schema_reader {
	struct schema_limits limits;
	bool rest;   /* bytes after the datum are left alone */
	size_t used; /* by the last datum */
	struct bus_buf text;  /* bytes read as a string, made valid */
	struct frame frame[]; /* limits.depth of them */
};

struct schema_reader *schema_reader_new(const struct schema_limits *limits)
{
	struct schema_limits l = limits ? *limits : (struct schema_limits){ 0 };
	struct schema_reader *r;

	if (l.depth <= 0)
		l.depth = DEPTH_DEFAULT;
	if (l.depth > DEPTH_MOST)
		l.depth = DEPTH_MOST;
	if (l.items <= 0)
		l.items = ITEMS_DEFAULT;
	if (l.bytes <= 0)
		l.bytes = BYTES_DEFAULT;
	r = bus_xcalloc(1, sizeof(*r) + (size_t)l.depth * sizeof(r->frame[0]));
	r->limits = l;
	return r;
}

void schema_reader_free(struct schema_reader **r)
{
	if (*r) {
		bus_buf_release(&(*r)->text);
		free(*r);
	}
	*r = NULL;
}

void schema_reader_allow_rest(struct schema_reader *r)
{
	r->rest = true;
}

size_t schema_reader_used(const struct schema_reader *r)
{
	return r->used;
}

/* Zigzag varint of at most 64 bits. False: the input ends, or more bits. */
static inline bool read_long(const char **p, const char *end, int64_t *v)
{
	const char *c = *p;
	uint64_t z = 0;
	int shift = 0;
	uint64_t byte;

	if (c < end && !(*c & 0x80)) {
		byte = (unsigned char)*c;
		*p = c + 1;
		*v = (int64_t)(byte >> 1) ^ -(int64_t)(byte & 1);
		return true;
	}
	do {
		if (c == end || shift == 70)
			return false;
		byte = (unsigned char)*c++;
		if (shift == 63 && byte > 1)
			return false;
		z |= (byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	*p = c;
	*v = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
	return true;
}

static inline bool is_text(struct bus_str s)
{
	const uint64_t high = UINT64_C(0x8080808080808080);
	uint64_t word;
	uint64_t all = 0;
	size_t i = 0;

	for (; i + sizeof(word) <= s.n; i += sizeof(word)) {
		memcpy(&word, s.p + i, sizeof(word));
		all |= word;
	}
	for (; i < s.n; i++)
		all |= (uint64_t)(unsigned char)s.p[i];
	return !(all & high) || bus_utf8_ok(s.p, s.n) == s.n;
}

/* Bytes that begin a character and could have gone on: they become one U+FFFD, as in Java. */
static size_t broken_len(const char *p, size_t n)
{
	size_t want = bus_utf8_want((unsigned char)p[0]);
	size_t len = 1;

	while (len < want && len < n) {
		unsigned char c = (unsigned char)p[len];
		unsigned char lead = (unsigned char)p[0];

		if ((c & 0xc0) != 0x80)
			break;
		if (len == 1 && ((lead == 0xe0 && c < 0xa0) || (lead == 0xed && c > 0x9f) ||
				 (lead == 0xf0 && c < 0x90) || (lead == 0xf4 && c > 0x8f)))
			break;
		len++;
	}
	return len;
}

static struct bus_str make_text(struct bus_buf *b, struct bus_str s)
{
	size_t i = 0;

	if (is_text(s))
		return s;
	bus_buf_reset(b);
	while (i < s.n) {
		size_t ok = bus_utf8_ok(s.p + i, s.n - i);

		bus_buf_put(b, s.p + i, ok);
		i += ok;
		if (i == s.n)
			break;
		bus_buf_put(b, "\xef\xbf\xbd", 3);
		i += broken_len(s.p + i, s.n - i);
	}
	return bus_buf_str(b);
}

static inline float little_float(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	uint32_t bits = (uint32_t)u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
	float v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

static inline double little_double(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	uint64_t bits = 0;
	double v;

	for (int i = 7; i >= 0; i--)
		bits = bits << 8 | u[i];
	memcpy(&v, &bits, sizeof(v));
	return v;
}

/* The state of one run; a local, so that it lives in registers. */
struct run {
	const char *p;
	const char *end;
	const char *begin; /* of the datum: places in messages */
	const char *after; /* while a default is read: where the datum goes on */
	const char *after_end;
	int64_t items; /* still allowed */
	const char *why;
	enum bus_err rc;
};

static bool stop(struct run *run, enum bus_err rc, const char *why)
{
	run->rc = rc;
	run->why = why;
	return false;
}

static inline bool get_long(struct run *run, int64_t *v)
{
	return read_long(&run->p, run->end, v) || stop(run, BUS_EDATA, "no whole number stands here");
}

static inline bool get_int(struct run *run, int64_t *v)
{
	if (!get_long(run, v))
		return false;
	return *v == (int32_t)*v || stop(run, BUS_EDATA, "an int of more than 32 bits");
}

static inline bool get_raw(struct run *run, size_t n, const char **p)
{
	if ((size_t)(run->end - run->p) < n)
		return stop(run, BUS_EDATA, "the datum ends in a value");
	*p = run->p;
	run->p += n;
	return true;
}

static inline bool get_bytes(struct run *run, int64_t most, struct bus_str *s)
{
	int64_t n;

	if (!get_long(run, &n))
		return false;
	if (n < 0 || n > run->end - run->p)
		return stop(run, BUS_EDATA, "a length beyond the end of the datum");
	if (n > most)
		return stop(run, BUS_ETOOBIG, "a text or bytes over the limit");
	*s = (struct bus_str){ run->p, (size_t)n };
	run->p += n;
	return true;
}

static inline bool get_text(struct run *run, int64_t most, bool wanted, struct bus_str *s)
{
	if (!get_bytes(run, most, s))
		return false;
	return !wanted || is_text(*s) || stop(run, BUS_EDATA, "a text that is not UTF-8");
}

/* The count of the next block, 0 at the end. */
static bool get_block(struct run *run, const struct schema_op *op, int64_t *count)
{
	int64_t size;
	int64_t cost;

	if (!get_long(run, count))
		return false;
	if (*count < 0) {
		if (*count == INT64_MIN)
			return stop(run, BUS_EDATA, "a count that is no number of items");
		*count = -*count;
		if (!get_long(run, &size))
			return false;
		if (size < 0)
			return stop(run, BUS_EDATA, "a block of less than no bytes");
	}
	if (op->b > 0 && *count > (run->end - run->p) / op->b)
		return stop(run, BUS_EDATA, "more items than the datum has room for");
	/* Items that take no bytes cost more: a few bytes may claim any number of them. */
	cost = op->b > 0 ? 1 : EMPTY_COST;
	if (*count > run->items / cost)
		return stop(run, BUS_ETOOBIG, "more items than allowed in one datum");
	run->items -= *count * cost;
	return true;
}

#define EMIT(event, ...)                                                                                     \
	do {                                                                                                 \
		if (op->node && sink->event) {                                                               \
			run.rc = sink->event(sink->ctx, __VA_ARGS__);                                        \
			if (run.rc != BUS_OK)                                                                \
				goto stopped;                                                                \
		}                                                                                            \
	} while (0)

#define GET(call)                                                                                            \
	do {                                                                                                 \
		if (!(call))                                                                                 \
			goto stopped;                                                                        \
	} while (0)

static enum bus_err finish(const struct run *run, struct bus_error *err)
{
	const char *at = run->after ? run->after : run->p;

	if (run->rc == BUS_OK)
		return BUS_OK;
	if (!run->why)
		return bus_fail(err, run->rc, "datum refused by its receiver near byte %td", at - run->begin);
	return bus_fail(err, run->rc, "datum, near byte %td: %s", at - run->begin, run->why);
}

enum bus_err schema_read(struct schema_reader *r, const struct schema_plan *plan, struct bus_str datum,
			 const struct schema_sink *sink, struct bus_error *err)
{
	const struct schema_op *const code = plan->op;
	const struct schema_op *op = code;
	struct frame *const bottom = r->frame;
	struct frame *const ceiling = r->frame + r->limits.depth;
	struct frame *top = bottom; /* the first free one */
	const char *p = datum.n > 0 ? datum.p : "";
	struct run run = { .p = p, .end = p + datum.n, .begin = p, .items = r->limits.items };
	struct bus_str s;
	const char *raw;
	int64_t v;

	for (;; op++) {
		switch (op->code) {
		case SCHEMA_OP_NULL:
			EMIT(null, op->node);
			break;
		case SCHEMA_OP_BOOLEAN:
			GET(get_raw(&run, 1, &raw));
			EMIT(boolean, op->node, *raw == 1);
			break;
		case SCHEMA_OP_INT:
			GET(get_int(&run, &v));
			EMIT(integer, op->node, v);
			break;
		case SCHEMA_OP_LONG:
			GET(get_long(&run, &v));
			EMIT(integer, op->node, v);
			break;
		case SCHEMA_OP_FLOAT:
			GET(get_raw(&run, 4, &raw));
			EMIT(real, op->node, (double)little_float(raw));
			break;
		case SCHEMA_OP_DOUBLE:
			GET(get_raw(&run, 8, &raw));
			EMIT(real, op->node, little_double(raw));
			break;
		case SCHEMA_OP_INT_TO_REAL:
			GET(get_int(&run, &v));
			EMIT(real, op->node, op->node->type == SCHEMA_FLOAT ? (double)(float)v : (double)v);
			break;
		case SCHEMA_OP_LONG_TO_REAL:
			GET(get_long(&run, &v));
			EMIT(real, op->node, op->node->type == SCHEMA_FLOAT ? (double)(float)v : (double)v);
			break;
		case SCHEMA_OP_BYTES:
			GET(get_bytes(&run, r->limits.bytes, &s));
			EMIT(bytes, op->node, s);
			break;
		case SCHEMA_OP_TEXT:
			GET(get_text(&run, r->limits.bytes, op->node != NULL, &s));
			EMIT(text, op->node, s);
			break;
		case SCHEMA_OP_BYTES_TO_TEXT:
			GET(get_bytes(&run, r->limits.bytes, &s));
			EMIT(text, op->node, make_text(&r->text, s));
			break;
		case SCHEMA_OP_FIXED:
			GET(get_raw(&run, (size_t)op->a, &raw));
			EMIT(bytes, op->node, ((struct bus_str){ raw, (size_t)op->a }));
			break;
		case SCHEMA_OP_ENUM:
			GET(get_long(&run, &v));
			if (v < 0 || v >= op->a) {
				stop(&run, BUS_EDATA, "a symbol that the enum does not have");
				goto stopped;
			}
			if (op->b >= 0)
				v = plan->table[op->b + v];
			if (v < 0) {
				stop(&run, BUS_EDATA, "a symbol that the reader's enum does not have");
				goto stopped;
			}
			EMIT(symbol, op->node, (int32_t)v);
			break;
		case SCHEMA_OP_UNION:
			GET(get_long(&run, &v));
			if (v < 0 || v >= op->a) {
				stop(&run, BUS_EDATA, "a branch that the union does not have");
				goto stopped;
			}
			op = &code[plan->table[op->b + v]] - 1;
			break;
		case SCHEMA_OP_BRANCH:
			EMIT(branch, op->node, op->a);
			break;
		case SCHEMA_OP_JUMP:
			op = &code[op->a] - 1;
			break;
		case SCHEMA_OP_CALL:
			if (top == ceiling)
				goto too_deep;
			*top++ = (struct frame){ (int32_t)(op - code), 0, run.p };
			op = &code[op->a] - 1;
			break;
		case SCHEMA_OP_RECORD:
			EMIT(record, op->node);
			break;
		case SCHEMA_OP_FIELD:
			EMIT(field, op->node, (size_t)op->a);
			break;
		case SCHEMA_OP_RETURN:
			EMIT(end, op->node);
			top--;
			/* Records that take no bytes can be nested or listed without end: each costs. */
			if (top->start == run.p) {
				run.items -= op->a;
				if (run.items < 0)
					goto too_many;
			}
			op = &code[top->pc];
			break;
		case SCHEMA_OP_ARRAY:
		case SCHEMA_OP_MAP:
			if (top == ceiling)
				goto too_deep;
			if (op->code == SCHEMA_OP_ARRAY)
				EMIT(array, op->node);
			else
				EMIT(map, op->node);
			*top++ = (struct frame){ (int32_t)(op - code), 1, NULL };
			/* fall through */
		case SCHEMA_OP_LOOP:
			op = &code[top[-1].pc];
			if (--top[-1].left == 0) {
				GET(get_block(&run, op, &v));
				if (v == 0) {
					EMIT(end, op->node);
					top--;
					op = &code[op->a] - 1;
					break;
				}
				top[-1].left = v;
			}
			if (op->code == SCHEMA_OP_MAP) {
				GET(get_text(&run, r->limits.bytes, op->node != NULL, &s));
				EMIT(key, op->node, s);
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
			stop(&run, BUS_EDATA, plan->message[op->a]);
			goto stopped;
		case SCHEMA_OP_HALT:
			r->used = (size_t)(run.p - run.begin);
			if (run.p != run.end && !r->rest)
				stop(&run, BUS_EDATA, "bytes are left over");
			goto stopped;
		}
	}
too_deep:
	stop(&run, BUS_ETOOBIG, "values nested deeper than allowed");
	goto stopped;
too_many:
	stop(&run, BUS_ETOOBIG, "more empty records than allowed in one datum");
stopped:
	return finish(&run, err);
}
