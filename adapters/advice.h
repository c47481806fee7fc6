/* adapters/advice.h - what can be done with a refused row, by why it was refused: mended in quarantine, in the source, or nothing.
 *
 * Known of its class and column alone, so that a report and a row looked at months later say the same. Thread: one.
 */
#ifndef ADAPTERS_ADVICE_H
#define ADAPTERS_ADVICE_H

#include "adapters/map.h"

enum adapter_advice {
	ADAPTER_ADVICE_VALUE, /* a column is wrong or empty */
	ADAPTER_ADVICE_KEY,   /* one that the record's key is made of */
	ADAPTER_ADVICE_LOST,  /* its columns were not kept: nothing can be done with it in quarantine */
	ADAPTER_ADVICE_OLDER, /* what stands is newer */
	ADAPTER_ADVICE_TWICE, /* another row has its key, or whatever may be there only once */
	ADAPTER_ADVICE_SIZE,  /* too large for Kafka */
	ADAPTER_ADVICE_N
};

#define ADAPTER_CLASS_OLDER "lebih_lama" /* of a redriven row, when its mapping has no class for that */
#define ADAPTER_CLASS_TWICE "ganda"

/* map: of its feed; NULL: not at hand. field: its column; NULL: the row. kept: its columns are in quarantine. */
enum adapter_advice adapter_advice_of(const struct adapter_map *map, const char *class, const char *field,
				      bool kept);
/* A line or two in Indonesian, then in English, each begun by indent. complete: the register is read whole each time. */
void adapter_advice_text(enum adapter_advice a, bool complete, const char *indent, struct bus_buf *out);

#endif
