/* adapters/intake/event.h - the attributes of a CloudEvent in binary form: headers ce-* (CloudEvents 1.0, HTTP binding, 3.1.3).
 *
 * Untrusted bytes (tests/fuzz/fuzz_intake_event.c). Thread: one.
 */
#ifndef ADAPTERS_INTAKE_EVENT_H
#define ADAPTERS_INTAKE_EVENT_H

#include "bus/error.h"
#include "bus/json_out.h"

#define ADAPTER_EVENT_MOST 64 /* attributes, and bytes of a name with ce- and NUL */

struct adapter_event {
	struct bus_buf text; /* the object, not closed */
	struct bus_json_out out;
	char name[ADAPTER_EVENT_MOST][ADAPTER_EVENT_MOST];
	size_t n;
	unsigned must;	 /* those that must be there, a bit each */
	const char *why; /* it is no event; NULL: nothing was wrong so far */
};

void adapter_event_begin(struct adapter_event *e); /* e stays where it is until its release */
/* A header of the request, its value as sent; one that is no attribute is passed over. */
void adapter_event_header(struct adapter_event *e, const char *name, const char *value);
/* *members: "\"id\":\"1\",...", each name once; until the release. BUS_EPARSE: what is wrong, without what was sent. */
enum bus_err adapter_event_end(struct adapter_event *e, struct bus_str *members,
			       struct bus_error *err) BUS_MUSTCHECK;
void adapter_event_release(struct adapter_event *e);

#endif
