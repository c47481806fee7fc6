/* adapters/change/maria_impl.h - what the parts of a followed table of MariaDB share. */
#ifndef ADAPTERS_CHANGE_MARIA_IMPL_H
#define ADAPTERS_CHANGE_MARIA_IMPL_H

#include "adapters/change/binlog.h"
#include "adapters/change/gtid.h"
#include "adapters/change/impl.h"

enum change_number { CHANGE_AS_IT_IS, CHANGE_FLOAT, CHANGE_DOUBLE };

/* The wanted columns, as the server describes them now. */
struct change_described {
	char schema[256], table[256];	      /* in the server's own capitals */
	struct adapter_binlog_column *column; /* c->n_columns */
	enum change_number *number; /* respelled: the server writes some otherwise than the log has them */
	struct bus_buf select;
};
void adapter_change_described_release(struct change_described *d);

/* maria_table.c. BUS_EINVAL, BUS_EDENIED: with the remedy. */
enum bus_err adapter_change_maria_open(struct adapter_change *c, struct adapter_maria **out,
				       struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_change_maria_run(struct adapter_maria *m, const char *sql,
				      struct bus_error *err) BUS_MUSTCHECK;
/* *d is the caller's to release, after an error too. */
enum bus_err adapter_change_maria_describe(struct adapter_change *c, struct adapter_maria *m,
					   struct change_described *d, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_change_maria_check(struct adapter_change *c, struct adapter_maria *m,
					struct bus_error *err) BUS_MUSTCHECK;
/* The stream from p on. Our own server_id is another one for a trial, so that who follows already is not cut off. */
enum bus_err adapter_change_maria_dump(struct adapter_change *c, struct adapter_maria *m,
				       const struct adapter_gtid_place *p, bool trial,
				       struct bus_error *err) BUS_MUSTCHECK;
/* When a file of the log was begun: one of the same name after RESET MASTER is another one. BUS_ENOENT: there is none. */
enum bus_err adapter_change_maria_begun(struct adapter_change *c, const char *file, uint64_t *begun,
					struct bus_error *err) BUS_MUSTCHECK;

/* maria_snapshot.c, maria_link.c */
enum bus_err adapter_change_maria_snapshot(struct adapter_change *c, struct change_stream *out,
					   struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_change_maria_follow(struct adapter_change *c, bool *well,
					 struct bus_error *err) BUS_MUSTCHECK;

#endif
