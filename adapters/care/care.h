/* adapters/care/care.h - the commands of who looks after a department's data: quarantine, undo.
 *
 * They only read Kafka. What is to be done is put into the drop folder as an order (order.h). Without --show-personal no value of
 * a row is printed. One thread, at start.
 */
#ifndef ADAPTERS_CARE_CARE_H
#define ADAPTERS_CARE_CARE_H

#include "adapters/care/args.h"
#include "adapters/care/order.h"
#include "adapters/care/record.h"
#include "adapters/run.h"
#include "bus/json_out.h"

struct adapter_care {
	const struct adapter_run_conf *conf;
	const struct adapter_care_args *args;
	struct schema_store *store;
	char *topic; /* of quarantine */
	const struct adapter_map *const
	    *map; /* the running adapter's, for the columns they read; NULL: they are loaded */
	size_t n_maps;
	bool (*may)(void *ctx, struct bus_str feed); /* whose rows may be seen; NULL: of all feeds */
	void *may_ctx;
};

/* exit status: 0, 1 (not all could be done, or Kafka says no), 2 (asked for wrongly), 4 (given, not carried out yet) */
int adapter_care_main(const char *command, const struct adapter_run_conf *conf,
		      const struct adapter_care_args *args);
bool adapter_care_is(const char *command); /* one of these */

/* --- shared by the commands --- */
bool adapter_care_chosen(const struct adapter_care *care,
			 const struct adapter_kept *kept); /* by --feed, --class ... */
enum bus_err adapter_care_scan(const struct adapter_care *care, bool history,
			       enum bus_err (*row)(void *ctx, const struct adapter_kept *kept,
						   struct bus_error *err),
			       void *ctx, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_care_look(struct adapter_care *care,
			       struct bus_error *err) BUS_MUSTCHECK; /* list show history */
enum bus_err adapter_care_give(struct adapter_care *care, int *status,
			       struct bus_error *err) BUS_MUSTCHECK; /* mend redrive discard */
void adapter_care_put_row(struct bus_json_out *j,
			  const struct adapter_kept *kept); /* the members of list --json */

/* The order that the arguments ask for, put into the drop folder; not with --dry-run. mark: struct adapter_order's.
 * *rows: of how many; name (256 bytes): its file. BUS_EINVAL; BUS_ENOENT: no open row is chosen. */
enum bus_err adapter_care_order(struct adapter_care *care, const char *mark, int64_t *rows, char *name,
				struct bus_error *err) BUS_MUSTCHECK;

/* The mapping of this feed: the running adapter's, or else one that is loaded; then *loaded is it, and the caller frees that.
 * BUS_EINVAL: no mapping has the feed; what adapter_map_load says. */
enum bus_err adapter_care_map(const struct adapter_care *care, struct bus_str feed,
			      struct adapter_map **loaded, const struct adapter_map **out,
			      struct bus_error *err) BUS_MUSTCHECK;

/* Who, why and when, as the arguments say or the system knows. */
void adapter_care_sign(const struct adapter_care_args *args, struct adapter_order *o);
bool adapter_care_nobody(const char *drop_dir); /* no adapter has the folder's lock */
enum adapter_care_outcome {
	ADAPTER_CARE_WAITS,
	ADAPTER_CARE_DONE,
	ADAPTER_CARE_IN_PART,
	ADAPTER_CARE_REFUSED
};
/* What became of an order, and its report, appended to out. IN_PART: some rows were not done. Any thread. */
enum adapter_care_outcome adapter_care_report(const char *drop_dir, const char *name, struct bus_buf *out);
/* Waits for the order's report and prints it. */
enum bus_err adapter_care_await(const struct adapter_run_conf *conf, const char *name, long wait_s,
				int *status, struct bus_error *err) BUS_MUSTCHECK;

#endif
