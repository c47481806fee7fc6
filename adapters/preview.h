/* adapters/preview.h - what a file would become, shown and not published. No Kafka, no registry: the schema
 * is the catalogue's own (the .avsc whose x_topik is the mapping's topic).
 *
 * Prints the first records as JSON, one a line, personal fields masked; the first refusals with line, column,
 * class and reason; then counts, in Indonesian and English. Rules between files (a newer version, a key that
 * an earlier file brought) are the runner's and are not applied. Thread: one.
 */
#ifndef ADAPTERS_PREVIEW_H
#define ADAPTERS_PREVIEW_H

#include <stdio.h>

#include "adapters/map.h"

struct adapter_preview_conf {
	const char *const
	    *mapping; /* paths; the first one that takes the file's name is used, a sole one always */
	size_t n_mappings;
	const struct adapter_map_env *env;
	const char *avsc_dir; /* NULL: schemas/avsc, here or beside the mapping's adapters/, or installed */
	const char *file;
	int limit;     /* records and refusals shown, each; 0 = 5 */
	bool personal; /* show personal fields */
	bool count;    /* no records or refusals; the number of records, alone, as the last line */
};

/* BUS_EINVAL: no mapping takes the file, or no schema for its topic; else what the mapping, the schema or the
 * file is refused for. */
enum bus_err adapter_preview(const struct adapter_preview_conf *conf, FILE *out,
			     struct bus_error *err) BUS_MUSTCHECK;

/* The mapping alone, with its reference tables and the catalogue's schema: one line to out when all is well.
 */
enum bus_err adapter_preview_check(const struct adapter_preview_conf *conf, FILE *out,
				   struct bus_error *err) BUS_MUSTCHECK;

/* The mapping that takes conf's file, bound to its schema; both the caller's. */
enum bus_err adapter_preview_open(const struct adapter_preview_conf *conf, struct adapter_map **map,
				  struct schema **schema, struct bus_error *err) BUS_MUSTCHECK;
/* A record (Avro, without frame) as a line of JSON, personal fields masked unless personal. */
enum bus_err adapter_preview_record(struct schema *schema, struct bus_str value, bool personal, FILE *out,
				    struct bus_error *err) BUS_MUSTCHECK;

/* The catalogue's schema for a topic: the file under dir whose x_topik it is. BUS_ENOENT: none. */
enum bus_err adapter_preview_schema(const char *dir, const char *topic, struct schema **out,
				    struct bus_error *err) BUS_MUSTCHECK;

#endif
