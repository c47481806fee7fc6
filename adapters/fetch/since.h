/* adapters/fetch/since.h - a mark that only grows: the greatest value of a column seen so far, and where to begin again.
 *
 *     mark: {column: diubah, type: time, overlap: 10m}
 *
 * Transactions commit in another order than they take their time or number, so each fetch begins an overlap before the
 * mark: what it reads again is known (pass.h) and not published again. A time over a day ahead of the clock moves no mark:
 * nothing would be fetched any more until it comes. Thread: one.
 */
#ifndef ADAPTERS_FETCH_SINCE_H
#define ADAPTERS_FETCH_SINCE_H

#include "bus/buf.h"
#include "bus/yaml.h"

#define ADAPTER_SINCE_MAX 64 /* bytes of a mark as a parameter, NUL included */

/* In the order of enum adapter_odbc_type. */
enum adapter_since_type { ADAPTER_SINCE_INTEGER, ADAPTER_SINCE_TIME };

struct adapter_since {
	const char *column;
	enum adapter_since_type type;
	int64_t overlap; /* of a number: how much less; of a time: microseconds */
	int64_t start;	 /* the first fetch begins here: number, or microseconds since 1970 */
	int64_t most;	 /* of this run: the greatest seen */
	char text[ADAPTER_SINCE_MAX];
};

enum bus_err adapter_since_read(struct adapter_since *s, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				struct bus_error *err) BUS_MUSTCHECK;
/* mark: of the last run; n 0: none. from: ADAPTER_SINCE_MAX bytes, what `?` stands for. */
enum bus_err adapter_since_begin(struct adapter_since *s, struct bus_str mark, char *from,
				 struct bus_error *err) BUS_MUSTCHECK;
/* A row's value, as the database writes it. BUS_EDATA: neither a whole number nor a time (the value is not told). */
enum bus_err adapter_since_see(struct adapter_since *s, struct bus_str value,
			       struct bus_error *err) BUS_MUSTCHECK;
struct bus_str
adapter_since_mark(struct adapter_since *s); /* borrowed until the next call; n 0: nothing seen, ever */

#endif
