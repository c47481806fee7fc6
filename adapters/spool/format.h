/* adapters/spool/format.h - the bytes of a segment. All numbers are little-endian.
 *
 *   0     head   256  "TITIANSP", u32 version 1, u32 0, key id 8, segment id 16, feed 16, u64 number, i64 made (ms),
 *                     zeros, HMAC-SHA-256 of the 224 bytes before it
 *   256   mark    64  u64 bytes, u64 frames, 16 zeros, HMAC-SHA-256 of segment id and those 32 bytes
 *   512   head, once more; 768: mark, once more
 *   1024  frames      "TiF1", u32 n, u64 number from 0, n bytes: bus_seal() of a post; bound to segment id and number
 *
 * Head and mark are there twice, so that one damaged byte loses nothing. A frame's seal is bound to its segment and its
 * number: one that was changed, doubled, or brought from elsewhere is seen. Frames begin with four known bytes, so that
 * those behind a damaged one are found.
 *
 * The mark says how much of the segment had been written when its bytes were brought to disk; it goes to disk by the
 * same fsync as the frames it counts, and only then anybody is told that they are there. So when a segment ends in a
 * frame that is not whole, and both halves of that frame lie beyond the mark, that fsync had not ended, and nobody was told:
 * it is cut off without a word. Everything else that is not whole is damage, and said so. (A power cut may have brought the
 * mark to disk and not the frame: then a loss is reported that was none. The other way round cannot be.)
 *
 * In a seal: u64 rows before it in the segment, u32 rows, i64 ms, u8 has a key, key 16, digest 32, receipt 16, the rows, one a line.
 * Thread: any.
 */
#ifndef ADAPTERS_SPOOL_FORMAT_H
#define ADAPTERS_SPOOL_FORMAT_H

#include "adapters/spool/keys.h"

#define ADAPTER_SEGMENT_HEAD 1024 /* where the frames begin */
#define ADAPTER_SEGMENT_ID 16
#define ADAPTER_FRAME_HEAD 16
#define ADAPTER_FRAME_MAX ((size_t)32 * 1024 * 1024) /* bytes of a sealed post */
#define ADAPTER_POST_KEY 16
#define ADAPTER_POST_RECEIPT 16
#define ADAPTER_FRAME_MAGIC "TiF1"

struct adapter_segment_head {
	uint8_t key_id[ADAPTER_SPOOL_KEY_ID], id[ADAPTER_SEGMENT_ID], feed[16];
	uint64_t number;
	int64_t made_ms;
};

struct adapter_segment_mark {
	uint64_t bytes, frames;
};

struct adapter_post {
	uint64_t before; /* rows of the segment before its own */
	uint32_t n;	 /* rows */
	int64_t time_ms;
	bool has_key;
	uint8_t key[ADAPTER_POST_KEY];	/* of Idempotency-Key and feed */
	uint8_t digest[BUS_SHA256_LEN]; /* of the body as sent */
	uint8_t receipt[ADAPTER_POST_RECEIPT];
	struct bus_str rows; /* each ends in LF, and holds no other */
};

void adapter_feed_print(const char *feed, uint8_t out[16]);
/* What seals the segment: `out` from the spool's key. */
void adapter_segment_key(const uint8_t *key, const uint8_t *id, uint8_t out[BUS_KEY_LEN]);
/* The first 1,024 bytes. */
void adapter_segment_put_head(const struct adapter_segment_head *h, const struct adapter_segment_mark *m,
			      const uint8_t *key, uint8_t out[ADAPTER_SEGMENT_HEAD]);
/* The 64 bytes of a mark, to be written at each of ADAPTER_MARK_AT. */
#define ADAPTER_MARK_LEN 64
static const int ADAPTER_MARK_AT[2] = { 256, 768 };
void adapter_segment_put_mark(const struct adapter_segment_mark *m, const uint8_t *id, const uint8_t *key,
			      uint8_t out[ADAPTER_MARK_LEN]);
/* Which of the two copies are whole, as bits; the head needs the keys, the mark the head's key and id. */
unsigned adapter_segment_get_head(const uint8_t *p, const struct adapter_spool_keys *keys,
				  struct adapter_segment_head *h, const uint8_t **key);
unsigned adapter_segment_get_mark(const uint8_t *p, const uint8_t *id, const uint8_t *key,
				  struct adapter_segment_mark *m);

/* Appends a frame. seal: adapter_segment_key(). */
enum bus_err adapter_frame_put(const struct adapter_post *post, uint64_t number, const uint8_t *seal,
			       const uint8_t *id, struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;
/* False: these bytes begin no frame. n: of the sealed bytes behind the head. */
bool adapter_frame_head(const uint8_t *p, size_t *n, uint64_t *number);
/* Opens it; post->rows lies in plain, which is emptied first. False: it is not whole, or not from here. */
bool adapter_frame_get(struct bus_str sealed, uint64_t number, const uint8_t *seal, const uint8_t *id,
		       struct bus_buf *plain, struct adapter_post *post);

#endif
