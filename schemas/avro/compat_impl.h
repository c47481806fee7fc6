/* schemas/avro/compat_impl.h - one judgement of avro/compat.c: its memory, its reasons and where they are,
 * told in full by avro/explain.c. Nobody else includes this. */
#ifndef SCHEMAS_AVRO_COMPAT_IMPL_H
#define SCHEMAS_AVRO_COMPAT_IMPL_H

#include "schemas/avro/compat.h"
#include "schemas/avro/place.h"
#include "schemas/avro/schema_impl.h"

/* Side 0 is the reader, side 1 the writer. Where a pair of types stands in several places, the first met. */
struct schema_reason_place {
	const struct schema_step *step;	   /* the way there */
	const struct schema_node *node[2]; /* what does not fit; MISSING_UNION_BRANCH: union, branch */
	const struct schema_field
	    *missing; /* READER_FIELD_MISSING_DEFAULT_VALUE: the field; nodes: records */
};

/* As schema_can_read; places: with schema_reason.place. */
bool schema_judge(const struct schema *reader, const struct schema *writer, bool places,
		  struct schema_verdict *why);

/* Reasons found under a pair: an immutable list, shared by all that contain it. */
struct schema_compat_result {
	bool ok;
	size_t n;
	const struct schema_reason **reason; /* n of them; room for the next power of two */
};

struct schema_compat_pair {
	const struct schema_node *r;
	const struct schema_node *w;
	bool in_progress;
	struct schema_compat_result result;
};

struct schema_compat {
	struct bus_arena *arena;
	struct schema_compat_pair *pair; /* open addressing, a power of two */
	size_t size;
	size_t n_pairs;
	int depth;
	struct bus_buf place;		/* where we are, as Java says it: "/fields/3/type", "" at the top */
	const struct schema_step *step; /* and as it is */
	bool places;			/* somebody wants to know */
	bool given_up;
	struct schema_reason exception; /* why */
};

/* Down a step of Java's place, and back with what was given. */
size_t schema_compat_enter(struct schema_compat *c, const char *step);
size_t schema_compat_enter_index(struct schema_compat *c, size_t i);
void schema_compat_leave(struct schema_compat *c, size_t before);
/* No judgement: the message is the only reason. */
void schema_compat_give_up(struct schema_compat *c, const char *message);
/* A reason more. Takes message. It may be completed; NULL: there are enough. */
struct schema_reason *schema_compat_fail(struct schema_compat *c, struct schema_compat_result *to,
					 const char *type, const struct schema_node *r,
					 const struct schema_node *w, char *message);
void schema_compat_merge(struct schema_compat *c, struct schema_compat_result *to,
			 const struct schema_compat_result *from);

#endif
