#include "adapters/input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/adapter.h"
#include "bus/crypto.h"
#include "bus/utf8.h"

#define BLOCK ((size_t)256 * 1024)
#define LONG_LINE_HEAD ((size_t)4096)

/* The buffer holds bytes [0, n), of which [0, at) have been given out. While a line is being put together,
 * or may still be extended, what lies from line_at on is kept. */
struct adapter_input {
	int fd;		 /* -1: from memory */
	const char *all; /* from memory: all of it */
	const char *mem; /* what is left of it */
	size_t mem_left;
	adapter_input_fn pull; /* NULL: from a file or memory */
	void *pull_ctx;
	char *name;
	const char *tmp;
	int64_t size;

	char *buf;
	size_t cap;
	size_t at;
	size_t n;
	bool eof;
	uint64_t filled; /* bytes that have come into the buffer */
	bool utf16, big_endian;
	uint8_t torn[4]; /* UTF-16: the beginning of a character whose rest has not been read */
	size_t n_torn;
	int64_t grown; /* UTF-16: by so much the UTF-8 is longer than the file */

	size_t line_at;	   /* of the last line given */
	size_t line_end;   /* of it, without its line end */
	size_t first_end;  /* of its first physical line, without its line end */
	size_t first_next; /* where the physical line after that begins */
	uint64_t line_number;
	uint64_t newlines; /* consumed */
	uint64_t noted;	   /* line the source says it is at; 0: lines are those of the bytes */
	bool open_line;	   /* the last byte consumed was no LF */
	bool first_open;   /* the same, after the first physical line */

	char head[LONG_LINE_HEAD]; /* of a long line, while the rest of it passes through the buffer */
	struct bus_sha256_stream *sha;
	char hex[2 * BUS_SHA256_LEN + 1];
};

static struct adapter_input *input_new(void)
{
	struct adapter_input *in = bus_xcalloc(1, sizeof(*in));

	in->fd = -1;
	in->cap = BLOCK;
	in->buf = bus_xmalloc(in->cap);
	in->sha = bus_sha256_new();
	return in;
}

static enum bus_err open_file(const char *path, int more, struct adapter_input **out, struct bus_error *err)
{
	struct adapter_input *in;
	struct stat st;
	int fd;

	*out = NULL;
	/* O_NONBLOCK: opening a pipe that nobody writes to must not hang; a regular file does not care. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | more);
	if (fd < 0)
		return bus_fail(err,
				errno == ENOENT			    ? BUS_ENOENT
				: errno == EACCES || errno == EPERM ? BUS_EDENIED
								    : BUS_EIO,
				"cannot open '%s': %m", path);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return bus_fail(err, BUS_EIO, "cannot read '%s': it is %s", path,
				S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
	}
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);

	in = input_new();
	in->fd = fd;
	in->name = bus_xstrdup(path);
	in->size = st.st_size;
	*out = in;
	return BUS_OK;
}

enum bus_err adapter_input_open(const char *path, struct adapter_input **out, struct bus_error *err)
{
	return open_file(path, 0, out, err);
}

enum bus_err adapter_input_open_itself(const char *path, struct adapter_input **out, struct bus_error *err)
{
	return open_file(path, O_NOFOLLOW, out, err);
}

struct adapter_input *adapter_input_memory(const void *p, size_t n)
{
	struct adapter_input *in = input_new();

	in->all = in->mem = p;
	in->mem_left = n;
	in->size = (int64_t)n;
	return in;
}

struct adapter_input *adapter_input_stream(adapter_input_fn fn, void *ctx)
{
	struct adapter_input *in = input_new();

	in->pull = fn;
	in->pull_ctx = ctx;
	in->size = -1;
	return in;
}

void adapter_input_close(struct adapter_input **in)
{
	uint8_t unused[BUS_SHA256_LEN];

	if (!*in)
		return;
	if ((*in)->sha)
		bus_sha256_end(&(*in)->sha, unused);
	if ((*in)->fd >= 0)
		close((*in)->fd);
	free((*in)->buf);
	free((*in)->name);
	free(*in);
	*in = NULL;
}

/* ---- UTF-16 ---- */

static uint32_t unit(const struct adapter_input *in, const uint8_t *p)
{
	return in->big_endian ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

/* Bytes of the character at p; 0: the n bytes do not hold it whole. */
static size_t take_utf16(const struct adapter_input *in, const uint8_t *p, size_t n, uint32_t *c)
{
	uint32_t low;

	if (n < 2)
		return 0;
	*c = unit(in, p);
	if (*c < 0xd800 || *c > 0xdfff)
		return 2;
	if (*c < 0xdc00 && n < 4)
		return 0;
	low = *c < 0xdc00 ? unit(in, p + 2) : 0;
	if (low < 0xdc00 || low > 0xdfff) {
		*c = 0xfffd;
		return 2;
	}
	*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
	return 4;
}

/* Appends n bytes of the file, at most as many as leave room for three halves of them, as UTF-8; keeps a torn character. */
static void put_utf16(struct adapter_input *in, const uint8_t *p, size_t n)
{
	size_t before = in->n, all = n;

	while (n > 0) {
		uint8_t joined[8];
		const uint8_t *from = p;
		size_t have = n, used;
		uint32_t c;

		if (in->n_torn > 0) {
			have = in->n_torn + (n < 4 ? n : 4);
			memcpy(joined, in->torn, in->n_torn);
			memcpy(joined + in->n_torn, p, have - in->n_torn);
			from = joined;
		}
		used = take_utf16(in, from, have, &c);
		if (used == 0) {
			memcpy(in->torn + in->n_torn, p, n);
			in->n_torn += n;
			break;
		}
		/* A lone surrogate in front of what was torn off may leave some of it behind. */
		if (used < in->n_torn) {
			memmove(in->torn, in->torn + used, in->n_torn - used);
			in->n_torn -= used;
		} else {
			p += used - in->n_torn;
			n -= used - in->n_torn;
			in->n_torn = 0;
		}
		in->n += bus_utf8_put(c, in->buf + in->n);
	}
	in->filled += in->n - before;
	in->grown += (int64_t)(in->n - before) - (int64_t)all;
}

void adapter_input_utf16(struct adapter_input *in, bool big_endian)
{
	size_t n = in->n - in->at;
	uint8_t *raw = bus_xmalloc(n + 1);

	memcpy(raw, in->buf + in->at, n);
	in->utf16 = true;
	in->big_endian = big_endian;
	in->filled -= n;
	in->n = in->at;
	if (in->cap < in->at + 2 * n + 4) {
		in->cap = in->at + 2 * n + 4;
		in->buf = bus_xrealloc(in->buf, in->cap);
	}
	put_utf16(in, raw, n);
	free(raw);
}

bool adapter_input_is_utf16(const struct adapter_input *in)
{
	return in->utf16;
}

/* ---- the buffer ---- */

/* Up to n bytes of the file; 0 at its end, negative with errno set. */
static ssize_t read_some(struct adapter_input *in, char *p, size_t n)
{
	ssize_t got;

	if (in->fd >= 0) {
		do {
			got = read(in->fd, p, n);
		} while (got < 0 && errno == EINTR);
		return got;
	}
	got = (ssize_t)(in->mem_left < n ? in->mem_left : n);
	if (got > 0) {
		memcpy(p, in->mem, (size_t)got);
		in->mem += got;
		in->mem_left -= (size_t)got;
	}
	return got;
}

/* Reads more behind the bytes from keep on, which move to the front of the buffer: offsets of the caller
 * go down by the amount returned in *moved. At the end of the file eof is set and nothing changes. */
static enum bus_err fill(struct adapter_input *in, size_t keep, size_t *moved, struct bus_error *err)
{
	size_t room, from;
	ssize_t got;

	*moved = 0;
	if (in->eof)
		return BUS_OK;
	if (keep > 0) {
		memmove(in->buf, in->buf + keep, in->n - keep);
		in->n -= keep;
		in->at -= keep;
		*moved = keep;
	}
	if (in->cap - in->n < BLOCK / 2) {
		in->cap += BLOCK;
		in->buf = bus_xrealloc(in->buf, in->cap);
	}
	/* Two bytes of UTF-16 become at most three: they are read into the second half of the room and unfolded into all of
	 * it, never overtaking themselves. */
	room = in->cap - in->n;
	if (in->pull) {
		size_t n;
		enum bus_err rc = in->pull(in->pull_ctx, in->buf + in->n, room, &n, err);

		if (rc)
			return rc;
		from = in->n;
		got = (ssize_t)n;
	} else {
		from = in->utf16 ? in->n + room / 2 + 4 : in->n;
		got = read_some(in, in->buf + from, in->cap - from);
	}
	if (got < 0)
		return bus_fail(err, BUS_EIO, "cannot read '%s': %m", in->name);
	if (got == 0) {
		in->eof = true;
		return BUS_OK;
	}
	if (in->sha)
		bus_sha256_add(in->sha, in->buf + from, (size_t)got);
	if (in->utf16) {
		put_utf16(in, (const uint8_t *)in->buf + from, (size_t)got);
		return BUS_OK;
	}
	in->n += (size_t)got;
	in->filled += (uint64_t)got;
	return BUS_OK;
}

/* The end of the physical line that begins at in->at: *end is where its LF is, or the end of the bytes.
 * Reads as much as is needed, keeping everything from *keep on, but stops once more than ADAPTER_ROW_MAX
 * bytes lie between *keep and *end. */
static enum bus_err find_end(struct adapter_input *in, size_t *keep, size_t *end, bool *found,
			     struct bus_error *err)
{
	size_t seen = in->at;

	for (;;) {
		const char *lf = seen < in->n ? memchr(in->buf + seen, '\n', in->n - seen) : NULL;
		enum bus_err rc;
		size_t moved;

		*found = lf != NULL;
		*end = lf ? (size_t)(lf - in->buf) : in->n;
		/* One more for the CR of a CRLF, which is no part of the row. */
		if (lf || in->eof || *end - *keep > ADAPTER_ROW_MAX + 1)
			return BUS_OK;
		seen = in->n;
		rc = fill(in, *keep, &moved, err);
		if (rc != BUS_OK)
			return rc;
		seen -= moved;
		*keep -= moved;
	}
}

static size_t without_cr(const struct adapter_input *in, size_t begin, size_t end)
{
	return end > begin && in->buf[end - 1] == '\r' ? end - 1 : end;
}

static void consume_to(struct adapter_input *in, size_t end, bool found)
{
	in->at = found ? end + 1 : end;
	in->newlines += found;
	in->open_line = !found;
}

/* Throws the rest of a line away; the bytes before in->at are not needed either. */
static enum bus_err skip_line(struct adapter_input *in, struct bus_error *err)
{
	for (;;) {
		const char *lf = in->at < in->n ? memchr(in->buf + in->at, '\n', in->n - in->at) : NULL;
		enum bus_err rc;
		size_t moved;

		if (lf) {
			consume_to(in, (size_t)(lf - in->buf), true);
			return BUS_OK;
		}
		consume_to(in, in->n, false);
		if (in->eof)
			return BUS_OK;
		rc = fill(in, in->n, &moved, err);
		if (rc != BUS_OK)
			return rc;
	}
}

enum bus_err adapter_input_line(struct adapter_input *in, struct bus_str *line, bool *long_line,
				struct bus_error *err)
{
	size_t keep = in->at, end;
	enum bus_err rc;
	bool found;

	*long_line = false;
	rc = find_end(in, &keep, &end, &found, err);
	if (rc != BUS_OK)
		return rc;
	if (!found && end == keep)
		return BUS_ENOENT;
	in->line_number = in->newlines + 1;
	in->line_at = keep;
	in->line_end = without_cr(in, keep, end);

	if (in->line_end - keep > ADAPTER_ROW_MAX) {
		*long_line = true;
		memcpy(in->head, in->buf + keep, LONG_LINE_HEAD);
		*line = (struct bus_str){ in->head, LONG_LINE_HEAD };
		consume_to(in, end, found);
		return found ? BUS_OK : skip_line(in, err);
	}
	consume_to(in, end, found);
	in->first_end = in->line_end;
	in->first_next = in->at;
	in->first_open = in->open_line;
	*line = (struct bus_str){ in->buf + in->line_at, in->line_end - in->line_at };
	return BUS_OK;
}

enum bus_err adapter_input_line_more(struct adapter_input *in, struct bus_str *line, struct bus_error *err)
{
	size_t keep = in->line_at, end;
	enum bus_err rc;
	bool found;

	rc = find_end(in, &keep, &end, &found, err);
	if (rc != BUS_OK)
		return rc;
	in->line_end -= in->line_at - keep;
	in->first_end -= in->line_at - keep;
	in->first_next -= in->line_at - keep;
	in->line_at = keep;
	if (!found && end == in->at)
		return BUS_ENOENT;
	if (without_cr(in, in->at, end) - keep > ADAPTER_ROW_MAX)
		return bus_fail(err, BUS_ETOOBIG, "a row is over %zu bytes", ADAPTER_ROW_MAX);
	in->line_end = without_cr(in, in->at, end);
	consume_to(in, end, found);
	*line = (struct bus_str){ in->buf + keep, in->line_end - keep };
	return BUS_OK;
}

void adapter_input_line_back(struct adapter_input *in, struct bus_str *line)
{
	in->at = in->first_next;
	in->line_end = in->first_end;
	in->open_line = in->first_open;
	in->newlines = in->first_open ? in->line_number - 1 : in->line_number;
	*line = (struct bus_str){ in->buf + in->line_at, in->line_end - in->line_at };
}

static void count_piece(struct adapter_input *in, const char *p, size_t n)
{
	const char *end = p + n, *lf;

	if (n == 0)
		return;
	in->open_line = end[-1] != '\n';
	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p)))) {
		in->newlines++;
		p = lf + 1;
	}
}

enum bus_err adapter_input_piece(struct adapter_input *in, struct bus_str *piece, struct bus_error *err)
{
	enum bus_err rc;
	size_t moved;

	if (in->at == in->n) {
		rc = fill(in, in->n, &moved, err);
		if (rc != BUS_OK)
			return rc;
		if (in->at == in->n)
			return BUS_ENOENT;
	}
	*piece = (struct bus_str){ in->buf + in->at, in->n - in->at };
	count_piece(in, piece->p, piece->n);
	in->at = in->n;
	return BUS_OK;
}

enum bus_err adapter_input_peek(struct adapter_input *in, size_t n, struct bus_str *out,
				struct bus_error *err)
{
	assert(n <= ADAPTER_PEEK_MAX);
	while (in->n - in->at < n && !in->eof) {
		size_t moved;
		enum bus_err rc = fill(in, in->at, &moved, err);

		if (rc == BUS_ETIMEOUT && in->n > in->at)
			break;
		if (rc != BUS_OK)
			return rc;
	}
	*out = (struct bus_str){ in->buf + in->at, in->n - in->at < n ? in->n - in->at : n };
	return BUS_OK;
}

void adapter_input_skip(struct adapter_input *in, size_t n)
{
	assert(n <= in->n - in->at);
	count_piece(in, in->buf + in->at, n);
	in->at += n;
}

enum bus_err adapter_input_read_at(struct adapter_input *in, uint64_t offset, void *p, size_t n, size_t *got,
				   struct bus_error *err)
{
	ssize_t r;

	*got = 0;
	if (in->size < 0 || offset >= (uint64_t)in->size)
		return BUS_OK;
	if (n > (uint64_t)in->size - offset)
		n = (size_t)((uint64_t)in->size - offset);
	if (in->fd < 0) {
		memcpy(p, in->all + offset, n);
		*got = n;
		return BUS_OK;
	}
	do {
		r = pread(in->fd, p, n, (off_t)offset);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return bus_fail(err, BUS_EIO, "cannot read '%s': %m", in->name);
	*got = (size_t)r;
	return BUS_OK;
}

void adapter_input_set_tmp(struct adapter_input *in, const char *dir)
{
	in->tmp = dir;
}

const char *adapter_input_tmp(const struct adapter_input *in)
{
	const char *dir = in->tmp ? in->tmp : getenv("TMPDIR");

	return dir && *dir ? dir : "/var/tmp";
}

void adapter_input_note_line(struct adapter_input *in, uint64_t line)
{
	in->noted = line;
}

bool adapter_input_unended(const struct adapter_input *in)
{
	return in->eof && in->at == in->n && in->open_line;
}

uint64_t adapter_input_line_number(const struct adapter_input *in)
{
	return in->line_number;
}

uint64_t adapter_input_lines(const struct adapter_input *in)
{
	return in->noted > 0 ? in->noted : in->newlines + in->open_line;
}

uint64_t adapter_input_bytes(const struct adapter_input *in)
{
	uint64_t given = in->filled - (in->n - in->at);

	return in->grown > (int64_t)given ? 0 : given - (uint64_t)in->grown;
}

int64_t adapter_input_size(const struct adapter_input *in)
{
	return in->size;
}

enum bus_err adapter_input_sha256(struct adapter_input *in, char *hex, struct bus_error *err)
{
	if (in->sha) {
		uint8_t digest[BUS_SHA256_LEN];
		struct bus_str piece;
		enum bus_err rc;

		while ((rc = adapter_input_piece(in, &piece, err)) == BUS_OK)
			;
		if (rc != BUS_ENOENT)
			return rc;
		bus_sha256_end(&in->sha, digest);
		bus_hex(digest, sizeof(digest), in->hex);
	}
	memcpy(hex, in->hex, sizeof(in->hex));
	return BUS_OK;
}
