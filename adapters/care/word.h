/* adapters/care/word.h - what an adapter says of itself to the bus: the record of `pku.<opd>.adapter.v1`.
 *
 * Made of the program's figures (figures.h): sums over its feeds since the program began. Counts, times and names of
 * classes of the mappings; no value, key or name of a row or file. One thread.
 */
#ifndef ADAPTERS_CARE_WORD_H
#define ADAPTERS_CARE_WORD_H

#include "adapters/shape.h"

#define ADAPTER_WORD_REASONS 64
#define ADAPTER_WORD_REST "lain" /* what has no place of its own */

struct adapter_word {
	const char *opd;
	bool stopped;					     /* in order */
	int64_t began_ms, said_ms, every_ms, last_record_ms; /* last_record_ms 0: none since it began */
	double rate;					     /* rows read a second */
	int64_t rows, published, refused;
	struct {
		char name[64];
		int64_t n;
	} reason[ADAPTER_WORD_REASONS];
	size_t n_reasons;
	int64_t waiting_files, waiting_bytes, spool_bytes, spool_max, fetches_failed;
};

/* The sums of a Prometheus text of figures; other members stay as they are. */
void adapter_word_sum(struct bus_str figures, struct adapter_word *w);

/* As adapter_shape_bind. */
enum bus_err adapter_word_bind(struct adapter_shape *shape, struct schema_store *store, const char *subject,
			       struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_word_fit(struct adapter_shape *shape, struct schema *schema, int32_t id,
			      struct bus_error *err) BUS_MUSTCHECK; /* tests */
void adapter_word_encode(const struct adapter_word *w, const struct adapter_shape *shape,
			 struct bus_buf *out);

#endif
