/* adapters/care/told.h - the files that a department's `berkas` topic tells of, for who wants their names. Thread: one. */
#ifndef ADAPTERS_CARE_TOLD_H
#define ADAPTERS_CARE_TOLD_H

#include "adapters/tally.h"
#include "bus/kafka.h"

struct adapter_told_file {
	char hex[17], name[256], feed[96];
	enum adapter_status status;
	int64_t ended_ms; /* 0: not yet */
};

struct adapter_told {
	struct adapter_told_file *file;
	size_t n;
};

/* Zero-initialised out. Of one file and feed the newest record; at most 100,000. */
enum bus_err adapter_told_read(const struct bus_kafka_conf *kafka, struct schema_store *store,
			       const char *opd, struct adapter_told *out,
			       struct bus_error *err) BUS_MUSTCHECK;
void adapter_told_release(struct adapter_told *t);
const char *adapter_told_name(const struct adapter_told *t,
			      const char *hex); /* the digits themselves: not known */
/* The feed's file that was read to its end last before the moment; NULL: none. */
const struct adapter_told_file *adapter_told_before(const struct adapter_told *t, const char *feed,
						    int64_t ms);

#endif
