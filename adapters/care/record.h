/* adapters/care/record.h - a quarantine record read back, and all of them of one department.
 *
 * A row's newest record says how it stands (quarantine.h). To find it without holding the topic in memory the topic is read
 * twice: once for where each row's newest record is, once for those. Thread: one.
 */
#ifndef ADAPTERS_CARE_RECORD_H
#define ADAPTERS_CARE_RECORD_H

#include "adapters/quarantine.h"
#include "bus/consumer.h"
#include "bus/kafka.h"
#include "schemas/store/store.h"

#define ADAPTER_ORDER_HEADER                                                                                 \
	"titian_order" /* of an act, and of the record that it published: the order's 16 hex digits */

struct adapter_kept {	   /* one record; what is not there has n 0. Borrowed until the next one is read */
	struct bus_str id; /* the row's: the Kafka key */
	struct bus_str feed, file, sha256, field, class, detail;
	struct bus_str sealed_row, sealed_cells;
	int64_t line, time_ms;
	enum adapter_row_state state;
	struct bus_str what, who, why, order; /* what n 0: the refusal itself */
	int64_t act_ms;
};

struct adapter_kept_reader; /* holds the plan of the schema it met last */
struct adapter_kept_reader *adapter_kept_reader_new(struct schema_store *store);
void adapter_kept_reader_free(struct adapter_kept_reader **r);
/* BUS_EDATA, BUS_ESCHEMA: no record of quarantine. */
enum bus_err adapter_kept_read(struct adapter_kept_reader *r, const struct bus_record *record,
			       struct adapter_kept *out, struct bus_error *err) BUS_MUSTCHECK;
uint64_t adapter_kept_nth(struct bus_str id); /* which row of its line: 1 unless the id says so */

struct adapter_kept_scan {
	const struct bus_kafka_conf *kafka;
	struct schema_store *store;
	const char *topic, *state_dir;
	bool (*wanted)(void *ctx, struct bus_str id); /* NULL: all */
	bool history;				      /* every record, not only each row's newest one */
	enum bus_err (*row)(void *ctx, const struct adapter_kept *kept, struct bus_error *err);
	void *ctx;
};
/* Newest records in the order in which the log has them. A record that cannot be read is passed over; *unreadable. */
enum bus_err adapter_kept_scan(const struct adapter_kept_scan *s, uint64_t *unreadable,
			       struct bus_error *err) BUS_MUSTCHECK;

#endif
