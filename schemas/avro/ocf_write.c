/* Writing container files. */
#include <stdio.h>

#include "bus/crypto.h"
#include "schemas/avro/canon.h"
#include "schemas/avro/write.h"
#include "schemas/avro/ocf_codec.h"

#define BLOCK 64000 /* Avro Java's default */

struct schema_ocf_writer {
	schema_ocf_target_fn *target;
	void *ctx;
	enum schema_codec codec;
	uint8_t sync[SCHEMA_SYNC_LEN];
	struct bus_buf plain, packed;
	int64_t records; /* in plain */
	struct bus_error failed;
};

enum bus_err schema_ocf_to_file(void *ctx, const void *p, size_t n, struct bus_error *err)
{
	return fwrite(p, 1, n, ctx) == n ? BUS_OK : bus_fail(err, BUS_EIO, "cannot write the file: %m");
}

static enum bus_err check_metadata(const struct schema_ocf_meta *meta, size_t n, struct bus_error *err)
{
	static const char own[] = "avro.";

	for (size_t i = 0; i < n; i++)
		if (meta[i].key.n >= sizeof(own) - 1 && memcmp(meta[i].key.p, own, sizeof(own) - 1) == 0)
			return bus_fail(err, BUS_EINVAL, "metadata '%.*s': names with 'avro.' are Avro's own",
					meta[i].key.n > 100 ? 100 : (int)meta[i].key.n, meta[i].key.p);
	return BUS_OK;
}

static void put_header(const struct schema_ocf_writer *w, const struct schema *s,
		       const struct schema_ocf_meta *meta, size_t n, struct bus_buf *out)
{
	struct bus_buf text = { 0 };

	schema_to_string_whole(s, &text);
	bus_buf_put(out, "Obj\x01", 4);
	schema_put_long(out, (int64_t)n + 2);
	schema_put_text(out, BUS_STR("avro.schema"));
	schema_put_text(out, bus_buf_str(&text));
	schema_put_text(out, BUS_STR("avro.codec"));
	schema_put_text(out, bus_str(schema_codec_name(w->codec)));
	for (size_t i = 0; i < n; i++) {
		schema_put_text(out, meta[i].key);
		schema_put_text(out, meta[i].value);
	}
	schema_put_long(out, 0);
	bus_buf_put(out, w->sync, SCHEMA_SYNC_LEN);
	bus_buf_release(&text);
}

enum bus_err schema_ocf_create(const struct schema *s, enum schema_codec codec,
			       const struct schema_ocf_meta *meta, size_t n_meta, const uint8_t *sync,
			       schema_ocf_target_fn *target, void *ctx, struct schema_ocf_writer **out,
			       struct bus_error *err)
{
	struct schema_ocf_writer *w;
	enum bus_err rc = check_metadata(meta, n_meta, err);

	*out = NULL;
	if (rc != BUS_OK)
		return rc;
	w = bus_xcalloc(1, sizeof(*w));
	w->target = target;
	w->ctx = ctx;
	w->codec = codec;
	if (sync)
		memcpy(w->sync, sync, SCHEMA_SYNC_LEN);
	else
		bus_random(w->sync, SCHEMA_SYNC_LEN);
	put_header(w, s, meta, n_meta, &w->packed);
	rc = target(ctx, w->packed.p, w->packed.n, err);
	if (rc == BUS_OK) {
		*out = w;
		return BUS_OK;
	}
	bus_buf_release(&w->packed);
	free(w);
	return rc;
}

static enum bus_err write_block(struct schema_ocf_writer *w)
{
	struct bus_buf head = { 0 };
	enum bus_err rc;

	if (w->records == 0)
		return BUS_OK;
	bus_buf_reset(&w->packed);
	rc = schema_codec_pack(w->codec, bus_buf_str(&w->plain), &w->packed, &w->failed);
	schema_put_long(&head, w->records);
	schema_put_long(&head, (int64_t)w->packed.n);
	bus_buf_put(&w->packed, w->sync, SCHEMA_SYNC_LEN);
	if (rc == BUS_OK)
		rc = w->target(w->ctx, head.p, head.n, &w->failed);
	if (rc == BUS_OK)
		rc = w->target(w->ctx, w->packed.p, w->packed.n, &w->failed);
	bus_buf_release(&head);
	bus_buf_reset(&w->plain);
	w->records = 0;
	return rc;
}

static enum bus_err told(struct schema_ocf_writer *w, enum bus_err rc, struct bus_error *err)
{
	w->failed.code = rc;
	if (rc != BUS_OK && err)
		*err = w->failed;
	return rc;
}

enum bus_err schema_ocf_append(struct schema_ocf_writer *w, struct bus_str datum, struct bus_error *err)
{
	enum bus_err rc = w->failed.code;

	if (rc == BUS_OK) {
		bus_buf_put(&w->plain, datum.p, datum.n);
		w->records++;
		/* A datum without bytes fills no block, but a reader bounds how many it takes. */
		if (w->plain.n >= BLOCK || w->records >= BLOCK)
			rc = write_block(w);
	}
	return told(w, rc, err);
}

enum bus_err schema_ocf_finish(struct schema_ocf_writer **w, struct bus_error *err)
{
	struct schema_ocf_writer *old = *w;
	enum bus_err rc = old->failed.code;

	*w = NULL;
	if (rc == BUS_OK)
		rc = write_block(old);
	(void)told(old, rc, err);
	bus_buf_release(&old->plain);
	bus_buf_release(&old->packed);
	free(old);
	return rc;
}
