/* schemas/kinds/proto_wire.h - Protobuf's wire format: fields of a message, one after the other. For proto_*.c
 * alone. */
#ifndef SCHEMAS_KINDS_PROTO_WIRE_H
#define SCHEMAS_KINDS_PROTO_WIRE_H

#include <stdint.h>

#include "bus/buf.h"

enum {
	PROTO_WIRE_VARINT,
	PROTO_WIRE_64,
	PROTO_WIRE_BYTES,
	PROTO_WIRE_GROUP,
	PROTO_WIRE_GROUP_END,
	PROTO_WIRE_32
};

struct proto_wire {
	const char *p, *end;
	/* The field at hand. */
	uint32_t number;
	int type;
	uint64_t value;	      /* of VARINT, 64 and 32 */
	struct bus_str bytes; /* of BYTES */
	bool bad;	      /* the message is none */
};

static inline struct proto_wire proto_wire(struct bus_str message)
{
	const char *p = message.p ? message.p : "";

	return (struct proto_wire){ .p = p, .end = p + message.n };
}

static inline bool proto_wire_varint(struct proto_wire *w, uint64_t *out)
{
	*out = 0;
	for (int shift = 0; shift < 64 && w->p < w->end; shift += 7) {
		unsigned char c = (unsigned char)*w->p++;

		*out |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return true;
	}
	w->bad = true;
	return false;
}

static inline bool proto_wire_fixed(struct proto_wire *w, size_t n, uint64_t *out)
{
	*out = 0;
	if ((size_t)(w->end - w->p) < n) {
		w->bad = true;
		return false;
	}
	for (size_t i = 0; i < n; i++)
		*out |= (uint64_t)(unsigned char)*w->p++ << (8 * i);
	return true;
}

/* False: the message is at its end, or bad (a group is bad too: what we read has none). */
static inline bool proto_wire_next(struct proto_wire *w)
{
	uint64_t v;

	if (w->p == w->end || w->bad || !proto_wire_varint(w, &v))
		return false;
	w->number = (uint32_t)(v >> 3);
	w->type = (int)(v & 7);
	if (v >> 32 || w->number == 0) {
		w->bad = true;
		return false;
	}
	switch (w->type) {
	case PROTO_WIRE_VARINT:
		return proto_wire_varint(w, &w->value);
	case PROTO_WIRE_64:
		return proto_wire_fixed(w, 8, &w->value);
	case PROTO_WIRE_32:
		return proto_wire_fixed(w, 4, &w->value);
	case PROTO_WIRE_BYTES:
		if (!proto_wire_varint(w, &v) || v > (size_t)(w->end - w->p))
			break;
		w->bytes = (struct bus_str){ w->p, (size_t)v };
		w->p += v;
		return true;
	default:
		break;
	}
	w->bad = true;
	return false;
}

static inline void proto_wire_put_varint(struct bus_buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		bus_buf_putc(out, (char)(v | 0x80));
	bus_buf_putc(out, (char)v);
}

static inline void proto_wire_put_int(struct bus_buf *out, uint32_t number, int64_t v)
{
	proto_wire_put_varint(out, (uint64_t)number << 3 | PROTO_WIRE_VARINT);
	proto_wire_put_varint(out, (uint64_t)v);
}

static inline void proto_wire_put_fixed(struct bus_buf *out, uint32_t number, size_t n, uint64_t v)
{
	proto_wire_put_varint(out, (uint64_t)number << 3 | (n == 8 ? PROTO_WIRE_64 : PROTO_WIRE_32));
	for (size_t i = 0; i < n; i++)
		bus_buf_putc(out, (char)(v >> (8 * i) & 0xff));
}

static inline void proto_wire_put(struct bus_buf *out, uint32_t number, struct bus_str bytes)
{
	proto_wire_put_varint(out, (uint64_t)number << 3 | PROTO_WIRE_BYTES);
	proto_wire_put_varint(out, bytes.n);
	bus_buf_put(out, bytes.p, bytes.n);
}

#endif
