/* bus/cloudevent.h - the attributes of a CloudEvent in binary form: headers ce-* (CloudEvents 1.0, HTTP binding, 3.1.3), as the intake of adapters and
 * the gateway take them.
 *
 * Untrusted bytes (tests/fuzz/fuzz_cloudevent.c). Thread: one.
 */
#ifndef BUS_CLOUDEVENT_H
#define BUS_CLOUDEVENT_H

#include "bus/error.h"
#include "bus/json_out.h"

#define BUS_CLOUDEVENT_MOST 64 /* attributes, and bytes of a name with ce- and NUL */

struct bus_cloudevent {
	struct bus_buf text; /* the object, not closed */
	struct bus_json_out out;
	char name[BUS_CLOUDEVENT_MOST][BUS_CLOUDEVENT_MOST];
	size_t n;
	unsigned must;	 /* those that must be there, a bit each */
	const char *why; /* it is no event; NULL: nothing was wrong so far */
};

void bus_cloudevent_begin(struct bus_cloudevent *e); /* e stays where it is until its release */
/* A header of the request, its value as sent; one that is no attribute is passed over. */
void bus_cloudevent_header(struct bus_cloudevent *e, const char *name, const char *value);
/* *members: "\"id\":\"1\",...", each name once; until the release. BUS_EPARSE: what is wrong, without what was sent. */
enum bus_err bus_cloudevent_end(struct bus_cloudevent *e, struct bus_str *members,
				struct bus_error *err) BUS_MUSTCHECK;
void bus_cloudevent_release(struct bus_cloudevent *e);

#endif
