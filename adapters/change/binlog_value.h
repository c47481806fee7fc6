/* adapters/change/binlog_value.h - one value of a row in MariaDB's binary log, as text. binlog.h has the sources.
 * Thread: any. */
#ifndef ADAPTERS_CHANGE_BINLOG_VALUE_H
#define ADAPTERS_CHANGE_BINLOG_VALUE_H

#include "adapters/change/binlog.h"
#include "bus/buf.h"

/* Bytes that are read from the front; what is not there sets bad, and gives zeroes. */
struct adapter_binlog_bytes {
	const unsigned char *p, *end;
	bool bad;
};
uint64_t adapter_binlog_number(struct adapter_binlog_bytes *b, size_t bytes); /* little endian, at most 8 */
uint64_t adapter_binlog_packed(struct adapter_binlog_bytes *b);		      /* of 1, 3, 4 or 9 bytes */
struct bus_str adapter_binlog_take(struct adapter_binlog_bytes *b, uint64_t n);

struct adapter_binlog_type { /* as a TABLE_MAP says it */
	uint8_t type;
	uint16_t meta;
	bool is_unsigned;
	const struct bus_str *member; /* of an ENUM or SET */
	size_t n_members;
};

/* Appends the text of the value at the front of b, and takes it off; out NULL: takes it off only. false: it is of a type
 * that is not known. Bytes that are no such value set b->bad. */
bool adapter_binlog_value(struct adapter_binlog_bytes *b, const struct adapter_binlog_type *t,
			  enum adapter_binlog_spell spell, struct bus_buf *out);

#endif
