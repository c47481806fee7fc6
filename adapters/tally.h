/* adapters/tally.h - what one file came to: its counts, its state, and its `berkas` record.
 *
 * published + same = accepted, always: every accepted row is either in the log because of this file, or
 * was there before it. So a file read again after an interruption comes to the same counts.
 * Thread: one.
 */
#ifndef ADAPTERS_TALLY_H
#define ADAPTERS_TALLY_H

#include "adapters/advice.h"
#include "adapters/map.h"
#include "adapters/shape.h"

#define ADAPTER_CLASS_CONTROL "trailer_salah" /* the file's own totals are not what we count */
#define ADAPTER_CLASS_TOO_BIG "terlalu_besar" /* the record is larger than Kafka takes */
#define ADAPTER_SAMPLES 20		      /* refusals that are named in the report */

enum adapter_status { ADAPTER_READING, ADAPTER_DONE, ADAPTER_CUT, ADAPTER_REFUSED };

struct adapter_sample {
	uint64_t line;
	char field[64];
	char class[64];
	char detail[160];
};

/* What the program's figures hold of a file already (care/figures.h): they follow it while it is read. */
struct adapter_figured {
	uint64_t rows, published, same, refused, removed, too_big, count[ADAPTER_CLASSES_MAX];
	int64_t at;  /* monotonic ms */
	bool closed; /* it stays counted */
};

struct adapter_tally {
	const char *feed;
	char name[256];
	char sha256[65];
	int64_t size;
	enum adapter_status status;
	char reason[480]; /* "": none */
	bool complete;
	int64_t order;
	uint64_t physical, rows, accepted, refused, loose, published, same, removed;
	const struct adapter_class *class;
	size_t n_classes;
	uint64_t count[ADAPTER_CLASSES_MAX];
	uint64_t too_big;
	uint8_t advice[ADAPTER_CLASSES_MAX]; /* of its refused rows: bits by enum adapter_advice */
	struct adapter_end end;
	int64_t started, ended; /* ms; ended 0: not yet */
	struct adapter_sample sample[ADAPTER_SAMPLES];
	size_t n_samples;
	struct adapter_figured figured;
};

const char *adapter_status_name(enum adapter_status s); /* DIPROSES SELESAI TERPOTONG DITOLAK */
bool adapter_status_parse(const char *name, enum adapter_status *out);
bool adapter_tally_control_wrong(const struct adapter_tally *t);
/* Calls fn for each class with a count, observations (NOTE, SEEN) or defects. */
void adapter_tally_each(const struct adapter_tally *t, bool observations,
			void (*fn)(void *ctx, const char *name, uint64_t n), void *ctx);
/* "<feed>:<16 hex>" */
void adapter_tally_key(const char *feed, const char *sha256, struct bus_buf *out);

enum bus_err adapter_tally_bind(struct adapter_shape *shape, struct schema_store *store, const char *subject,
				struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_tally_fit(struct adapter_shape *shape, struct schema *schema, int32_t id,
			       struct bus_error *err) BUS_MUSTCHECK;
void adapter_tally_encode(const struct adapter_tally *t, const struct adapter_shape *shape,
			  struct bus_buf *out);

/* What a restart needs of a `berkas` record that was read from the log. */
struct adapter_tally_past {
	enum adapter_status status;
	int64_t order, started;
};
struct adapter_tally_reader; /* holds the plan of the schema it met last */
struct adapter_tally_reader *adapter_tally_reader_new(struct schema_store *store);
void adapter_tally_reader_free(struct adapter_tally_reader **r);
/* value: with its frame. */
enum bus_err adapter_tally_read(struct adapter_tally_reader *r, struct bus_str value,
				struct adapter_tally_past *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
