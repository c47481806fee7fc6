/* bus/wire.h - what a record looks like on Kafka: Confluent's frame, CloudEvents headers, our stream
 * headers. No Kafka call in here.
 *
 * Value: 0x00, schema id (4 bytes, big-endian), Avro binary (Confluent wire format).
 * Headers (CloudEvents 1.0 Kafka protocol binding, binary mode): ce_specversion=1.0, ce_id, ce_source,
 * ce_type, ce_subject, ce_time, content-type=application/avro. Ours: titian_stream, titian_seq (decimal,
 * 1-based, gapless in its stream), titian_file (first 16 hex digits of the file's SHA-256), titian_line.
 * ce_id = "<stream>/<seq>". stream = "<topic>/<partition>": one owner, one order.
 */
#ifndef BUS_WIRE_H
#define BUS_WIRE_H

#include <stdint.h>

#include "bus/buf.h"
#include "bus/error.h"

#define BUS_WIRE_PREFIX 5
#define BUS_WIRE_FILE_LEN 16

void bus_wire_put_prefix(struct bus_buf *b, int32_t schema_id);
/* BUS_EDATA: shorter than a frame, or another magic byte. *avro borrows from value. */
enum bus_err bus_wire_open(struct bus_str value, int32_t *schema_id, struct bus_str *avro,
			   struct bus_error *err) BUS_MUSTCHECK;

struct bus_header {
	struct bus_str name;
	struct bus_str value;
};

struct bus_origin { /* where a record comes from, as its headers say; empty strings when absent */
	struct bus_str stream;
	int64_t seq; /* 0: no such header */
	struct bus_str file;
	int64_t line; /* physical line or record number in the file, 1-based; 0: none */
	struct bus_str time; /* ce_time */
};

void bus_wire_read_origin(const struct bus_header *h, size_t n, struct bus_origin *out);

/* Whether a record's number can be its stream's: the stream is this partition, and the number does not run
 * away from `last` (the highest so far) by more than a million beyond what the offset allows. Whoever may write
 * to a topic can write any number; believing an absurd one would make every genuine record after it look like
 * a repetition. A record that fails is taken as one without a number. */
bool bus_wire_follows(const struct bus_origin *o, const char *topic, int32_t partition, int64_t last,
		      int64_t offset);

/* Partition of a key as Java's and librdkafka's murmur2_random: so every client agrees. n_partitions > 0. */
int32_t bus_wire_partition(struct bus_str key, int32_t n_partitions);

#endif
