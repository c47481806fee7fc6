#include "adapters/spool/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a segment; far more than one has. Bounds `seen`. */
#define FRAMES_MAX ((uint64_t)16 * 1024 * 1024)
#define NOWHERE UINT64_MAX

struct adapter_segment {
	int fd;
	char *path;
	struct adapter_segment_head head;
	struct adapter_segment_mark mark;
	bool marked; /* one of the marks is whole */
	uint8_t seal[BUS_KEY_LEN];
	uint64_t at;	/* next byte to look at */
	uint64_t bad;	/* where what is not whole begins; NOWHERE: nothing since the last frame */
	uint64_t next;	/* number of the frame that should be next */
	uint64_t count; /* frames read */
	uint64_t tried; /* bytes opened in vain */
	uint8_t *seen;	/* a bit for each number read */
	size_t seen_n;	/* bytes */
	struct bus_buf sealed, plain;
	struct adapter_damage damage;
	bool over;
};

static enum bus_err read_at(const struct adapter_segment *s, void *p, size_t n, uint64_t at, size_t *got,
			    struct bus_error *err)
{
	*got = 0;
	while (*got < n) {
		ssize_t r = pread(s->fd, (char *)p + *got, n - *got, (off_t)(at + *got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return bus_fail(err, BUS_EIO, "cannot read '%s': %m", s->path);
		if (r == 0)
			break;
		*got += (size_t)r;
	}
	return BUS_OK;
}

static void note(struct adapter_segment *s, uint64_t from, uint64_t to)
{
	struct adapter_damage *d = &s->damage;

	if (d->places < ADAPTER_DAMAGE_PLACES) {
		d->place[d->places].from = from;
		d->place[d->places].to = to;
	}
	d->places++;
}

static enum bus_err read_heads(struct adapter_segment *s, const char *feed,
			       const struct adapter_spool_keys *keys, struct bus_error *err)
{
	uint8_t head[ADAPTER_SEGMENT_HEAD] = { 0 }, print[16];
	const uint8_t *key;
	unsigned whole;
	size_t got;
	enum bus_err rc = read_at(s, head, sizeof(head), 0, &got, err);

	if (rc)
		return rc;
	whole = adapter_segment_get_head(head, keys, &s->head, &key);
	if (!whole && memcmp(head, "TITIANSP", 8) == 0 && memcmp(head, head + 512, 256) == 0)
		return bus_fail(
		    err, BUS_EDENIED,
		    "'%s' is sealed with a key that is not there (id %02x%02x%02x%02x): name its file under "
		    "`spool.old_keys`",
		    s->path, head[16], head[17], head[18], head[19]);
	if (!whole)
		return bus_fail(
		    err, BUS_EDATA,
		    "kepala segmen rusak / no segment of a spool, or its head is damaged: bytes 0-%d",
		    ADAPTER_SEGMENT_HEAD);
	adapter_feed_print(feed, print);
	if (memcmp(print, s->head.feed, sizeof(print)) != 0)
		return bus_fail(err, BUS_EDATA, "segmen umpan lain / a segment of another feed");
	adapter_segment_key(key, s->head.id, s->seal);
	if (!(whole & 1))
		note(s, 0, 256);
	if (!(whole & 2))
		note(s, 512, 768);
	whole = adapter_segment_get_mark(head, s->head.id, key, &s->mark);
	s->marked = whole != 0;
	for (unsigned i = 0; i < 2; i++)
		if (!(whole & 1u << i))
			note(s, (uint64_t)ADAPTER_MARK_AT[i],
			     (uint64_t)ADAPTER_MARK_AT[i] + ADAPTER_MARK_LEN);
	return BUS_OK;
}

enum bus_err adapter_segment_open(const char *path, const char *feed, const struct adapter_spool_keys *keys,
				  struct adapter_segment **out, struct bus_error *err)
{
	struct adapter_segment *s = bus_xcalloc(1, sizeof(*s));
	enum bus_err rc;

	*out = NULL;
	s->path = bus_xstrdup(path);
	s->at = ADAPTER_SEGMENT_HEAD;
	s->bad = NOWHERE;
	s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (s->fd < 0)
		rc = bus_fail(err,
			      errno == ENOENT			  ? BUS_ENOENT
			      : errno == EACCES || errno == EPERM ? BUS_EDENIED
								  : BUS_EIO,
			      "cannot open '%s': %m", path);
	else
		rc = read_heads(s, feed, keys, err);
	if (rc)
		adapter_segment_close(&s);
	*out = s;
	return rc;
}

void adapter_segment_close(struct adapter_segment **sp)
{
	struct adapter_segment *s = *sp;

	if (!s)
		return;
	if (s->fd >= 0)
		close(s->fd);
	explicit_bzero(s->seal, sizeof(s->seal));
	bus_buf_release(&s->sealed);
	bus_buf_release(&s->plain);
	free(s->seen);
	free(s->path);
	free(s);
	*sp = NULL;
}

const struct adapter_segment_head *adapter_segment_about(const struct adapter_segment *s)
{
	return &s->head;
}

const struct adapter_damage *adapter_segment_damage(const struct adapter_segment *s)
{
	return &s->damage;
}

static bool was_seen(const struct adapter_segment *s, uint64_t number)
{
	return number / 8 < s->seen_n && (s->seen[number / 8] & 1u << number % 8);
}

static void set_seen(struct adapter_segment *s, uint64_t number)
{
	if (number / 8 >= s->seen_n) {
		size_t n = s->seen_n ? s->seen_n : 64;

		while (number / 8 >= n)
			n *= 2;
		s->seen = bus_xrealloc(s->seen, n);
		memset(s->seen + s->seen_n, 0, n - s->seen_n);
		s->seen_n = n;
	}
	s->seen[number / 8] |= (uint8_t)(1u << number % 8);
}

/* The frame at s->at, if one lies there whole. *size: of all of it. */
static enum bus_err try_frame(struct adapter_segment *s, uint64_t end, struct adapter_post *post,
			      uint64_t *number, uint64_t *size, bool *whole, struct bus_error *err)
{
	uint8_t head[ADAPTER_FRAME_HEAD];
	size_t n, got;
	enum bus_err rc;

	*whole = false;
	if (end - s->at < sizeof(head))
		return BUS_OK;
	rc = read_at(s, head, sizeof(head), s->at, &got, err);
	if (rc || got < sizeof(head) || !adapter_frame_head(head, &n, number) || *number >= FRAMES_MAX ||
	    n > end - s->at - sizeof(head))
		return rc;
	bus_buf_reset(&s->sealed);
	bus_buf_reserve(&s->sealed, n);
	rc = read_at(s, s->sealed.p, n, s->at + sizeof(head), &got, err);
	if (rc || got < n)
		return rc;
	*size = sizeof(head) + n;
	*whole = adapter_frame_get((struct bus_str){ s->sealed.p, n }, *number, s->seal, s->head.id,
				   &s->plain, post);
	if (!*whole)
		s->tried += n;
	return BUS_OK;
}

/* To the next place where a frame may begin, or to end. */
static enum bus_err look_on(struct adapter_segment *s, uint64_t end, struct bus_error *err)
{
	char piece[4096];
	size_t step = sizeof(piece) - 3, got;

	s->at++;
	while (s->at < end) {
		size_t n = end - s->at < sizeof(piece) ? (size_t)(end - s->at) : sizeof(piece);
		enum bus_err rc = read_at(s, piece, n, s->at, &got, err);
		const char *found;

		if (rc)
			return rc;
		found = memmem(piece, got, ADAPTER_FRAME_MAGIC, 4);
		if (found) {
			s->at += (uint64_t)(found - piece);
			return BUS_OK;
		}
		if (got < n || n < sizeof(piece))
			break;
		s->at += step;
	}
	s->at = end;
	return BUS_OK;
}

/* No more of it comes: what is missing at its end. */
static enum bus_err finish(struct adapter_segment *s, uint64_t size)
{
	uint64_t frames = s->next;

	if (s->over)
		return BUS_ENOENT;
	s->over = true;
	if (s->bad != NOWHERE && (!s->marked || s->bad < s->mark.bytes))
		note(s, s->bad, size);
	if (s->marked && size < s->mark.bytes && (s->bad == NOWHERE || s->bad >= s->mark.bytes))
		note(s, size, s->mark.bytes);
	if (s->marked && s->mark.frames > frames)
		frames = s->mark.frames;
	s->damage.lost = frames - s->count;
	/* Frames that are missing between two that follow each other. */
	if (s->damage.lost > 0 && s->damage.places == 0)
		note(s, ADAPTER_SEGMENT_HEAD, size);
	return BUS_ENOENT;
}

/* A whole frame is at s->at. False: it has been read before. */
static bool take(struct adapter_segment *s, uint64_t number, uint64_t size)
{
	bool again = was_seen(s, number);

	if (s->bad != NOWHERE)
		note(s, s->bad, s->at);
	s->bad = NOWHERE;
	if (again || number < s->next)
		note(s, s->at, s->at + size); /* doubled, or not in its place */
	s->at += size;
	if (again)
		return false;
	set_seen(s, number);
	s->count++;
	if (number >= s->next)
		s->next = number + 1;
	return true;
}

enum bus_err adapter_segment_next(struct adapter_segment *s, int64_t limit, struct adapter_post *post,
				  struct bus_error *err)
{
	struct stat st;

	if (fstat(s->fd, &st))
		return bus_fail(err, BUS_EIO, "cannot look at '%s': %m", s->path);
	for (;;) {
		uint64_t end = limit >= 0 ? (uint64_t)limit : (uint64_t)st.st_size, number, size;
		bool whole;
		enum bus_err rc;

		if (s->at >= end)
			return limit >= 0 ? bus_fail(err, BUS_ETIMEOUT, "nothing more for now")
					  : finish(s, (uint64_t)st.st_size);
		/* Who could write here could make each byte look like a frame: what is opened in vain is bounded. */
		if (s->tried > 8 * (uint64_t)st.st_size + ADAPTER_FRAME_MAX) {
			s->at = end;
			continue;
		}
		rc = try_frame(s, end, post, &number, &size, &whole, err);
		if (rc)
			return rc;
		if (whole && take(s, number, size))
			return BUS_OK;
		if (whole)
			continue;
		if (s->bad == NOWHERE)
			s->bad = s->at;
		rc = look_on(s, end, err);
		if (rc)
			return rc;
	}
}

void adapter_damage_text(const struct adapter_damage *d, char *out, size_t n)
{
	size_t at = (size_t)snprintf(out, n, "segmen rusak / damaged: %llu kiriman hilang / posts lost; byte",
				     (unsigned long long)d->lost);

	for (size_t i = 0; i < d->places && i < ADAPTER_DAMAGE_PLACES && at < n; i++)
		at += (size_t)snprintf(out + at, n - at, "%s %llu-%llu", i ? "," : "",
				       (unsigned long long)d->place[i].from,
				       (unsigned long long)d->place[i].to);
	if (d->places > ADAPTER_DAMAGE_PLACES && at < n)
		snprintf(out + at, n - at, " ...");
}
