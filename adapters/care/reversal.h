/* adapters/care/reversal.h - what a register's topic held at a moment, and what it takes to hold that again.
 *
 * The log is read twice: once for what each key had before the moment and has now, once to hand over the values of then. The
 * moment is a place in each partition: before its first record of that time or later. A compacted topic may have lost what stood
 * then; the gapless numbers of a stream tell whether anything at all was lost before the moment. If nothing was, a key that was not
 * there then was born since; else nobody knows, and it is left as it is. Thread: one.
 */
#ifndef ADAPTERS_CARE_REVERSAL_H
#define ADAPTERS_CARE_REVERSAL_H

#include "bus/consumer.h"
#include "bus/kafka.h"

#define ADAPTER_REVERSAL_FILES 1000
#define ADAPTER_REVERSAL_SAMPLES 50

struct adapter_reversal_place {
	char file[17]; /* 16 hex digits; "": it names none */
	int64_t line;
};

struct adapter_reversal;

struct adapter_reversal_conf {
	const struct bus_kafka_conf *kafka;
	const char *topic, *state_dir;
	int64_t to_ms;
	const char *
	    own; /* titian_file of the records that this very undo has published before it was interrupted; NULL */
};

struct adapter_reversal_counts {
	uint64_t restore, remove; /* keys that are to get their value back, or to go */
	uint64_t unknown;	  /* keys that are left as they are: what they had is no longer in the log */
	uint64_t restored, removed;	       /* by this very undo, before it was interrupted */
	char file[ADAPTER_REVERSAL_FILES][17]; /* whose rows have been published since */
	size_t n_files;
	struct adapter_reversal_place
	    place[ADAPTER_REVERSAL_SAMPLES]; /* the rows that brought the unknown ones */
	size_t n_places;
};

/* BUS_ENOENT: no such topic. BUS_ETOOBIG: more than ADAPTER_REVERSAL_FILES files since. */
enum bus_err adapter_reversal_look(const struct adapter_reversal_conf *conf, struct adapter_reversal **out,
				   struct bus_error *err) BUS_MUSTCHECK;
void adapter_reversal_free(struct adapter_reversal **r);
const struct adapter_reversal_counts *adapter_reversal_counts(const struct adapter_reversal *r);

/* Each key once: `then` is the record that it had, NULL when it is to go. Errors end it. */
typedef enum bus_err (*adapter_reversal_fn)(void *ctx, struct bus_str key, const struct bus_record *then,
					    struct bus_error *err);
enum bus_err adapter_reversal_run(struct adapter_reversal *r, adapter_reversal_fn fn, void *ctx,
				  struct bus_error *err) BUS_MUSTCHECK;

#endif
