/* The codecs of container files. What follows the end of a stream in its block is ignored for deflate, bzip2
 * and xz, as Avro Java does: some writers leave part of zlib's checksum there. */
#include "schemas/avro/ocf_codec.h"

#define ZLIB_CONST /* its input is const then */

#include <bzlib.h>
#include <lzma.h>
#include <snappy-c.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK ((size_t)64 * 1024)
#define SNAPPY_CRC 4
/* Snappy says its size first; no element of it gives more than 64 bytes for two. */
#define SNAPPY_RATIO 64
#define XZ_MEMORY (UINT64_C(80) * 1024 * 1024) /* its strongest preset needs 65 MiB to unpack */
#define ZSTD_WINDOW_LOG 26

static const char *const name_of[SCHEMA_CODECS] = {
	[SCHEMA_CODEC_NULL] = "null",	  [SCHEMA_CODEC_DEFLATE] = "deflate",
	[SCHEMA_CODEC_SNAPPY] = "snappy", [SCHEMA_CODEC_ZSTANDARD] = "zstandard",
	[SCHEMA_CODEC_BZIP2] = "bzip2",	  [SCHEMA_CODEC_XZ] = "xz",
};

const char *schema_codec_name(enum schema_codec codec)
{
	return name_of[codec];
}

bool schema_codec_parse(struct bus_str name, enum schema_codec *out)
{
	for (size_t i = 0; i < SCHEMA_CODECS; i++)
		if (bus_str_is(name, name_of[i])) {
			*out = (enum schema_codec)i;
			return true;
		}
	return false;
}

static enum bus_err broken(struct bus_error *err, enum schema_codec codec)
{
	return bus_fail(err, BUS_EDATA, "the block is not of codec %s, or cut off", name_of[codec]);
}

static enum bus_err failed(struct bus_error *err, enum schema_codec codec)
{
	return bus_fail(err, BUS_EIO, "codec %s does not pack the block", name_of[codec]);
}

/* Room for a chunk more; one byte over the bound is how the bound is seen. */
static enum bus_err room(struct bus_buf *out, size_t begun, size_t most, size_t *n, struct bus_error *err)
{
	size_t done = out->n - begun;

	*n = 0;
	if (done > most)
		return bus_fail(err, BUS_ETOOBIG, "the block unpacks to more than %zu bytes", most);
	*n = most - done + 1 < CHUNK ? most - done + 1 : CHUNK;
	bus_buf_reserve(out, *n);
	return BUS_OK;
}

/* --- deflate --- */

static enum bus_err pack_deflate(struct bus_str plain, struct bus_buf *out, struct bus_error *err)
{
	z_stream z = { 0 };
	uLong bound;
	int rc;

	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return failed(err, SCHEMA_CODEC_DEFLATE);
	bound = deflateBound(&z, (uLong)plain.n);
	bus_buf_reserve(out, bound);
	z.next_in = (const Bytef *)plain.p;
	z.avail_in = (uInt)plain.n;
	z.next_out = (Bytef *)out->p + out->n;
	z.avail_out = (uInt)bound;
	rc = deflate(&z, Z_FINISH);
	out->n += z.total_out;
	deflateEnd(&z);
	return rc == Z_STREAM_END ? BUS_OK : failed(err, SCHEMA_CODEC_DEFLATE);
}

static enum bus_err unpack_deflate(struct bus_str packed, size_t most, struct bus_buf *out,
				   struct bus_error *err)
{
	const size_t begun = out->n;
	z_stream z = { .next_in = (const Bytef *)packed.p, .avail_in = (uInt)packed.n };
	enum bus_err code;
	size_t n;
	int rc = Z_OK;

	if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
		return broken(err, SCHEMA_CODEC_DEFLATE);
	while ((code = room(out, begun, most, &n, err)) == BUS_OK && rc == Z_OK) {
		z.next_out = (Bytef *)out->p + out->n;
		z.avail_out = (uInt)n;
		rc = inflate(&z, Z_NO_FLUSH);
		out->n += n - z.avail_out;
	}
	inflateEnd(&z);
	return code == BUS_OK && rc != Z_STREAM_END ? broken(err, SCHEMA_CODEC_DEFLATE) : code;
}

/* --- snappy --- */

static uint32_t crc_of(const char *p, size_t n)
{
	return (uint32_t)crc32_z(0, (const Bytef *)p, n);
}

static enum bus_err pack_snappy(struct bus_str plain, struct bus_buf *out, struct bus_error *err)
{
	size_t n = snappy_max_compressed_length(plain.n);
	uint32_t crc = crc_of(plain.p, plain.n);

	bus_buf_reserve(out, n);
	if (snappy_compress(plain.p, plain.n, out->p + out->n, &n) != SNAPPY_OK)
		return failed(err, SCHEMA_CODEC_SNAPPY);
	out->n += n;
	for (int shift = 24; shift >= 0; shift -= 8)
		bus_buf_putc(out, (char)(crc >> shift));
	return BUS_OK;
}

static enum bus_err unpack_snappy(struct bus_str packed, size_t most, struct bus_buf *out,
				  struct bus_error *err)
{
	uint32_t want = 0;
	size_t n;

	if (packed.n < SNAPPY_CRC)
		return broken(err, SCHEMA_CODEC_SNAPPY);
	packed.n -= SNAPPY_CRC;
	for (int i = 0; i < SNAPPY_CRC; i++)
		want = want << 8 | (unsigned char)packed.p[packed.n + (size_t)i];
	if (snappy_uncompressed_length(packed.p, packed.n, &n) != SNAPPY_OK || n / SNAPPY_RATIO > packed.n)
		return broken(err, SCHEMA_CODEC_SNAPPY);
	if (n > most)
		return bus_fail(err, BUS_ETOOBIG, "the block unpacks to more than %zu bytes", most);
	bus_buf_reserve(out, n + 1);
	if (snappy_uncompress(packed.p, packed.n, out->p + out->n, &n) != SNAPPY_OK)
		return broken(err, SCHEMA_CODEC_SNAPPY);
	if (crc_of(out->p + out->n, n) != want)
		return bus_fail(err, BUS_EDATA, "the block's checksum is not that of its data");
	out->n += n;
	return BUS_OK;
}

/* --- zstandard --- */

static enum bus_err pack_zstandard(struct bus_str plain, struct bus_buf *out, struct bus_error *err)
{
	size_t bound = ZSTD_compressBound(plain.n);
	size_t n;

	bus_buf_reserve(out, bound);
	n = ZSTD_compress(out->p + out->n, bound, plain.p, plain.n, ZSTD_CLEVEL_DEFAULT);
	if (ZSTD_isError(n))
		return failed(err, SCHEMA_CODEC_ZSTANDARD);
	out->n += n;
	return BUS_OK;
}

static enum bus_err unpack_zstandard(struct bus_str packed, size_t most, struct bus_buf *out,
				     struct bus_error *err)
{
	const size_t begun = out->n;
	ZSTD_DStream *z = ZSTD_createDStream();
	ZSTD_inBuffer in = { packed.p, packed.n, 0 };
	enum bus_err rc = BUS_OK;
	size_t left = 1; /* 0: a frame is complete; another may follow */
	size_t n;

	if (!z || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG)))
		rc = broken(err, SCHEMA_CODEC_ZSTANDARD);
	while (rc == BUS_OK && (left != 0 || in.pos < in.size)) {
		size_t before = in.pos;
		ZSTD_outBuffer to = { 0 };

		rc = room(out, begun, most, &n, err);
		if (rc != BUS_OK)
			break;
		to.dst = out->p + out->n;
		to.size = n;
		left = ZSTD_decompressStream(z, &to, &in);
		out->n += to.pos;
		/* No progress: the input ends in a frame. */
		if (ZSTD_isError(left) || (left != 0 && to.pos == 0 && in.pos == before))
			rc = broken(err, SCHEMA_CODEC_ZSTANDARD);
	}
	ZSTD_freeDStream(z);
	return rc;
}

/* --- bzip2 --- */

static enum bus_err pack_bzip2(struct bus_str plain, struct bus_buf *out, struct bus_error *err)
{
	unsigned n = (unsigned)(plain.n + plain.n / 100 + 600); /* its documented bound */
	char *source = bus_xmalloc(plain.n + 1);		/* its interface does not say const */
	int rc;

	if (plain.n > 0)
		memcpy(source, plain.p, plain.n);
	bus_buf_reserve(out, n);
	rc = BZ2_bzBuffToBuffCompress(out->p + out->n, &n, source, (unsigned)plain.n, 9, 0, 0);
	free(source);
	if (rc != BZ_OK)
		return failed(err, SCHEMA_CODEC_BZIP2);
	out->n += n;
	return BUS_OK;
}

static enum bus_err unpack_bzip2(struct bus_str packed, size_t most, struct bus_buf *out,
				 struct bus_error *err)
{
	const size_t begun = out->n;
	char *source = bus_xmalloc(packed.n + 1);
	bz_stream z = { .next_in = source, .avail_in = (unsigned)packed.n };
	enum bus_err code = BUS_OK;
	int rc = BZ2_bzDecompressInit(&z, 0, 0);
	size_t n;

	if (packed.n > 0)
		memcpy(source, packed.p, packed.n);
	while (rc == BZ_OK && (code = room(out, begun, most, &n, err)) == BUS_OK) {
		unsigned left = z.avail_in;

		z.next_out = out->p + out->n;
		z.avail_out = (unsigned)n;
		rc = BZ2_bzDecompress(&z);
		out->n += n - z.avail_out;
		if (rc == BZ_OK && z.avail_out == n && z.avail_in == left)
			break; /* the input ends in the stream */
	}
	BZ2_bzDecompressEnd(&z);
	free(source);
	return code == BUS_OK && rc != BZ_STREAM_END ? broken(err, SCHEMA_CODEC_BZIP2) : code;
}

/* --- xz --- */

static enum bus_err pack_xz(struct bus_str plain, struct bus_buf *out, struct bus_error *err)
{
	size_t bound = lzma_stream_buffer_bound(plain.n);
	size_t n = 0;

	bus_buf_reserve(out, bound);
	if (lzma_easy_buffer_encode(LZMA_PRESET_DEFAULT, LZMA_CHECK_CRC64, NULL, (const uint8_t *)plain.p,
				    plain.n, (uint8_t *)out->p + out->n, &n, bound) != LZMA_OK)
		return failed(err, SCHEMA_CODEC_XZ);
	out->n += n;
	return BUS_OK;
}

static enum bus_err unpack_xz(struct bus_str packed, size_t most, struct bus_buf *out, struct bus_error *err)
{
	const size_t begun = out->n;
	lzma_stream z = LZMA_STREAM_INIT;
	enum bus_err code = BUS_OK;
	lzma_ret rc = lzma_stream_decoder(&z, XZ_MEMORY, 0);
	size_t n;

	z.next_in = (const uint8_t *)packed.p;
	z.avail_in = packed.n;
	while (rc == LZMA_OK && (code = room(out, begun, most, &n, err)) == BUS_OK) {
		z.next_out = (uint8_t *)out->p + out->n;
		z.avail_out = n;
		rc = lzma_code(&z, LZMA_FINISH);
		out->n += n - z.avail_out;
	}
	lzma_end(&z);
	return code == BUS_OK && rc != LZMA_STREAM_END ? broken(err, SCHEMA_CODEC_XZ) : code;
}

enum bus_err schema_codec_pack(enum schema_codec codec, struct bus_str plain, struct bus_buf *out,
			       struct bus_error *err)
{
	if (plain.n == 0)
		plain.p = "";
	switch (codec) {
	case SCHEMA_CODEC_DEFLATE:
		return pack_deflate(plain, out, err);
	case SCHEMA_CODEC_SNAPPY:
		return pack_snappy(plain, out, err);
	case SCHEMA_CODEC_ZSTANDARD:
		return pack_zstandard(plain, out, err);
	case SCHEMA_CODEC_BZIP2:
		return pack_bzip2(plain, out, err);
	case SCHEMA_CODEC_XZ:
		return pack_xz(plain, out, err);
	case SCHEMA_CODEC_NULL:
	default:
		bus_buf_put(out, plain.p, plain.n);
		return BUS_OK;
	}
}

enum bus_err schema_codec_unpack(enum schema_codec codec, struct bus_str packed, size_t most,
				 struct bus_buf *out, struct bus_error *err)
{
	if (packed.n == 0)
		packed.p = "";
	switch (codec) {
	case SCHEMA_CODEC_DEFLATE:
		return unpack_deflate(packed, most, out, err);
	case SCHEMA_CODEC_SNAPPY:
		return unpack_snappy(packed, most, out, err);
	case SCHEMA_CODEC_ZSTANDARD:
		return unpack_zstandard(packed, most, out, err);
	case SCHEMA_CODEC_BZIP2:
		return unpack_bzip2(packed, most, out, err);
	case SCHEMA_CODEC_XZ:
		return unpack_xz(packed, most, out, err);
	case SCHEMA_CODEC_NULL:
	default:
		if (packed.n > most)
			return bus_fail(err, BUS_ETOOBIG, "the block is of more than %zu bytes", most);
		bus_buf_put(out, packed.p, packed.n);
		return BUS_OK;
	}
}
