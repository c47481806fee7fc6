#include "adapters/spool/format.h"

#define VERSION 1
#define SIGNED 224 /* bytes of a head */
#define MARKED 32
#define POST_HEAD (8 + 4 + 8 + 1 + ADAPTER_POST_KEY + BUS_SHA256_LEN + ADAPTER_POST_RECEIPT)

static const char magic[] = "TITIANSP";

static uint8_t *put(uint8_t *p, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*p++ = (uint8_t)(v >> 8 * i);
	return p;
}

static uint64_t get(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	for (int i = bytes; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

static void key_of(const char *label, const uint8_t *key, const uint8_t *id, uint8_t out[BUS_KEY_LEN])
{
	uint8_t text[32 + ADAPTER_SEGMENT_ID];
	size_t n = strlen(label);

	memcpy(text, label, n);
	memcpy(text + n, id, ADAPTER_SEGMENT_ID);
	bus_hmac_sha256(key, text, n + ADAPTER_SEGMENT_ID, out);
}

void adapter_segment_key(const uint8_t *key, const uint8_t *id, uint8_t out[BUS_KEY_LEN])
{
	key_of("titian-spool", key, id, out);
}

void adapter_feed_print(const char *feed, uint8_t out[16])
{
	uint8_t full[BUS_SHA256_LEN];

	bus_sha256(feed, strlen(feed), full);
	memcpy(out, full, 16);
}

void adapter_segment_put_mark(const struct adapter_segment_mark *m, const uint8_t *id, const uint8_t *key,
			      uint8_t out[ADAPTER_MARK_LEN])
{
	uint8_t mac_key[BUS_KEY_LEN];

	memset(out, 0, MARKED);
	put(put(out, m->bytes, 8), m->frames, 8);
	key_of("titian-spool-mark", key, id, mac_key);
	bus_hmac_sha256(mac_key, out, MARKED, out + MARKED);
}

void adapter_segment_put_head(const struct adapter_segment_head *h, const struct adapter_segment_mark *m,
			      const uint8_t *key, uint8_t out[ADAPTER_SEGMENT_HEAD])
{
	uint8_t *p = out;

	memset(out, 0, ADAPTER_SEGMENT_HEAD);
	memcpy(p, magic, 8);
	p = put(put(p + 8, VERSION, 4), 0, 4);
	memcpy(p, h->key_id, sizeof(h->key_id));
	p += sizeof(h->key_id);
	memcpy(p, h->id, sizeof(h->id));
	p += sizeof(h->id);
	memcpy(p, h->feed, sizeof(h->feed));
	p += sizeof(h->feed);
	put(put(p, h->number, 8), (uint64_t)h->made_ms, 8);
	bus_hmac_sha256(key, out, SIGNED, out + SIGNED);
	adapter_segment_put_mark(m, h->id, key, out + ADAPTER_MARK_AT[0]);
	memcpy(out + 512, out, 512);
}

static const uint8_t *read_head(const uint8_t *p, const struct adapter_spool_keys *keys,
				struct adapter_segment_head *h)
{
	uint8_t mac[BUS_SHA256_LEN];
	const uint8_t *key;

	if (memcmp(p, magic, 8) != 0 || get(p + 8, 4) != VERSION)
		return NULL;
	key = adapter_spool_keys_find(keys, p + 16);
	if (!key)
		return NULL;
	bus_hmac_sha256(key, p, SIGNED, mac);
	if (!bus_equal_secret(mac, p + SIGNED, sizeof(mac)))
		return NULL;
	memcpy(h->key_id, p + 16, sizeof(h->key_id));
	memcpy(h->id, p + 24, sizeof(h->id));
	memcpy(h->feed, p + 40, sizeof(h->feed));
	h->number = get(p + 56, 8);
	h->made_ms = (int64_t)get(p + 64, 8);
	return key;
}

unsigned adapter_segment_get_head(const uint8_t *p, const struct adapter_spool_keys *keys,
				  struct adapter_segment_head *h, const uint8_t **key)
{
	const uint8_t *second = read_head(p + 512, keys, h), *first = read_head(p, keys, h);

	*key = first ? first : second;
	return (first ? 1u : 0u) | (second ? 2u : 0u);
}

static bool read_mark(const uint8_t *p, const uint8_t *mac_key, struct adapter_segment_mark *m)
{
	uint8_t mac[BUS_SHA256_LEN];

	bus_hmac_sha256(mac_key, p, MARKED, mac);
	if (!bus_equal_secret(mac, p + MARKED, sizeof(mac)))
		return false;
	*m = (struct adapter_segment_mark){ get(p, 8), get(p + 8, 8) };
	return true;
}

unsigned adapter_segment_get_mark(const uint8_t *p, const uint8_t *id, const uint8_t *key,
				  struct adapter_segment_mark *m)
{
	struct adapter_segment_mark each[2] = { { 0 } };
	uint8_t mac_key[BUS_KEY_LEN];
	unsigned whole = 0;

	key_of("titian-spool-mark", key, id, mac_key);
	for (unsigned i = 0; i < 2; i++)
		if (read_mark(p + ADAPTER_MARK_AT[i], mac_key, &each[i]))
			whole |= 1u << i;
	/* A crash between writing the one and the other leaves them different: the later one counts. */
	*m = each[0].bytes >= each[1].bytes ? each[0] : each[1];
	return whole;
}

static struct bus_str bound(const uint8_t *id, uint64_t number, uint8_t aad[ADAPTER_SEGMENT_ID + 8])
{
	memcpy(aad, id, ADAPTER_SEGMENT_ID);
	put(aad + ADAPTER_SEGMENT_ID, number, 8);
	return (struct bus_str){ (const char *)aad, ADAPTER_SEGMENT_ID + 8 };
}

enum bus_err adapter_frame_put(const struct adapter_post *post, uint64_t number, const uint8_t *seal,
			       const uint8_t *id, struct bus_buf *out, struct bus_error *err)
{
	uint8_t head[POST_HEAD], aad[ADAPTER_SEGMENT_ID + 8], *p = head;
	struct bus_buf plain = { 0 };
	size_t begin = out->n;
	enum bus_err rc;

	p = put(put(put(p, post->before, 8), post->n, 4), (uint64_t)post->time_ms, 8);
	*p++ = post->has_key;
	memcpy(p, post->key, sizeof(post->key));
	p += sizeof(post->key);
	memcpy(p, post->digest, sizeof(post->digest));
	p += sizeof(post->digest);
	memcpy(p, post->receipt, sizeof(post->receipt));
	bus_buf_put(&plain, head, sizeof(head));
	bus_buf_put(&plain, post->rows.p, post->rows.n);
	bus_buf_put(out, (uint8_t[ADAPTER_FRAME_HEAD]){ 0 }, ADAPTER_FRAME_HEAD);
	rc = bus_seal(seal, bound(id, number, aad), bus_buf_str(&plain), out, err);
	if (!rc && out->n - begin - ADAPTER_FRAME_HEAD > ADAPTER_FRAME_MAX)
		rc = bus_fail(err, BUS_ETOOBIG, "a post of over %zu bytes", ADAPTER_FRAME_MAX);
	if (rc) {
		out->n = begin;
	} else {
		p = (uint8_t *)out->p + begin;
		memcpy(p, ADAPTER_FRAME_MAGIC, 4);
		put(put(p + 4, out->n - begin - ADAPTER_FRAME_HEAD, 4), number, 8);
	}
	bus_buf_release(&plain);
	return rc;
}

bool adapter_frame_head(const uint8_t *p, size_t *n, uint64_t *number)
{
	if (memcmp(p, ADAPTER_FRAME_MAGIC, 4) != 0)
		return false;
	*n = get(p + 4, 4);
	*number = get(p + 8, 8);
	return *n > POST_HEAD && *n <= ADAPTER_FRAME_MAX;
}

bool adapter_frame_get(struct bus_str sealed, uint64_t number, const uint8_t *seal, const uint8_t *id,
		       struct bus_buf *plain, struct adapter_post *post)
{
	uint8_t aad[ADAPTER_SEGMENT_ID + 8];
	const uint8_t *p;

	bus_buf_reset(plain);
	if (bus_open(seal, bound(id, number, aad), sealed, plain, NULL) || plain->n < POST_HEAD)
		return false;
	p = (const uint8_t *)plain->p;
	post->before = get(p, 8);
	post->n = (uint32_t)get(p + 8, 4);
	post->time_ms = (int64_t)get(p + 12, 8);
	post->has_key = p[20] != 0;
	p += 21;
	memcpy(post->key, p, sizeof(post->key));
	p += sizeof(post->key);
	memcpy(post->digest, p, sizeof(post->digest));
	p += sizeof(post->digest);
	memcpy(post->receipt, p, sizeof(post->receipt));
	post->rows = (struct bus_str){ plain->p + POST_HEAD, plain->n - POST_HEAD };
	return true;
}
