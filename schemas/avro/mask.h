/* schemas/avro/mask.h - a datum as JSON for eyes that may not see all of it: fields whose class of personal data
 * (x_pdp) is U, S or A come out as a word, whatever they hold.
 *
 * A sink around schema_json_sink (plain spelling). One thread; one datum at a time.
 */
#ifndef SCHEMAS_AVRO_MASK_H
#define SCHEMAS_AVRO_MASK_H

#include "schemas/avro/json.h"

struct schema_mask_rule {	  /* borrowed as long as the mask is used */
	const char *word;	  /* in the place of a masked value */
	bool unclassed;		  /* a field that has no class is masked too */
	const char *const *clear; /* fields that are not masked, by name, in any record; "*": all */
	size_t n_clear;
	/* A record whose fields' classes count as well, by name: the newest version of what is read in an older
	 * one. NULL: none. */
	const struct schema_node *also;
};

struct schema_mask {
	struct schema_sink sink; /* pass &x.sink to schema_read */
	struct schema_json_sink json;
	struct schema_mask_rule rule;
	bool hiding; /* inside the value of a masked field */
	int depth;   /* of containers opened in there */
};

void schema_mask_init(struct schema_mask *m, const struct schema_mask_rule *rule, struct bus_json_out *out);

#endif
