/* gateway/serve/adapter_said.h - what one adapter last said of itself, out of its record (schemas/avsc/bersama/adapter.avsc).
 *
 * The record is a department's, and its clock too: numbers are bounded, names of reasons are a-z, 0-9, '_' or counted as
 * GW_SAID_REST, and times count only against each other. Thread: one, and none between.
 */
#ifndef GATEWAY_SERVE_ADAPTER_SAID_H
#define GATEWAY_SERVE_ADAPTER_SAID_H

#include "bus/json_out.h"
#include "schemas/avro/read.h"

#define GW_SAID_REASONS 64
#define GW_SAID_REST "lain"
#define GW_SAID_SILENT 3 /* silent: not heard of for so many times what it promised */

struct gw_adapter_said {
	bool heard; /* false: nothing has been said; the rest is 0 */
	bool stopped;
	char version[32];
	int64_t heard_ms;		   /* by our clock */
	int64_t began_ago_ms, last_ago_ms; /* when it was said; last -1: no record since it began */
	int64_t every_ms;		   /* 1 s to 1 h */
	double rate;
	int64_t rows, published, refused, waiting_files, waiting_bytes, spool_bytes, spool_limit,
	    fetches_failed;
	struct {
		char name[64];
		int64_t n;
	} reason[GW_SAID_REASONS];
	size_t n_reasons;
};

/* avro: without its frame. heard_ms: when it came. BUS_EDATA: no such record; out is not touched then. */
enum bus_err gw_adapter_said_read(struct schema_reader *reader, const struct schema_plan *plan,
				  struct bus_str avro, int64_t heard_ms, struct gw_adapter_said *out,
				  struct bus_error *err) BUS_MUSTCHECK;

/* "running", "silent", "stopped", "unheard". */
const char *gw_adapter_said_state(const struct gw_adapter_said *s, int64_t now_ms);
/* An object. */
void gw_adapter_said_put(struct bus_json_out *j, const char *opd, const struct gw_adapter_said *s,
			 int64_t now_ms);

#endif
