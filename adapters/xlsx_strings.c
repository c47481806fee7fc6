#include "adapters/xlsx_strings.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "adapters/adapter.h"
#include "adapters/xml.h"
#include "bus/hex.h"
#include "bus/utf8.h"

#define MEMORY_MAX ((size_t)16 * 1024 * 1024)
#define PART_MAX ((uint64_t)2 * 1024 * 1024 * 1024)
#define FLUSH ((size_t)1024 * 1024)
#define NEAR ((size_t)8192)

/* A string's bytes end where the next one's begin: end[i]. Each of the two is either all in memory or, once both
 * together are over the limit, in a file of its own behind what has been flushed. */
struct store {
	struct bus_buf buf;
	int fd; /* -1: all in memory */
	uint64_t flushed;
	char *near; /* NEAR bytes read last: strings are mostly asked for in order */
	uint64_t near_at;
	size_t near_n;
};

struct adapter_xlsx_strings {
	struct store text, end;
	uint64_t n;
	/* while reading */
	const char *dir; /* for files */
	struct adapter_xml *xml;
	struct bus_buf one, plain;
	int in_t, in_phonetic;
	bool in_si;
	enum bus_err rc;
	struct bus_error err;
};

/* ---- stores ---- */

static enum bus_err store_spill(struct store *s, const char *dir, struct bus_error *err)
{
	char *path;

	if (s->fd >= 0)
		return BUS_OK;
	path = bus_xasprintf("%s/.titian-strings-XXXXXX", dir);
	s->fd = mkostemp(path, O_CLOEXEC);
	if (s->fd >= 0)
		(void)unlink(path);
	free(path);
	return s->fd >= 0 ? BUS_OK
			  : bus_fail(err, BUS_EIO, "cannot create a temporary file in '%s': %m", dir);
}

static enum bus_err store_flush(struct store *s, struct bus_error *err)
{
	size_t done = 0;

	while (done < s->buf.n) {
		ssize_t r = pwrite(s->fd, s->buf.p + done, s->buf.n - done, (off_t)(s->flushed + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return bus_fail(err,
					r < 0 && errno != ENOSPC && errno != EDQUOT ? BUS_EIO : BUS_EFULL,
					"cannot write a temporary file: %m");
		done += (size_t)r;
	}
	s->flushed += done;
	bus_buf_reset(&s->buf);
	return BUS_OK;
}

/* Fewer than n only at the file's end. */
static enum bus_err read_file(int fd, uint64_t at, char *to, size_t n, size_t *got, struct bus_error *err)
{
	*got = 0;
	while (*got < n) {
		ssize_t r = pread(fd, to + *got, n - *got, (off_t)(at + *got));

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return bus_fail(err, BUS_EIO, "cannot read a temporary file: %m");
		if (r == 0)
			break;
		*got += (size_t)r;
	}
	return BUS_OK;
}

static enum bus_err store_get(struct store *s, uint64_t at, size_t n, char *to, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	size_t got = n;

	if (s->fd < 0) {
		memcpy(to, s->buf.p + at, n);
		return BUS_OK;
	}
	if (n > NEAR) {
		rc = read_file(s->fd, at, to, n, &got, err);
	} else {
		if (!s->near)
			s->near = bus_xmalloc(NEAR);
		if (at < s->near_at || at + n > s->near_at + s->near_n) {
			s->near_at = at;
			rc = read_file(s->fd, at, s->near, NEAR, &s->near_n, err);
		}
		got = s->near_n - (size_t)(at - s->near_at);
		if (rc == BUS_OK && got >= n)
			memcpy(to, s->near + (at - s->near_at), n);
	}
	return rc != BUS_OK || got >= n ? rc : bus_fail(err, BUS_EIO, "a temporary file was cut");
}

static void store_release(struct store *s)
{
	if (s->fd >= 0)
		close(s->fd);
	bus_buf_release(&s->buf);
	free(s->near);
}

static enum bus_err keep(struct adapter_xlsx_strings *s, struct bus_error *err)
{
	uint64_t end;
	enum bus_err rc = BUS_OK;

	bus_buf_put(&s->text.buf, s->plain.p, s->plain.n);
	end = s->text.flushed + s->text.buf.n;
	bus_buf_put(&s->end.buf, &end, sizeof(end));
	s->n++;
	if (s->text.fd < 0 && s->text.buf.n + s->end.buf.n > MEMORY_MAX) {
		rc = store_spill(&s->text, s->dir, err);
		if (rc == BUS_OK)
			rc = store_spill(&s->end, s->dir, err);
	}
	if (rc == BUS_OK && s->text.fd >= 0 && s->text.buf.n + s->end.buf.n > FLUSH) {
		rc = store_flush(&s->text, err);
		if (rc == BUS_OK)
			rc = store_flush(&s->end, err);
	}
	return rc;
}

/* ---- reading: si holds t, or runs r that hold t; rPh is how to pronounce it ---- */

static void on_start(void *ctx, const char *name, const char **atts)
{
	struct adapter_xlsx_strings *s = ctx;

	(void)atts;
	if (strcmp(name, "si") == 0)
		s->in_si = true;
	else if (strcmp(name, "rPh") == 0)
		s->in_phonetic++;
	else if (strcmp(name, "t") == 0 && s->in_si)
		s->in_t++;
}

static void on_end(void *ctx, const char *name)
{
	struct adapter_xlsx_strings *s = ctx;

	if (strcmp(name, "t") == 0 && s->in_t > 0) {
		s->in_t--;
	} else if (strcmp(name, "rPh") == 0) {
		s->in_phonetic--;
	} else if (strcmp(name, "si") == 0) {
		bus_buf_reset(&s->plain);
		if (s->one.n > ADAPTER_ROW_MAX) /* stays over the limit */
			bus_buf_put(&s->plain, s->one.p, s->one.n);
		else
			adapter_xlsx_unescape(bus_buf_str(&s->one), &s->plain);
		bus_buf_reset(&s->one);
		s->in_si = false;
		s->rc = keep(s, &s->err);
		if (s->rc != BUS_OK)
			adapter_xml_fail(s->xml, "%s", s->err.text);
	}
}

static void on_text(void *ctx, const char *p, int n)
{
	struct adapter_xlsx_strings *s = ctx;

	if (s->in_t == 0 || s->in_phonetic > 0)
		return;
	/* A cell over the limit of a row is cut to just over it: its row is a defect all the same. */
	if (s->one.n <= ADAPTER_ROW_MAX)
		bus_buf_put(&s->one, p, (size_t)n);
}

static const struct adapter_xml_handler handler = { on_start, on_end, on_text };

enum bus_err adapter_xlsx_strings_read(struct adapter_package *p, const char *name,
				       struct adapter_xlsx_strings **out, struct bus_error *err)
{
	struct adapter_xlsx_strings *s = bus_xcalloc(1, sizeof(*s));
	struct adapter_part *part = NULL;
	enum bus_err rc = adapter_part_open(p, name, PART_MAX, &part, err);

	*out = NULL;
	s->text.fd = s->end.fd = -1;
	s->dir = adapter_package_tmp(p);
	if (rc == BUS_OK) {
		s->xml = adapter_xml_new(adapter_part_read, part, &handler, s);
		rc = adapter_xml_all(s->xml, err);
		if (rc != BUS_OK && s->rc != BUS_OK)
			rc = bus_fail(err, s->rc, "%s", s->err.text);
		adapter_xml_free(&s->xml);
	}
	adapter_part_close(&part);
	bus_buf_release(&s->one);
	bus_buf_release(&s->plain);
	if (rc == BUS_OK && s->text.fd >= 0) {
		rc = store_flush(&s->text, err);
		if (rc == BUS_OK)
			rc = store_flush(&s->end, err);
		bus_buf_release(&s->text.buf);
		bus_buf_release(&s->end.buf);
	}
	if (rc != BUS_OK)
		adapter_xlsx_strings_free(&s);
	*out = s;
	return rc;
}

void adapter_xlsx_strings_free(struct adapter_xlsx_strings **s)
{
	if (!*s)
		return;
	store_release(&(*s)->text);
	store_release(&(*s)->end);
	free(*s);
	*s = NULL;
}

enum bus_err adapter_xlsx_strings_get(struct adapter_xlsx_strings *s, uint64_t i, struct bus_buf *out,
				      struct bus_error *err)
{
	uint64_t place[2] = { 0, 0 };
	size_t n;
	enum bus_err rc;

	if (i >= s->n)
		return BUS_ENOENT;
	rc = i == 0 ? store_get(&s->end, 0, 8, (char *)&place[1], err)
		    : store_get(&s->end, (i - 1) * 8, 16, (char *)place, err);
	if (rc != BUS_OK)
		return rc;
	n = (size_t)(place[1] - place[0]);
	if (n == 0)
		return BUS_OK;
	bus_buf_reserve(out, n);
	rc = store_get(&s->text, place[0], n, out->p + out->n, err);
	if (rc == BUS_OK)
		out->n += n;
	return rc;
}

/* ---- escapes ---- */

/* _xHHHH_ at p (n left): its character; 0: it is none. */
static uint32_t escape(const char *p, size_t n)
{
	uint32_t c = 0;

	if (n < 7 || p[1] != 'x' || p[6] != '_')
		return 0;
	for (int i = 2; i < 6; i++) {
		if (bus_hex_digit(p[i]) < 0)
			return 0;
		c = c << 4 | (uint32_t)bus_hex_digit(p[i]);
	}
	return c >= 0xd800 && c <= 0xdfff ? 0 : c;
}

void adapter_xlsx_unescape(struct bus_str text, struct bus_buf *out)
{
	while (text.n > 0) {
		const char *bar = memchr(text.p, '_', text.n);
		size_t plain = bar ? (size_t)(bar - text.p) : text.n;
		uint32_t c;

		bus_buf_put(out, text.p, plain);
		text = (struct bus_str){ text.p + plain, text.n - plain };
		if (text.n == 0)
			return;
		c = escape(text.p, text.n);
		if (c > 0) {
			char utf8[4];

			bus_buf_put(out, utf8, bus_utf8_put(c, utf8));
		} else {
			bus_buf_putc(out, '_');
		}
		text = (struct bus_str){ text.p + (c > 0 ? 7 : 1), text.n - (c > 0 ? 7 : 1) };
	}
}
