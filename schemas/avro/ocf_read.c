/* Reading container files: header, blocks, records. Every message has the byte where the trouble is. */
#include <stdio.h>

#include "bus/arena.h"
#include "schemas/avro/ocf_codec.h"

#define INPUT ((size_t)64 * 1024)
#define HEADER_DEFAULT ((size_t)4 * 1024 * 1024)
#define BLOCK_DEFAULT ((size_t)64 * 1024 * 1024)
#define ENTRIES_MAX 1000  /* of the metadata */
#define EMPTY_MAX 1000000 /* records of a file that take no bytes */

struct schema_ocf_reader {
	schema_ocf_source_fn *source;
	void *ctx;
	struct schema_ocf_limits limits;
	struct bus_error failed; /* BUS_OK while all is well */

	char input[INPUT];
	size_t at, n;		  /* of input */
	uint64_t before;	  /* bytes of the file before input */
	struct bus_arena *memory; /* of the header */

	struct schema_ocf_meta *meta;
	size_t n_meta;
	enum schema_codec codec;
	uint8_t sync[SCHEMA_SYNC_LEN];
	struct schema *schema;

	struct schema_reader *machine;
	struct bus_buf packed, plain;
	struct bus_str rest;   /* of the block's data: what is not read yet */
	struct bus_str datum;  /* the last record */
	uint64_t block_begins; /* its byte in the file */
	int64_t records, left; /* of the block */
	uint64_t blocks;
	int64_t empty; /* records without bytes so far */
};

enum bus_err schema_ocf_from_file(void *ctx, void *p, size_t n, size_t *got, struct bus_error *err)
{
	FILE *f = ctx;

	*got = fread(p, 1, n, f);
	return ferror(f) ? bus_fail(err, BUS_EIO, "cannot read the file: %m") : BUS_OK;
}

static uint64_t place(const struct schema_ocf_reader *r)
{
	return r->before + r->at;
}

static enum bus_err fail_at(struct schema_ocf_reader *r, uint64_t at, enum bus_err code, const char *what)
{
	return bus_fail(&r->failed, code, "container file, byte %llu: %s", (unsigned long long)at, what);
}

/* At least one byte in input; *end: the file has none. */
static enum bus_err fill(struct schema_ocf_reader *r, bool *end)
{
	enum bus_err rc;

	*end = false;
	if (r->at < r->n)
		return BUS_OK;
	r->before += r->n;
	r->at = 0;
	r->n = 0;
	rc = r->source(r->ctx, r->input, INPUT, &r->n, &r->failed);
	*end = rc == BUS_OK && r->n == 0;
	return rc;
}

static enum bus_err get_byte(struct schema_ocf_reader *r, unsigned char *c)
{
	bool end;
	enum bus_err rc = fill(r, &end);

	if (rc != BUS_OK)
		return rc;
	if (end)
		return fail_at(r, place(r), BUS_EDATA, "the file ends too early");
	*c = (unsigned char)r->input[r->at++];
	return BUS_OK;
}

static enum bus_err get_long(struct schema_ocf_reader *r, int64_t *v)
{
	const uint64_t begin = place(r);
	unsigned char c = 0x80;
	uint64_t z = 0;

	for (int shift = 0; c & 0x80; shift += 7) {
		enum bus_err rc = get_byte(r, &c);

		if (rc != BUS_OK)
			return rc;
		if (shift > 63 || (shift == 63 && c > 1))
			return fail_at(r, begin, BUS_EDATA, "no whole number stands here");
		z |= (uint64_t)(c & 0x7f) << shift;
	}
	*v = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
	return BUS_OK;
}

/* n bytes appended to b; memory only for what has come. */
static enum bus_err get_bytes(struct schema_ocf_reader *r, size_t n, struct bus_buf *b)
{
	while (n > 0) {
		bool end;
		enum bus_err rc = fill(r, &end);
		size_t have = r->n - r->at;

		if (rc != BUS_OK)
			return rc;
		if (end)
			return bus_fail(&r->failed, BUS_EDATA,
					"container file, byte %llu: the file ends here, %zu bytes too early",
					(unsigned long long)place(r), n);
		if (have > n)
			have = n;
		bus_buf_put(b, r->input + r->at, have);
		r->at += have;
		n -= have;
	}
	return BUS_OK;
}

/* --- header --- */

static enum bus_err header_too_big(struct schema_ocf_reader *r)
{
	return bus_fail(&r->failed, BUS_ETOOBIG, "container file: its header has more than %zu bytes",
			r->limits.header);
}

static enum bus_err get_text(struct schema_ocf_reader *r, struct bus_str *out)
{
	const uint64_t begin = place(r);
	struct bus_buf b = { 0 };
	int64_t n;
	enum bus_err rc = get_long(r, &n);

	if (rc != BUS_OK)
		return rc;
	if (n < 0)
		return fail_at(r, begin, BUS_EDATA, "a length below zero");
	if ((uint64_t)n > r->limits.header || place(r) > r->limits.header)
		return header_too_big(r);
	rc = get_bytes(r, (size_t)n, &b);
	if (rc == BUS_OK) {
		out->p = bus_arena_dup(r->memory, b.n > 0 ? b.p : "", b.n);
		out->n = b.n;
		if (!out->p)
			rc = header_too_big(r);
	}
	bus_buf_release(&b);
	return rc;
}

/* Of a key that comes twice the last value counts, as in a map. */
static enum bus_err get_entry(struct schema_ocf_reader *r)
{
	struct schema_ocf_meta entry;
	enum bus_err rc = get_text(r, &entry.key);
	size_t i = 0;

	if (rc == BUS_OK)
		rc = get_text(r, &entry.value);
	if (rc != BUS_OK)
		return rc;
	while (i < r->n_meta && !bus_str_eq(r->meta[i].key, entry.key))
		i++;
	if (i == ENTRIES_MAX)
		return fail_at(r, place(r), BUS_ETOOBIG, "more metadata than we take");
	if (i == r->n_meta && (i & (i - 1)) == 0) /* room is a power of two */
		r->meta = bus_xrealloc(r->meta, (i > 0 ? 2 * i : 1) * sizeof(*r->meta));
	r->n_meta += i == r->n_meta;
	r->meta[i] = entry;
	return BUS_OK;
}

static enum bus_err get_metadata(struct schema_ocf_reader *r)
{
	int64_t count;
	int64_t size;
	enum bus_err rc;

	for (;;) {
		const uint64_t begin = place(r);

		rc = get_long(r, &count);
		if (rc != BUS_OK || count == 0)
			return rc;
		if (count < 0) {
			rc = get_long(r, &size); /* of the entries; for who wants to skip them */
			if (rc != BUS_OK)
				return rc;
			if (count == INT64_MIN || size < 0)
				return fail_at(r, begin, BUS_EDATA, "a size or count below zero");
			count = -count;
		}
		/* An entry has two bytes at least, so the header's bound ends this. */
		if ((uint64_t)count > r->limits.header / 2)
			return fail_at(r, begin, BUS_ETOOBIG, "more metadata than we take");
		for (; count > 0 && rc == BUS_OK; count--)
			rc = get_entry(r);
		if (rc != BUS_OK)
			return rc;
	}
}

static struct bus_str meta_value(const struct schema_ocf_reader *r, const char *key)
{
	for (size_t i = 0; i < r->n_meta; i++)
		if (bus_str_is(r->meta[i].key, key))
			return r->meta[i].value;
	return (struct bus_str){ NULL, 0 };
}

static enum bus_err get_header(struct schema_ocf_reader *r)
{
	struct bus_buf b = { 0 };
	struct bus_str codec;
	struct bus_str text;
	enum bus_err rc = get_bytes(r, 4, &b);

	if (rc == BUS_OK && memcmp(b.p, "Obj\x01", 4) != 0)
		rc = bus_fail(&r->failed, BUS_EDATA,
			      "no Avro container file: it does not begin with 'Obj' and 1");
	if (rc == BUS_OK)
		rc = get_metadata(r);
	bus_buf_reset(&b);
	if (rc == BUS_OK)
		rc = get_bytes(r, SCHEMA_SYNC_LEN, &b);
	if (rc == BUS_OK)
		memcpy(r->sync, b.p, SCHEMA_SYNC_LEN);
	bus_buf_release(&b);
	if (rc != BUS_OK)
		return rc;
	codec = meta_value(r, "avro.codec");
	text = meta_value(r, "avro.schema");
	if (codec.p && !schema_codec_parse(codec, &r->codec))
		return bus_fail(&r->failed, BUS_EINVAL, "container file: unknown codec '%.*s'",
				codec.n > 40 ? 40 : (int)codec.n, codec.p);
	if (!text.p)
		return bus_fail(&r->failed, BUS_EDATA, "container file without a schema");
	rc = schema_parse(text, SCHEMA_LENIENT, NULL, 0, &r->schema, &r->failed);
	return rc == BUS_OK ? rc : bus_fail_prefix(&r->failed, rc, "container file");
}

enum bus_err schema_ocf_open(schema_ocf_source_fn *source, void *ctx, const struct schema_ocf_limits *limits,
			     struct schema_ocf_reader **out, struct bus_error *err)
{
	struct schema_ocf_reader *r = bus_xcalloc(1, sizeof(*r));
	enum bus_err rc;

	*out = NULL;
	r->source = source;
	r->ctx = ctx;
	if (limits)
		r->limits = *limits;
	if (r->limits.header == 0)
		r->limits.header = HEADER_DEFAULT;
	if (r->limits.block == 0)
		r->limits.block = BLOCK_DEFAULT;
	r->memory = bus_arena_new(2 * r->limits.header + INPUT);
	rc = get_header(r);
	if (rc == BUS_OK) {
		r->machine = schema_reader_new(&r->limits.datum);
		schema_reader_allow_rest(r->machine);
		*out = r;
		return BUS_OK;
	}
	if (err)
		*err = r->failed;
	schema_ocf_close(&r);
	return rc;
}

void schema_ocf_close(struct schema_ocf_reader **r)
{
	struct schema_ocf_reader *old = *r;

	*r = NULL;
	if (!old)
		return;
	schema_unref(&old->schema);
	schema_reader_free(&old->machine);
	bus_arena_free(&old->memory);
	bus_buf_release(&old->packed);
	bus_buf_release(&old->plain);
	free(old->meta);
	free(old);
}

struct schema *schema_ocf_schema(const struct schema_ocf_reader *r)
{
	return r->schema;
}

enum schema_codec schema_ocf_codec(const struct schema_ocf_reader *r)
{
	return r->codec;
}

const struct schema_ocf_meta *schema_ocf_metadata(const struct schema_ocf_reader *r, size_t *n)
{
	*n = r->n_meta;
	return r->meta;
}

const uint8_t *schema_ocf_sync(const struct schema_ocf_reader *r)
{
	return r->sync;
}

struct bus_str schema_ocf_datum(const struct schema_ocf_reader *r)
{
	return r->datum;
}

uint64_t schema_ocf_blocks(const struct schema_ocf_reader *r)
{
	return r->blocks;
}

/* --- blocks --- */

static enum bus_err get_sync(struct schema_ocf_reader *r)
{
	const uint64_t begin = place(r);
	struct bus_buf b = { 0 };
	enum bus_err rc = get_bytes(r, SCHEMA_SYNC_LEN, &b);

	if (rc != BUS_OK)
		(void)bus_fail_prefix(&r->failed, rc, "the sync marker of the block at byte %llu is missing",
				      (unsigned long long)r->block_begins);
	else if (memcmp(b.p, r->sync, SCHEMA_SYNC_LEN) != 0)
		rc = fail_at(r, begin, BUS_EDATA, "another sync marker than the header's");
	bus_buf_release(&b);
	return rc;
}

static enum bus_err unpack(struct schema_ocf_reader *r)
{
	struct bus_str packed = bus_buf_str(&r->packed);
	enum bus_err rc = BUS_OK;

	if (r->codec == SCHEMA_CODEC_NULL) {
		r->rest = packed;
	} else {
		bus_buf_reset(&r->plain);
		rc = schema_codec_unpack(r->codec, packed, r->limits.block, &r->plain, &r->failed);
		r->rest = bus_buf_str(&r->plain);
	}
	if (rc != BUS_OK)
		return bus_fail_prefix(&r->failed, rc, "container file, byte %llu",
				       (unsigned long long)r->block_begins);
	/* Records that take no bytes: any number could be claimed. */
	if ((uint64_t)r->records > r->rest.n) {
		r->empty += r->records > EMPTY_MAX ? EMPTY_MAX + 1 : r->records;
		if (r->empty > EMPTY_MAX)
			return fail_at(r, r->block_begins, BUS_ETOOBIG,
				       "more records than the block has bytes for");
	}
	return BUS_OK;
}

/* *end: the file ends here, as it may. */
static enum bus_err get_block(struct schema_ocf_reader *r, bool *end)
{
	int64_t size = 0;
	enum bus_err rc = fill(r, end);

	if (rc != BUS_OK || *end)
		return rc;
	r->block_begins = place(r);
	rc = get_long(r, &r->records);
	if (rc == BUS_OK)
		rc = get_long(r, &size);
	if (rc != BUS_OK)
		return rc;
	if (r->records < 0 || size < 0)
		return fail_at(r, r->block_begins, BUS_EDATA, "a block of a count or size below zero");
	if ((uint64_t)size > r->limits.block)
		return bus_fail(&r->failed, BUS_ETOOBIG,
				"container file, byte %llu: a block of %lld bytes, more than %zu",
				(unsigned long long)r->block_begins, (long long)size, r->limits.block);
	bus_buf_reset(&r->packed);
	rc = get_bytes(r, (size_t)size, &r->packed);
	if (rc != BUS_OK)
		return bus_fail_prefix(&r->failed, rc, "the block at byte %llu is cut off",
				       (unsigned long long)r->block_begins);
	rc = get_sync(r);
	if (rc == BUS_OK)
		rc = unpack(r);
	r->left = r->records;
	r->blocks++;
	return rc;
}

static enum bus_err next(struct schema_ocf_reader *r, const struct schema_plan *plan,
			 const struct schema_sink *sink, bool *more)
{
	enum bus_err rc;
	bool end;

	while (r->left == 0) {
		if (r->rest.n > 0)
			return bus_fail(
			    &r->failed, BUS_EDATA,
			    "container file, block at byte %llu: %zu bytes after its %lld records",
			    (unsigned long long)r->block_begins, r->rest.n, (long long)r->records);
		rc = get_block(r, &end);
		if (rc != BUS_OK || end)
			return rc;
	}
	rc = schema_read(r->machine, plan, r->rest, sink, &r->failed);
	if (rc != BUS_OK)
		return bus_fail_prefix(&r->failed, rc,
				       "container file, block at byte %llu, record %lld of %lld",
				       (unsigned long long)r->block_begins,
				       (long long)(r->records - r->left + 1), (long long)r->records);
	r->datum = (struct bus_str){ r->rest.p, schema_reader_used(r->machine) };
	if (r->datum.n > 0) { /* a block of records without bytes has none */
		r->rest.p += r->datum.n;
		r->rest.n -= r->datum.n;
	}
	r->left--;
	*more = true;
	return BUS_OK;
}

enum bus_err schema_ocf_next(struct schema_ocf_reader *r, const struct schema_plan *plan,
			     const struct schema_sink *sink, bool *more, struct bus_error *err)
{
	enum bus_err rc = r->failed.code;

	*more = false;
	if (rc == BUS_OK)
		rc = next(r, plan, sink, more);
	r->failed.code = rc; /* bus_fail filled the text */
	if (rc != BUS_OK && err)
		*err = r->failed;
	return rc;
}
