/* gateway/export/thrift.h - writing Thrift's compact protocol, as far as Parquet's metadata needs it: structs of
 * numbers, booleans, bytes, lists. Source: Apache Thrift, doc/specs/thrift-compact-protocol.md. Cannot fail. */
#ifndef GATEWAY_EXPORT_THRIFT_H
#define GATEWAY_EXPORT_THRIFT_H

#include <assert.h>
#include <stdint.h>

#include "bus/buf.h"

enum gw_thrift_type {
	GW_THRIFT_TRUE = 1,
	GW_THRIFT_FALSE = 2,
	GW_THRIFT_I16 = 4,
	GW_THRIFT_I32 = 5,
	GW_THRIFT_I64 = 6,
	GW_THRIFT_BYTES = 8,
	GW_THRIFT_LIST = 9,
	GW_THRIFT_STRUCT = 12,
};

#define GW_THRIFT_DEPTH 8

struct gw_thrift {
	struct bus_buf *buf;
	int16_t last[GW_THRIFT_DEPTH]; /* id of the field before, in each struct that is open */
	int depth;
};

static inline void gw_thrift_varint(struct gw_thrift *t, uint64_t v)
{
	while (v > 0x7f) {
		bus_buf_putc(t->buf, (char)(v | 0x80));
		v >>= 7;
	}
	bus_buf_putc(t->buf, (char)v);
}

static inline void gw_thrift_zigzag(struct gw_thrift *t, int64_t v)
{
	gw_thrift_varint(t, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

/* Fields come in the order of their ids. */
static inline void gw_thrift_field(struct gw_thrift *t, int16_t id, enum gw_thrift_type type)
{
	int delta = id - t->last[t->depth];

	assert(delta > 0 && delta < 16);
	bus_buf_putc(t->buf, (char)(delta << 4 | (int)type));
	t->last[t->depth] = id;
}

/* A struct: the document itself (id 0), an element of a list (id 0), or a field. */
static inline void gw_thrift_struct(struct gw_thrift *t, int16_t id)
{
	if (id > 0)
		gw_thrift_field(t, id, GW_THRIFT_STRUCT);
	assert(t->depth + 1 < GW_THRIFT_DEPTH);
	t->last[++t->depth] = 0;
}

static inline void gw_thrift_end(struct gw_thrift *t)
{
	assert(t->depth > 0);
	t->depth--;
	bus_buf_putc(t->buf, 0);
}

static inline void gw_thrift_int(struct gw_thrift *t, int16_t id, enum gw_thrift_type type, int64_t v)
{
	gw_thrift_field(t, id, type);
	gw_thrift_zigzag(t, v);
}

static inline void gw_thrift_bool(struct gw_thrift *t, int16_t id, bool v)
{
	gw_thrift_field(t, id, v ? GW_THRIFT_TRUE : GW_THRIFT_FALSE);
}

static inline void gw_thrift_raw(struct gw_thrift *t, struct bus_str s) /* an element of a list */
{
	gw_thrift_varint(t, s.n);
	bus_buf_put(t->buf, s.p, s.n);
}

static inline void gw_thrift_bytes(struct gw_thrift *t, int16_t id, struct bus_str s)
{
	gw_thrift_field(t, id, GW_THRIFT_BYTES);
	gw_thrift_raw(t, s);
}

/* n elements follow. */
static inline void gw_thrift_list(struct gw_thrift *t, int16_t id, enum gw_thrift_type type, size_t n)
{
	gw_thrift_field(t, id, GW_THRIFT_LIST);
	if (n < 15) {
		bus_buf_putc(t->buf, (char)(n << 4 | (size_t)type));
		return;
	}
	bus_buf_putc(t->buf, (char)(0xf0 | (int)type));
	gw_thrift_varint(t, n);
}

#endif
