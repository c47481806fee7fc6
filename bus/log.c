#include "bus/log.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "bus/buf.h"
#include "bus/clock.h"
#include "bus/json_out.h"
#include "bus/utf8.h"

#define WINDOW_MS 10000
#define WINDOW_LINES 20
#define IDS 256			/* power of two; ids are names in our source, so there are some dozens */
#define NIK_LEN 16
#define TEXT_MAX ((size_t)2048) /* bytes of one value; the rest is cut */

struct repeat {
	char id[64]; /* "" = free */
	int64_t since_ms;
	int lines;
	int64_t suppressed;
};

static enum bus_log_level least_level = BUS_LOG_INFO;
static bool as_json;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards repeats and the order of lines */
static struct repeat repeats[IDS];

static const char *const level_name[] = { "debug", "info", "warn", "error", "audit" };

void bus_log_setup(enum bus_log_level least, bool json)
{
	least_level = least;
	as_json = json;
}

enum bus_err bus_log_level_parse(const char *text, enum bus_log_level *out)
{
	for (size_t i = 0; i < BUS_LOG_AUDIT; i++) {
		if (strcmp(text, level_name[i]) == 0) {
			*out = (enum bus_log_level)i;
			return BUS_OK;
		}
	}
	return BUS_EINVAL;
}

/* The entry of this id. When the table is full, strangers share the last place they were tried at:
 * they are then limited together, which is better than not at all. */
static struct repeat *repeat_of(const char *id)
{
	size_t h = 5381;
	struct repeat *r = NULL;

	for (const char *c = id; *c; c++)
		h = h * 33 + (unsigned char)*c;
	for (size_t i = 0; i < IDS; i++) {
		r = &repeats[(h + i) & (IDS - 1)];
		if (!r->id[0]) {
			strncpy(r->id, id, sizeof(r->id) - 1);
			return r;
		}
		if (strncmp(r->id, id, sizeof(r->id) - 1) == 0)
			return r;
	}
	return r;
}

/* False: not to be written. *before: lines kept back in the window that has just ended. */
static bool admit(const char *id, int64_t now, int64_t *before)
{
	struct repeat *r = repeat_of(id);

	*before = 0;
	if (r->lines == 0 || now - r->since_ms >= WINDOW_MS || now < r->since_ms) {
		*before = r->suppressed;
		r->suppressed = 0;
		r->since_ms = now;
		r->lines = 0;
	}
	if (r->lines >= WINDOW_LINES) {
		r->suppressed++;
		return false;
	}
	r->lines++;
	return true;
}

static bool is_plain(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
			return false;
	}
	return n > 0;
}

/* Nothing that a terminal or a log reader could take for anything but text gets through: control
 * characters (C1 as well) and broken UTF-8 are written as \xNN. */
static void put_quoted(struct bus_buf *b, const char *s, size_t n)
{
	size_t i = 0;

	bus_buf_putc(b, '"');
	while (i < n) {
		unsigned char c = (unsigned char)s[i];
		size_t len = bus_utf8_len(s + i, n - i);

		if (c == '"' || c == '\\') {
			bus_buf_putc(b, '\\');
			bus_buf_putc(b, (char)c);
		} else if (c == '\n') {
			bus_buf_puts(b, "\\n");
		} else if (c == '\r') {
			bus_buf_puts(b, "\\r");
		} else if (len == 0 || c < ' ' || c == 0x7f) {
			bus_buf_printf(b, "\\x%02x", c);
		} else if (c == 0xc2 && (unsigned char)s[i + 1] < 0xa0) {
			bus_buf_printf(b, "\\x%02x\\x%02x", c, (unsigned char)s[i + 1]);
		} else {
			bus_buf_put(b, s + i, len);
		}
		i += len ? len : 1;
	}
	bus_buf_putc(b, '"');
}

/* The text as it may stand in a log: at most TEXT_MAX bytes, and no run of 16 digits or more, which could be
 * a NIK that came in a file's name or a library's message. */
static struct bus_str safe_text(const char *s, char buf[TEXT_MAX])
{
	size_t n = strnlen(s, TEXT_MAX), run = 0;

	memcpy(buf, s, n);
	for (size_t i = 0; i <= n; i++) {
		if (i < n && s[i] >= '0' && s[i] <= '9') {
			run++;
			continue;
		}
		if (run >= NIK_LEN)
			memset(buf + i - run, '*', run);
		run = 0;
	}
	return (struct bus_str){ buf, n };
}

static void put_text_line(struct bus_buf *b, const char *level, const char *id, const char *time,
			  const struct bus_log_field *f, int64_t suppressed)
{
	char buf[TEXT_MAX];

	bus_buf_printf(b, "time=%s level=%s id=%s", time, level, id);
	for (; f->key; f++) {
		struct bus_str text = f->text ? safe_text(f->text, buf) : BUS_STR("");

		bus_buf_printf(b, " %s=", f->key);
		if (!f->text)
			bus_buf_printf(b, "%lld", (long long)f->number);
		else if (is_plain(text.p, text.n))
			bus_buf_put(b, text.p, text.n);
		else
			put_quoted(b, text.p, text.n);
	}
	if (suppressed > 0)
		bus_buf_printf(b, " suppressed=%lld", (long long)suppressed);
	bus_buf_putc(b, '\n');
}

static void put_json_line(struct bus_buf *b, const char *level, const char *id, const char *time,
			  const struct bus_log_field *f, int64_t suppressed)
{
	struct bus_json_out j = { .buf = b };
	char buf[TEXT_MAX];

	bus_json_object(&j);
	bus_json_key(&j, "time");
	bus_json_put_text(&j, time);
	bus_json_key(&j, "level");
	bus_json_put_text(&j, level);
	bus_json_key(&j, "id");
	bus_json_put_text(&j, id);
	for (; f->key; f++) {
		bus_json_key(&j, f->key);
		if (f->text)
			bus_json_put_str(&j, safe_text(f->text, buf));
		else
			bus_json_put_int(&j, f->number);
	}
	if (suppressed > 0) {
		bus_json_key(&j, "suppressed");
		bus_json_put_int(&j, suppressed);
	}
	bus_json_object_end(&j);
	bus_buf_putc(b, '\n');
}

/* Where to report that the report cannot be written? Nowhere: the rest is dropped. */
static void write_all(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t k = write(STDERR_FILENO, p, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return;
		p += k;
		n -= (size_t)k;
	}
}

void bus_log_write(enum bus_log_level level, const char *id, const struct bus_log_field *fields)
{
	struct bus_buf line = { 0 };
	int64_t now;
	int64_t suppressed = 0;
	char time[32];
	int saved = errno;

	if (level < least_level)
		return;
	now = bus_clock_ms();
	bus_clock_iso_wib(now, time, sizeof(time));
	pthread_mutex_lock(&lock);
	if (level == BUS_LOG_AUDIT || admit(id, now, &suppressed)) {
		if (as_json)
			put_json_line(&line, level_name[level], id, time, fields, suppressed);
		else
			put_text_line(&line, level_name[level], id, time, fields, suppressed);
		write_all(line.p, line.n);
	}
	pthread_mutex_unlock(&lock);
	bus_buf_release(&line);
	errno = saved;
}
