/* A file of a MariaDB server's binary log without its first four bytes: events, each of which says how long it is. */
#include <assert.h>
#include <stdint.h>

#include "adapters/change/binlog.h"
#include "adapters/change/statement.h"

static void look(const struct adapter_binlog_value *value, size_t n)
{
	volatile unsigned sum = 0;

	for (size_t i = 0; value && i < n; i++)
		for (size_t k = 0; k < value[i].text.n; k++)
			sum += (unsigned char)value[i].text.p[k];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct adapter_binlog_column column[] = {
		{ "kode", ADAPTER_BINLOG_UTF8 },    { "jumlah", ADAPTER_BINLOG_UTF8 },
		{ "jenis", ADAPTER_BINLOG_LATIN1 }, { "sejak", ADAPTER_BINLOG_UTF8 },
		{ "isi", ADAPTER_BINLOG_HEX },	    { "induk", ADAPTER_BINLOG_UUID },
		{ "lain", ADAPTER_BINLOG_UTF8 },    { "u", ADAPTER_BINLOG_INET6 },
		{ "t", ADAPTER_BINLOG_UTF8 },
	};
	struct adapter_binlog *b = adapter_binlog_new("titian", "unit", column, BUS_LEN(column), false);

	while (size > 13) {
		size_t n = data[9] | (size_t)data[10] << 8;
		const struct adapter_binlog_value *old, *new;
		struct adapter_binlog_event ev;
		struct bus_error err;
		char *copy; /* of its own size, so that a byte too far is seen */
		enum bus_err rc;

		if (n > size || n == 0)
			n = size;
		copy = bus_xmalloc(n);
		memcpy(copy, data, n);
		rc = adapter_binlog_read(b, (struct bus_str){ copy, n }, &ev, &err);
		if (!rc && ev.kind == ADAPTER_BINLOG_ROWS)
			while (!(rc = adapter_binlog_next(b, &old, &new, &err))) {
				look(old, BUS_LEN(column));
				look(new, BUS_LEN(column));
			}
		if (!rc && ev.kind == ADAPTER_BINLOG_QUERY)
			(void)adapter_statement_of(ev.text, ev.database, "titian", "unit");
		free(copy);
		data += n;
		size -= n;
		if (rc && rc != BUS_ENOENT)
			break;
	}
	adapter_binlog_free(&b);
	return 0;
}
