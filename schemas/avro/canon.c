#include "schemas/avro/canon.h"

#include "schemas/avro/schema_impl.h"

/* Recursion is bounded by SCHEMA_DEPTH_MAX: the parser refuses deeper schemas. */
static void put(const struct schema_node *node, bool *named, struct bus_buf *out);

static void put_quoted(struct bus_buf *out, const char *name)
{
	bus_buf_putc(out, '"');
	bus_buf_puts(out, name);
	bus_buf_putc(out, '"');
}

static void put_named(const struct schema_node *node, bool *named, struct bus_buf *out)
{
	if (named[node->index]) {
		put_quoted(out, node->name);
		return;
	}
	named[node->index] = true;
	bus_buf_puts(out, "{\"name\":");
	put_quoted(out, node->name);
	bus_buf_printf(out, ",\"type\":\"%s\"", schema_type_name(node->type));
	switch (node->type) {
	case SCHEMA_FIXED:
		bus_buf_printf(out, ",\"size\":%zu", node->size);
		break;
	case SCHEMA_ENUM:
		bus_buf_puts(out, ",\"symbols\":[");
		for (size_t i = 0; i < node->n; i++) {
			if (i > 0)
				bus_buf_putc(out, ',');
			put_quoted(out, node->symbol[i]);
		}
		bus_buf_putc(out, ']');
		break;
	default:
		bus_buf_puts(out, ",\"fields\":[");
		for (size_t i = 0; i < node->n; i++) {
			bus_buf_puts(out, i > 0 ? ",{\"name\":" : "{\"name\":");
			put_quoted(out, node->field[i].name);
			bus_buf_puts(out, ",\"type\":");
			put(node->field[i].type, named, out);
			bus_buf_putc(out, '}');
		}
		bus_buf_putc(out, ']');
	}
	bus_buf_putc(out, '}');
}

static void put(const struct schema_node *node, bool *named, struct bus_buf *out)
{
	switch (node->type) {
	case SCHEMA_RECORD:
	case SCHEMA_ENUM:
	case SCHEMA_FIXED:
		put_named(node, named, out);
		break;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		bus_buf_puts(out, node->type == SCHEMA_ARRAY ? "{\"type\":\"array\",\"items\":"
							     : "{\"type\":\"map\",\"values\":");
		put(node->item, named, out);
		bus_buf_putc(out, '}');
		break;
	case SCHEMA_UNION:
		bus_buf_putc(out, '[');
		for (size_t i = 0; i < node->n; i++) {
			if (i > 0)
				bus_buf_putc(out, ',');
			put(node->branch[i], named, out);
		}
		bus_buf_putc(out, ']');
		break;
	default:
		put_quoted(out, schema_type_name(node->type));
	}
}

void schema_canonical(const struct schema *s, struct bus_buf *out)
{
	bool *named = bus_xcalloc((size_t)s->count, sizeof(*named));

	put(s->root, named, out);
	free(named);
}

uint64_t schema_crc64(struct bus_str canonical)
{
	const uint64_t empty = UINT64_C(0xc15d213aa4d7a795);
	uint64_t table[256];
	uint64_t crc = empty;

	for (uint64_t i = 0; i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = (table[i] >> 1) ^ (empty & (0 - (table[i] & 1)));
	}
	for (size_t i = 0; i < canonical.n; i++)
		crc = (crc >> 8) ^ table[(crc ^ (unsigned char)canonical.p[i]) & 0xff];
	return crc;
}

uint64_t schema_fingerprint(const struct schema *s)
{
	struct bus_buf b = { 0 };
	uint64_t crc;

	schema_canonical(s, &b);
	crc = schema_crc64(bus_buf_str(&b));
	bus_buf_release(&b);
	return crc;
}

void schema_fingerprint_md5(const struct schema *s, uint8_t out[BUS_MD5_LEN])
{
	struct bus_buf b = { 0 };

	schema_canonical(s, &b);
	bus_md5(b.p, b.n, out);
	bus_buf_release(&b);
}

void schema_fingerprint_sha256(const struct schema *s, uint8_t out[BUS_SHA256_LEN])
{
	struct bus_buf b = { 0 };

	schema_canonical(s, &b);
	bus_sha256(b.p, b.n, out);
	bus_buf_release(&b);
}

void schema_fingerprint_bytes(uint64_t fingerprint, uint8_t out[SCHEMA_FINGERPRINT_LEN])
{
	for (int i = 0; i < SCHEMA_FINGERPRINT_LEN; i++)
		out[i] = (uint8_t)(fingerprint >> (8 * i));
}
