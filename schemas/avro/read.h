/* schemas/avro/read.h - Avro bytes -> cells or events, through a plan compiled once per (writer, reader).
 *
 * schema_plan() resolves writer against reader (defaults, aliases, promotions, unions, enums by symbol;
 * Avro specification "Schema Resolution", Avro Java 1.12.2 where it is silent). schema_read_cells() runs it:
 * no recursion on the C stack, every length checked against what is left before anything is allocated, every
 * count bounded, and the cells too, in proportion to the datum, so that neither time nor memory grows out of
 * it; UTF-8 checked, nothing left over after the datum. A plan is immutable, counted, and may be shared by
 * threads (avro/cache.h keeps them); a struct schema_reader (the machine's stack and cells) belongs to one.
 */
#ifndef SCHEMAS_AVRO_READ_H
#define SCHEMAS_AVRO_READ_H

#include "bus/buf.h"
#include "schemas/avro/schema.h"

struct schema_plan;
struct schema_reader;

/* reader NULL: the writer's own. Parts that cannot be resolved fail when data reach them, but a default that is
 * needed and is no value of its type fails here: BUS_EDATA (both as Java). BUS_ETOOBIG: too many combinations. */
enum bus_err schema_plan(struct schema *writer, struct schema *reader, struct schema_plan **out,
			 struct bus_error *err) BUS_MUSTCHECK;
struct schema_plan *schema_plan_ref(struct schema_plan *p);
void schema_plan_free(
    struct schema_plan **p); /* drops the caller's reference; the last one's goes with both schemas */
size_t schema_plan_bytes(const struct schema_plan *p); /* of memory, without the schemas */
const struct schema *schema_plan_reader(const struct schema_plan *p);

struct schema_limits {
	int depth;     /* nesting of values; 0 = 64 */
	int64_t items; /* array items and map entries in one datum, all together, one that takes no bytes
			* counts as 16; 0 = 1,000,000 */
	int64_t bytes; /* of one string or bytes; 0 = 16 MiB */
};

/* One value of the reader's schema. Which member holds it follows from its type; that of a union's value is
 * the type of `branch`. Text and bytes are borrowed from the datum, the plan (defaults) or the reader. */
struct schema_cell {
	union {
		int64_t i;     /* boolean, int, long, enum: the index of the symbol */
		double r;      /* float, double */
		const char *p; /* n bytes: string, bytes, fixed */
		uint64_t at;   /* record, array, map: where its cells begin, counted from the root */
	};
	uint32_t
	    n; /* of a record: fields, a cell each, in the reader's order; of an array: items, a cell each;
		* of a map: entries, two cells each, the key's first, no key twice (the last one wins) */
	uint32_t branch; /* index in the union, when the type is one */
};

struct schema_reader *schema_reader_new(const struct schema_limits *limits); /* NULL: defaults */
void schema_reader_free(struct schema_reader **r);
/* From now on what follows a datum is left alone, and schema_reader_used() says how many bytes the datum was
 * that was read last: container files put data side by side. */
void schema_reader_allow_rest(struct schema_reader *r);
size_t schema_reader_used(const struct schema_reader *r);
/* On BUS_OK *root is the datum, borrowed from the reader until it reads again. BUS_EDATA: not a datum of the
 * writer's schema, or one that the reader's cannot take; ETOOBIG: a limit. */
enum bus_err schema_read_cells(struct schema_reader *r, const struct schema_plan *p, struct bus_str datum,
			       const struct schema_cell **root, struct bus_error *err) BUS_MUSTCHECK;

/* The type of a value: the branch that its cell names, when it is a union's. */
static inline const struct schema_node *schema_cell_type(const struct schema_node *type,
							 const struct schema_cell *cell)
{
	return type->type == SCHEMA_UNION ? type->branch[cell->branch] : type;
}

/* The same as events: a sink is told of a datum that is known to be whole. Any member may be NULL. A callback
 * that returns other than BUS_OK stops it all, and that is what schema_read returns. `node` is always the
 * READER's node, unions already resolved to their branch (`branch` event comes first). */
struct schema_sink {
	void *ctx;
	enum bus_err (*null)(void *ctx, const struct schema_node *node);
	enum bus_err (*boolean)(void *ctx, const struct schema_node *node, bool v);
	enum bus_err (*integer)(void *ctx, const struct schema_node *node, int64_t v); /* int and long */
	enum bus_err (*real)(void *ctx, const struct schema_node *node, double v);     /* float and double */
	enum bus_err (*text)(void *ctx, const struct schema_node *node, struct bus_str v);  /* string */
	enum bus_err (*bytes)(void *ctx, const struct schema_node *node, struct bus_str v); /* bytes, fixed */
	enum bus_err (*symbol)(void *ctx, const struct schema_node *node, int32_t index);
	enum bus_err (*branch)(void *ctx, const struct schema_node *node, int32_t index); /* of a union */
	enum bus_err (*record)(void *ctx, const struct schema_node *node);
	/* Before each field's value, in the reader's order. */
	enum bus_err (*field)(void *ctx, const struct schema_node *node, size_t index);
	enum bus_err (*array)(void *ctx, const struct schema_node *node);
	enum bus_err (*map)(void *ctx, const struct schema_node *node);
	enum bus_err (*key)(void *ctx, const struct schema_node *node, struct bus_str name); /* map entry */
	enum bus_err (*end)(void *ctx, const struct schema_node *node); /* of record, array, map */
};

/* Tells the sink of one value that r read last: root is its root, cell any of its cells, of that type. */
enum bus_err schema_walk(struct schema_reader *r, const struct schema_node *type,
			 const struct schema_cell *root, const struct schema_cell *cell,
			 const struct schema_sink *sink) BUS_MUSTCHECK;
/* schema_read_cells and schema_walk. */
enum bus_err schema_read(struct schema_reader *r, const struct schema_plan *p, struct bus_str datum,
			 const struct schema_sink *sink, struct bus_error *err) BUS_MUSTCHECK;

#endif
