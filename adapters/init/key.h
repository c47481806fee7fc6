/* adapters/init/key.h - which columns tell one record from all others. Thread: one. */
#ifndef ADAPTERS_INIT_KEY_H
#define ADAPTERS_INIT_KEY_H

#include "adapters/init/column.h"

#define ADAPTER_INIT_KEY_PARTS 6

struct adapter_init_key {
	size_t part[ADAPTER_INIT_KEY_PARTS]; /* columns */
	size_t n;
	bool unique;	/* no two records have the same */
	bool personal;	/* it must become a pseudonym */
	uint64_t again; /* records whose key came before */
	enum adapter_init_sure sure;
};

/* Fingerprints of the first records' cells. */
struct adapter_init_prints;
struct adapter_init_prints *adapter_init_prints_new(size_t n_columns);
void adapter_init_prints_free(struct adapter_init_prints **p);
void adapter_init_prints_take(struct adapter_init_prints *p, const struct adapter_row *row);

void adapter_init_key_find(const struct adapter_init_prints *p, const struct adapter_init_guess *guess,
			   size_t n, struct adapter_init_key *out);

#endif
