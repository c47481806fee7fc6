/* adapters/care/result.h - what an order came to, and the text that says so. One thread. */
#ifndef ADAPTERS_CARE_RESULT_H
#define ADAPTERS_CARE_RESULT_H

#include <stdint.h>

#include "adapters/care/order.h"

#define ADAPTER_RESULT_SAMPLES 20

enum adapter_result_of_row {
	ADAPTER_OF_PUBLISHED,
	ADAPTER_OF_SAME, /* in the log already, from another row */
	ADAPTER_OF_REFUSED,
	ADAPTER_OF_MENDED,
	ADAPTER_OF_DISCARDED,
	ADAPTER_OF_SETTLED, /* by another order, before */
	ADAPTER_OF_LOCKED,  /* its columns were not kept, or this key does not open them */
	ADAPTER_OF_UNKNOWN, /* no such row in quarantine */
	ADAPTER_OF_N
};

struct adapter_result_sample {
	char id[64], class[64], why[256];
};

struct adapter_order_result {
	const struct adapter_order *order;
	uint64_t n[ADAPTER_OF_N];
	struct adapter_result_sample sample[ADAPTER_RESULT_SAMPLES]; /* rows that were not done */
	size_t n_samples;
};

void adapter_result_note(struct adapter_order_result *r, enum adapter_result_of_row of, struct bus_str id,
			 const char *class, const char *why);
/* For people, Indonesian and English. refused: why the order itself was not taken; NULL. */
void adapter_result_text(const struct adapter_order_result *r, const char *name, const char *refused,
			 struct bus_buf *out);

#endif
