/* adapters/change/gtid.h - where in a MariaDB server's binary log: the last transaction of each domain, and the file and
 * position behind it.
 *
 * "0-1-2704,7-3-12 mariadb-bin.000014 81234 1774900000": the GTIDs as in @slave_connect_state ("-": none), the file, the
 * position, and when the file was begun (0: not known). A record's place in the stream is the sum of the sequence
 * numbers, which of one domain is the number itself: each transaction makes it larger, in the order of the log, and
 * whoever begins from the same GTIDs counts alike. Thread: any.
 */
#ifndef ADAPTERS_CHANGE_GTID_H
#define ADAPTERS_CHANGE_GTID_H

#include <stdint.h>

#include "bus/buf.h"
#include "bus/error.h"

#define ADAPTER_GTID_DOMAINS 16
#define ADAPTER_GTID_FILE 256

struct adapter_gtid {
	uint32_t domain, server;
	uint64_t seq;
};

struct adapter_gtid_place { /* zeroed: before everything */
	struct adapter_gtid last[ADAPTER_GTID_DOMAINS];
	size_t n;
	char file[ADAPTER_GTID_FILE];
	uint64_t position, begun;
};

/* Of "0-1-2704,7-3-12" or "". BUS_EDATA: it is no such list. BUS_ETOOBIG: more domains. */
enum bus_err adapter_gtid_read(const char *text, struct adapter_gtid_place *out,
			       struct bus_error *err) BUS_MUSTCHECK;
void adapter_gtid_put(const struct adapter_gtid_place *p, struct bus_buf *out); /* appends the list */
bool adapter_gtid_same(const struct adapter_gtid_place *a,
		       const struct adapter_gtid_place *b); /* the lists */
uint64_t adapter_gtid_sum(const struct adapter_gtid_place *p);

/* A transaction more. BUS_ECONFLICT: its number is not larger than the last one's. BUS_ETOOBIG. */
enum bus_err adapter_gtid_add(struct adapter_gtid_place *p, uint32_t domain, uint32_t server, uint64_t seq,
			      struct bus_error *err) BUS_MUSTCHECK;

/* All of it. false: it is none. */
bool adapter_gtid_place_read(const char *text, struct adapter_gtid_place *out);
void adapter_gtid_place_put(const struct adapter_gtid_place *p, struct bus_buf *out);

#endif
