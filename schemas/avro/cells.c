/* Recursion is bounded by the depth that the reader of the cells allows. */
#include "schemas/avro/cells.h"

#include <endian.h>

/* Room for a number and n bytes. */
static inline char *room(struct bus_buf *out, size_t n)
{
	if (__builtin_expect(out->cap - out->n < n + 10, 0))
		bus_buf_reserve(out, n + 10);
	return out->p + out->n;
}

static inline char *put_long(char *p, int64_t v)
{
	uint64_t z = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);

	while (z > 0x7f) {
		*p++ = (char)(z | 0x80);
		z >>= 7;
	}
	*p++ = (char)z;
	return p;
}

static inline void write_long(struct bus_buf *out, int64_t v)
{
	out->n = (size_t)(put_long(room(out, 0), v) - out->p);
}

static inline void write_bytes(struct bus_buf *out, const struct schema_cell *cell)
{
	char *p = put_long(room(out, cell->n), cell->n);

	memcpy(p, cell->p, cell->n);
	out->n = (size_t)(p + cell->n - out->p);
}

static void write_float(struct bus_buf *out, float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof(bits));
	bits = htole32(bits);
	memcpy(room(out, 0), &bits, sizeof(bits));
	out->n += sizeof(bits);
}

static void write_double(struct bus_buf *out, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	bits = htole64(bits);
	memcpy(room(out, 0), &bits, sizeof(bits));
	out->n += sizeof(bits);
}

static void write_items(const struct schema_node *type, const struct schema_cell *root,
			const struct schema_cell *cell, struct bus_buf *out)
{
	const struct schema_cell *item = root + cell->at;

	if (cell->n > 0)
		write_long(out, cell->n);
	for (uint32_t i = 0; i < cell->n; i++) {
		if (type->type == SCHEMA_MAP)
			write_bytes(out, item++);
		schema_write_cells(type->item, root, item++, out);
	}
	write_long(out, 0);
}

void schema_write_cells(const struct schema_node *type, const struct schema_cell *root,
			const struct schema_cell *cell, struct bus_buf *out)
{
	if (type->type == SCHEMA_UNION) {
		write_long(out, cell->branch);
		type = type->branch[cell->branch];
	}
	switch (type->type) {
	case SCHEMA_NULL:
		break;
	case SCHEMA_BOOLEAN:
		*room(out, 0) = cell->i != 0;
		out->n++;
		break;
	case SCHEMA_INT:
	case SCHEMA_LONG:
	case SCHEMA_ENUM:
		write_long(out, cell->i);
		break;
	case SCHEMA_FLOAT:
		write_float(out, (float)cell->r);
		break;
	case SCHEMA_DOUBLE:
		write_double(out, cell->r);
		break;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		write_bytes(out, cell);
		break;
	case SCHEMA_FIXED:
		memcpy(room(out, cell->n), cell->p, cell->n);
		out->n += cell->n;
		break;
	case SCHEMA_RECORD:
		for (uint32_t i = 0; i < cell->n; i++)
			schema_write_cells(type->field[i].type, root, root + cell->at + i, out);
		break;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
	default:
		write_items(type, root, cell, out);
	}
}
