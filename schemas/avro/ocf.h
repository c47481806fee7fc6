/* schemas/avro/ocf.h - Avro Object Container Files: a schema, then blocks of records, each block under a codec.
 *
 * Avro specification 1.12, "Object Container Files". Reader and writer are streams: neither holds more than
 * one block, and of a hostile file nothing is believed: what a block says of its size is memory only as its
 * bytes arrive, what it unpacks to is bounded, so are counts and metadata. What Avro Java overlooks (a file
 * that ends in a block or without its last sync marker) is an error here, with its byte. Thread: one at a
 * time.
 */
#ifndef SCHEMAS_AVRO_OCF_H
#define SCHEMAS_AVRO_OCF_H

#include "schemas/avro/read.h"

enum schema_codec {
	SCHEMA_CODEC_NULL,
	SCHEMA_CODEC_DEFLATE, /* RFC 1951, no header */
	SCHEMA_CODEC_SNAPPY,  /* with the CRC-32 of what was packed */
	SCHEMA_CODEC_ZSTANDARD,
	SCHEMA_CODEC_BZIP2,
	SCHEMA_CODEC_XZ,
};
#define SCHEMA_CODECS 6
const char *schema_codec_name(enum schema_codec codec); /* "zstandard", as in a file */
bool schema_codec_parse(struct bus_str name, enum schema_codec *out);

#define SCHEMA_SYNC_LEN 16

struct schema_ocf_meta { /* one entry of the metadata */
	struct bus_str key;
	struct bus_str value;
};

struct schema_ocf_limits {
	size_t header; /* bytes of the header; 0 = 4 MiB */
	size_t block;  /* bytes of a block, packed and unpacked each; 0 = 64 MiB */
	struct schema_limits datum;
};

/* Up to n bytes to p; *got 0: the end. */
typedef enum bus_err schema_ocf_source_fn(void *ctx, void *p, size_t n, size_t *got, struct bus_error *err);
typedef enum bus_err schema_ocf_target_fn(void *ctx, const void *p, size_t n, struct bus_error *err);
/* ctx is a FILE *. */
schema_ocf_source_fn schema_ocf_from_file;
schema_ocf_target_fn schema_ocf_to_file;

/* Reading. */
struct schema_ocf_reader;
/* Reads the header. limits NULL: defaults. BUS_EDATA: no container file, or a broken one; BUS_ESCHEMA: its
 * schema is none; BUS_EINVAL: a codec we do not know; BUS_ETOOBIG: a limit. *out is NULL on failure. */
enum bus_err schema_ocf_open(schema_ocf_source_fn *source, void *ctx, const struct schema_ocf_limits *limits,
			     struct schema_ocf_reader **out, struct bus_error *err) BUS_MUSTCHECK;
void schema_ocf_close(struct schema_ocf_reader **r);
struct schema *schema_ocf_schema(const struct schema_ocf_reader *r); /* the writer's; borrowed */
enum schema_codec schema_ocf_codec(const struct schema_ocf_reader *r);
const struct schema_ocf_meta *schema_ocf_metadata(const struct schema_ocf_reader *r,
						  size_t *n); /* all of it */
const uint8_t *schema_ocf_sync(const struct schema_ocf_reader *r);
/* The next record through a plan whose writer is schema_ocf_schema(). *more false: the end. After an error
 * the reader repeats it. */
enum bus_err schema_ocf_next(struct schema_ocf_reader *r, const struct schema_plan *plan,
			     const struct schema_sink *sink, bool *more, struct bus_error *err) BUS_MUSTCHECK;
struct bus_str schema_ocf_datum(const struct schema_ocf_reader *r); /* the bytes of the last record */
/* Counted so far; of the block that is being read too. */
uint64_t schema_ocf_blocks(const struct schema_ocf_reader *r);

/* Writing. */
struct schema_ocf_writer;
/* Writes the header: the schema with the types of its references written out, the codec, then the given
 * entries (none of them "avro."...: BUS_EINVAL). sync: NULL, or the marker to use (tests; else a random one).
 */
enum bus_err schema_ocf_create(const struct schema *s, enum schema_codec codec,
			       const struct schema_ocf_meta *meta, size_t n_meta, const uint8_t *sync,
			       schema_ocf_target_fn *target, void *ctx, struct schema_ocf_writer **out,
			       struct bus_error *err) BUS_MUSTCHECK;
/* A datum of the schema, not looked at. A block is written when 64,000 bytes have come together. */
enum bus_err schema_ocf_append(struct schema_ocf_writer *w, struct bus_str datum,
			       struct bus_error *err) BUS_MUSTCHECK;
/* Writes the last block, frees, sets NULL; also after an error, which it repeats. */
enum bus_err schema_ocf_finish(struct schema_ocf_writer **w, struct bus_error *err) BUS_MUSTCHECK;

#endif
