/* A segment whose frames are cut out, doubled, swapped and changed as the input says: what is read is always of what was
 * put, each post once, and bytes that were changed are told of. */
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "adapters/spool/segment.h"

#define POSTS 6

static struct adapter_spool_keys keys;
static struct bus_buf whole;

static void make(void)
{
	static const uint8_t key[BUS_KEY_LEN] = "a key for what is made by chance";
	struct adapter_segment_head head = { .number = 1, .made_ms = 1 };
	struct adapter_segment_mark mark = { 0 };
	uint8_t seal[BUS_KEY_LEN], first[ADAPTER_SEGMENT_HEAD];

	adapter_spool_keys_put(&keys, key);
	memcpy(head.key_id, keys.id[0], sizeof(head.key_id));
	adapter_feed_print("uji", head.feed);
	adapter_segment_key(key, head.id, seal);
	bus_buf_put(&whole, first, 0);
	bus_buf_reserve(&whole, sizeof(first));
	whole.n = sizeof(first);
	for (uint64_t i = 0; i < POSTS; i++) {
		struct adapter_post post = {
			.before = i, .n = 1, .time_ms = (int64_t)i, .rows = BUS_STR("{}\n")
		};

		assert(adapter_frame_put(&post, i, seal, head.id, &whole, NULL) == BUS_OK);
	}
	mark = (struct adapter_segment_mark){ whole.n, POSTS };
	adapter_segment_put_head(&head, &mark, key, first);
	memcpy(whole.p, first, sizeof(first));
}

/* Four bytes of the input are an order: what, where (of 64 KiB), how much. */
static void spoil(struct bus_buf *b, const uint8_t *data, size_t size)
{
	for (; size >= 4 && b->n > 0 && b->n < (size_t)1 << 20; data += 4, size -= 4) {
		size_t at = ((size_t)data[1] << 8 | data[2]) % b->n, n = data[3] + (size_t)1;

		if (n > b->n - at)
			n = b->n - at;
		switch (data[0] % 5) {
		case 0: /* changed */
			b->p[at] = (char)(b->p[at] ^ (data[3] | 1));
			break;
		case 1: /* cut out */
			memmove(b->p + at, b->p + at + n, b->n - at - n);
			b->n -= n;
			break;
		case 2: /* cut off */
			b->n = at;
			break;
		case 3: /* doubled */
			bus_buf_reserve(b, n);
			memmove(b->p + at + n, b->p + at, b->n - at);
			b->n += n;
			break;
		case 4: /* what looks like a frame */
			if (n >= 4)
				memcpy(b->p + at, ADAPTER_FRAME_MAGIC, 4);
			break;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct adapter_segment *s;
	struct adapter_post post;
	struct bus_buf b = { 0 };
	char path[64];
	bool seen[POSTS] = { false };
	uint64_t read = 0;
	int fd;

	if (whole.n == 0)
		make();
	bus_buf_put(&b, whole.p, whole.n);
	if (size > 0 && data[0] == 0xff) { /* bytes as they are */
		bus_buf_reset(&b);
		bus_buf_put(&b, data + 1, size - 1);
	} else {
		spoil(&b, data, size);
	}
	fd = memfd_create("segment", MFD_CLOEXEC);
	assert(fd >= 0 && write(fd, b.p, b.n) == (ssize_t)b.n);
	snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	if (adapter_segment_open(path, "uji", &keys, &s, NULL) == BUS_OK) {
		enum bus_err rc;

		while (!(rc = adapter_segment_next(s, -1, &post, NULL))) {
			assert(post.before < POSTS && !seen[post.before] && bus_str_is(post.rows, "{}\n"));
			seen[post.before] = true;
			read++;
		}
		assert(rc == BUS_ENOENT);
		if (b.n != whole.n || memcmp(b.p + ADAPTER_SEGMENT_HEAD, whole.p + ADAPTER_SEGMENT_HEAD,
					     b.n - ADAPTER_SEGMENT_HEAD) != 0)
			assert(adapter_segment_damage(s)->places > 0 || b.n > whole.n);
		assert(read == POSTS || adapter_segment_damage(s)->places > 0);
		adapter_segment_close(&s);
	}
	close(fd);
	bus_buf_release(&b);
	return 0;
}
