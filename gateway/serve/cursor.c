#include "gateway/serve/cursor.h"

#include <assert.h>

#include "bus/base64url.h"

#define MAC_LEN 16
#define VIEW_LEN 8
#define HEAD_LEN (1 + VIEW_LEN + 8)
#define TEXT_MAX 4096

enum kind { PAGE = 'q', FEED = 'f', RECORDS = 'r' };

static void put_u64(char *p, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		p[i] = (char)(v >> (56 - 8 * i));
}

static uint64_t get_u64(const char *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | (uint8_t)p[i];
	return v;
}

void gw_cursors_derive(struct gw_cursors *c)
{
	uint8_t digest[BUS_SHA256_LEN];

	bus_hmac_sha256(c->key, "page", 4, c->page_key);
	bus_hmac_sha256(c->key, "etag", 4, digest);
	memcpy(&c->tag_key, digest, sizeof(c->tag_key));
}

/* Kind, view and store of a cursor. The view is named by a digest: names may be long. */
static void head(char out[HEAD_LEN], enum kind kind, const char *name, uint64_t store)
{
	uint8_t digest[BUS_SHA256_LEN];

	bus_sha256(name, strlen(name), digest);
	out[0] = (char)kind;
	memcpy(out + 1, digest, VIEW_LEN);
	put_u64(out + 1 + VIEW_LEN, store);
}

static void put(const struct gw_cursors *c, enum kind kind, const char *name, struct bus_str place,
		struct bus_buf *out)
{
	struct bus_buf bytes = { 0 };
	uint8_t mac[BUS_SHA256_LEN];
	char start[HEAD_LEN];

	head(start, kind, name, c->store);
	bus_buf_put(&bytes, start, sizeof(start));
	bus_buf_put(&bytes, place.p, place.n);
	bus_hmac_sha256(c->key, bytes.p, bytes.n, mac);
	bus_buf_put(&bytes, mac, MAC_LEN);
	bus_base64url_put(out, bytes.p, bytes.n);
	bus_buf_release(&bytes);
}

static enum bus_err take(const struct gw_cursors *c, enum kind kind, const char *name, const char *text,
			 struct bus_buf *place)
{
	struct bus_str t = bus_str(text);
	struct bus_buf bytes = { 0 };
	uint8_t mac[BUS_SHA256_LEN];
	enum bus_err rc = BUS_EINVAL;
	char start[HEAD_LEN];

	if (t.n > TEXT_MAX || !bus_base64url_read(t, &bytes) || bytes.n < HEAD_LEN + MAC_LEN)
		goto out;
	bus_hmac_sha256(c->key, bytes.p, bytes.n - MAC_LEN, mac);
	if (!bus_equal_secret(mac, bytes.p + bytes.n - MAC_LEN, MAC_LEN))
		goto out;
	head(start, kind, name, c->store);
	if (memcmp(start, bytes.p, 1 + VIEW_LEN) != 0)
		goto out;
	if (memcmp(start, bytes.p, HEAD_LEN) != 0) {
		rc = BUS_ENOENT;
		goto out;
	}
	bus_buf_put(place, bytes.p + HEAD_LEN, bytes.n - HEAD_LEN - MAC_LEN);
	rc = BUS_OK;
out:
	bus_buf_release(&bytes);
	return rc;
}

/* A page's place holds values of a row, no number of a store's: sealed, not only signed, and good in any store. */
void gw_cursor_put_page(const struct gw_cursors *c, const struct gw_view *v, struct bus_str place,
			struct bus_buf *out)
{
	struct bus_buf bytes = { 0 };
	struct bus_error err;
	char start[HEAD_LEN];
	enum bus_err rc;

	head(start, PAGE, v->name, 0);
	rc = bus_seal(c->page_key, (struct bus_str){ start, sizeof(start) }, place, &bytes, &err);
	assert(rc == BUS_OK); /* it fails for want of memory only */
	bus_base64url_put(out, bytes.p, bytes.n);
	bus_buf_release(&bytes);
}

enum bus_err gw_cursor_read_page(const struct gw_cursors *c, const struct gw_view *v, const char *text,
				 struct bus_buf *place)
{
	struct bus_str t = bus_str(text);
	struct bus_buf bytes = { 0 }, plain = { 0 };
	enum bus_err rc = BUS_EINVAL;
	struct bus_error err;
	char start[HEAD_LEN];

	head(start, PAGE, v->name, 0);
	if (t.n <= TEXT_MAX && bus_base64url_read(t, &bytes) &&
	    bus_open(c->page_key, (struct bus_str){ start, sizeof(start) }, bus_buf_str(&bytes), &plain, &err) ==
		BUS_OK) {
		bus_buf_put(place, plain.p, plain.n);
		rc = BUS_OK;
	}
	bus_buf_release(&bytes);
	bus_buf_release(&plain);
	return rc;
}

void gw_cursor_put_place(const struct gw_cursors *c, const char *name, struct gw_place place,
			 struct bus_buf *out)
{
	char bytes[16];

	put_u64(bytes, (uint64_t)place.seq);
	put_u64(bytes + 8, (uint64_t)place.fresh);
	put(c, FEED, name, (struct bus_str){ bytes, place.fresh > place.seq ? 16 : 8 }, out);
}

enum bus_err gw_cursor_read_place(const struct gw_cursors *c, const char *name, const char *text,
				  struct gw_place *place)
{
	struct bus_buf bytes = { 0 };
	enum bus_err rc = take(c, FEED, name, text, &bytes);

	if (rc == BUS_OK && bytes.n != 8 && bytes.n != 16)
		rc = BUS_EINVAL;
	if (rc == BUS_OK) {
		place->seq = (int64_t)get_u64(bytes.p);
		place->fresh = bytes.n == 16 ? (int64_t)get_u64(bytes.p + 8) : 0;
	}
	bus_buf_release(&bytes);
	return rc;
}

void gw_cursor_put_records(const struct gw_cursors *c, const char *name, struct bus_str place,
			   struct bus_buf *out)
{
	struct gw_cursors any = *c;

	any.store = 0;
	put(&any, RECORDS, name, place, out);
}

enum bus_err gw_cursor_read_records(const struct gw_cursors *c, const char *name, const char *text,
				    struct bus_buf *place)
{
	struct gw_cursors any = *c;

	any.store = 0;
	return take(&any, RECORDS, name, text, place);
}

void gw_cursor_put_feed(const struct gw_cursors *c, const struct gw_view *v, int64_t seq, struct bus_buf *out)
{
	gw_cursor_put_place(c, v->name, (struct gw_place){ .seq = seq }, out);
}

enum bus_err gw_cursor_read_feed(const struct gw_cursors *c, const struct gw_view *v, const char *text,
				 int64_t *seq)
{
	struct gw_place place = { 0 };
	enum bus_err rc = gw_cursor_read_place(c, v->name, text, &place);

	if (rc == BUS_OK)
		*seq = place.seq;
	return rc;
}
