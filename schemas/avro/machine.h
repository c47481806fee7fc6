/* schemas/avro/machine.h - what a reader holds: for avro/read.c (the machine), avro/tape.c and avro/walk.c.
 */
#ifndef SCHEMAS_AVRO_MACHINE_H
#define SCHEMAS_AVRO_MACHINE_H

#include "bus/arena.h"
#include "schemas/avro/plan.h"

#define SCHEMA_CELLS_KEPT ((size_t)64 * 1024) /* between two data */

struct schema_frame {
	const struct schema_op *op; /* record: where to go on; array, map: its instruction */
	size_t base;		    /* block of the value that holds this one */
	size_t block;		    /* array, map: where its cells begin, */
	size_t cap;		    /* how many it has room for, */
	size_t n;		    /* the items read, this block of the datum's included, */
	int64_t left;		    /* and those still to come of it, the current one included */
};

struct schema_level { /* of a walk: a record, array or map whose end has not come */
	const struct schema_node *node;
	const struct schema_cell *cell;
	uint32_t i;
	uint32_t n;
};

struct schema_reader {
	struct schema_limits limits;
	bool rest;		  /* bytes after the datum are left alone */
	size_t used;		  /* by the last datum */
	struct schema_cell *cell; /* the tape */
	size_t n, cap;		  /* cells */
	size_t most;		  /* of this datum */
	struct bus_arena *text;	  /* bytes read as a string, made valid; NULL until the first */
	uint32_t *slot;		  /* keys of a map by hash: n_slots, a power of two */
	size_t n_slots;
	struct schema_level *level;  /* limits.depth + 1 of them; NULL until the first walk */
	struct schema_frame frame[]; /* limits.depth of them */
};

/* Room for n cells after those there are; false: more than this datum may have. r->cell may move. */
bool schema_tape_grow(struct schema_reader *r, size_t n);
/* Makes the block of an array or map take n cells more; it may move. False as above. */
bool schema_tape_extend(struct schema_reader *r, struct schema_frame *f, size_t used, size_t more);
/* Of entries with one key the first stays, with the value of the last. Returns how many are left. */
size_t schema_tape_unique(struct schema_reader *r, size_t block, size_t n);
/* Valid UTF-8 of any bytes: what is broken becomes U+FFFD. Lives as long as the datum's cells. */
struct bus_str schema_tape_text(struct schema_reader *r, struct bus_str bytes);

static inline bool schema_tape_alloc(struct schema_reader *r, size_t n)
{
	if (r->cap - r->n < n && !schema_tape_grow(r, n))
		return false;
	r->n += n;
	return true;
}

#endif
