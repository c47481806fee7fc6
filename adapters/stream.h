/* adapters/stream.h - one topic's streams, and the headers that every record carries.
 *
 * A stream is one partition: "<topic>/<partition>". Its sequence is gapless and starts at 1; only the
 * adapter that owns the topic counts it. The headers are built once a file; a record costs two decimal
 * numbers and a time, nothing is formatted with printf. Header names: bus/wire.h, and two of the adapter's
 * own, by which it recovers from the log what it must know: titian_version, the version of a `newest_by` row,
 * and titian_id, the identity of an event whose key is another (a pseudonym of it: headers hold no
 * identifier). Thread: one.
 */
#ifndef ADAPTERS_STREAM_H
#define ADAPTERS_STREAM_H

#include <stdint.h>

#include "adapters/change/at.h"
#include "bus/mem.h"
#include "bus/wire.h"

#define ADAPTER_VERSION_HEADER "titian_version"
#define ADAPTER_ID_HEADER "titian_id"
#define ADAPTER_HEADERS_MAX 14

struct adapter_stream {
	char *text;	      /* "<topic>/<partition>/" and room for 20 digits */
	size_t prefix;	      /* bytes up to and with the last slash */
	int64_t seq;	      /* last one used; 0: none */
	struct adapter_at at; /* of the last record of a followed table; change/at.h */
};

struct adapter_topic {
	char *name;
	char *type; /* ce_type: "id.go.pekanbaru.bus.<opd>.<entity>.v1" */
	int32_t n;  /* partitions */
	struct adapter_stream *stream;
};

void adapter_topic_init(struct adapter_topic *t, const char *name, int32_t partitions);
void adapter_topic_release(struct adapter_topic *t);
/* "<topic>/<partition>" without the slash at its end; borrowed. */
struct bus_str adapter_stream_name(const struct adapter_stream *s);

/* What a record says about where it comes from. */
struct adapter_origin {
	const char *source; /* ce_source */
	const char *file;   /* 16 hex digits */
	uint64_t line;	    /* 0: none */
	int64_t time_ms;
	const int64_t *version;	 /* NULL: none */
	struct bus_str identity; /* n 0: none */
	struct bus_header extra; /* name.n 0: none */
};

struct adapter_stamp { /* zero-initialised is valid; reused from record to record */
	struct bus_header header[ADAPTER_HEADERS_MAX];
	char line[24], version[24], time[40];
	size_t time_n;
	int64_t time_ms; /* what `time` says; valid if time_n > 0 */
	int32_t day;	 /* what the date part of `time` says */
};

/* The headers of the record that is to be number s->seq + 1 of s. They borrow from all arguments and are
 * good until the next call. Returns how many. Does not count: that is the caller's, once the record is sent.
 */
size_t adapter_stamp_headers(struct adapter_stamp *st, const struct adapter_topic *t,
			     struct adapter_stream *s, struct bus_str key, const struct adapter_origin *o);

size_t adapter_put_decimal(char *out, uint64_t v); /* out: 20 bytes; no NUL; returns digits */

#endif
