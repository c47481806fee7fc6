/* Records of the topic of consumers, as bytes. */
#include "bus/crypto.h"
#include "gateway/restproxy/state.h"
#include "gateway/restproxy/wire.h"

#define VERSION 1

static void put_number(struct bus_buf *out, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		bus_buf_putc(out, (char)(v | 0x80));
	bus_buf_putc(out, (char)v);
}

static void put_text(struct bus_buf *out, const char *s)
{
	put_number(out, strlen(s));
	bus_buf_puts(out, s);
}

static bool take_number(struct bus_str *in, uint64_t *v)
{
	*v = 0;
	for (int shift = 0; shift < 64 && in->n > 0; shift += 7) {
		const uint8_t b = (uint8_t)*in->p;

		in->p++;
		in->n--;
		*v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return true;
	}
	return false;
}

static bool take_up_to(struct bus_str *in, uint64_t most, uint64_t *v)
{
	return take_number(in, v) && *v <= most;
}

/* A text without NUL, of at most max bytes; the caller owns it. NULL: none. */
static char *take_text(struct bus_str *in, size_t max)
{
	uint64_t n;
	char *s;

	if (!take_up_to(in, max, &n) || n > in->n || memchr(in->p, 0, (size_t)n))
		return NULL;
	s = bus_xstrndup(in->p, (size_t)n);
	in->p += n;
	in->n -= (size_t)n;
	return s;
}

void gw_rp_put_key(char kind, const uint8_t id[GW_RP_ID_LEN], struct bus_buf *out)
{
	char hex[2 * GW_RP_ID_LEN + 1];

	bus_hex(id, GW_RP_ID_LEN, hex);
	bus_buf_putc(out, kind);
	bus_buf_puts(out, hex);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool gw_rp_read_key(struct bus_str key, char *kind, uint8_t id[GW_RP_ID_LEN])
{
	if (key.n != 1 + 2 * GW_RP_ID_LEN)
		return false;
	*kind = key.p[0];
	for (size_t i = 0; i < GW_RP_ID_LEN; i++) {
		const int high = digit(key.p[1 + 2 * i]), low = digit(key.p[2 + 2 * i]);

		if (high < 0 || low < 0)
			return false;
		id[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* --- small ones ---------------------------------------------------------------------------------------------- */

void gw_rp_put_confirm(uint64_t seq, bool given, struct bus_buf *out)
{
	bus_buf_putc(out, VERSION);
	put_number(out, seq);
	bus_buf_putc(out, given);
}

bool gw_rp_read_confirm(struct bus_str in, uint64_t *seq, bool *given)
{
	uint64_t version, said;

	if (!take_number(&in, &version) || version != VERSION || !take_number(&in, seq) ||
	    !take_up_to(&in, 1, &said))
		return false;
	*given = said;
	return true;
}

void gw_rp_put_barrier(uint64_t node, uint64_t number, struct bus_buf *out)
{
	bus_buf_putc(out, VERSION);
	put_number(out, node);
	put_number(out, number);
}

bool gw_rp_read_barrier(struct bus_str in, uint64_t *node, uint64_t *number)
{
	uint64_t version;

	return take_number(&in, &version) && version == VERSION && take_number(&in, node) &&
	       take_number(&in, number);
}

/* --- an instance --------------------------------------------------------------------------------------------- */

enum flag { GONE = 1, JOINED = 2, ANSWER = 4, AUTO_COMMIT = 8, EARLIEST = 16, ALL = 31 };

void gw_rp_put_instance(const struct gw_rp_instance *i, struct bus_buf *out)
{
	bus_buf_putc(out, VERSION);
	put_number(out, i->seq);
	put_number(out, i->write);
	put_number(out, i->node);
	put_number(out, (i->gone ? GONE : 0U) | (i->joined ? JOINED : 0U) | (i->answer ? ANSWER : 0U) |
			    (i->auto_commit ? AUTO_COMMIT : 0U) | (i->earliest ? EARLIEST : 0U));
	put_number(out, i->format);
	put_number(out, (uint64_t)i->fetch_min);
	put_number(out, (uint64_t)i->timeout_ms);
	put_text(out, i->reader);
	put_text(out, i->group);
	put_text(out, i->name);
	put_number(out, i->mode);
	put_number(out, i->n_names);
	for (size_t k = 0; k < i->n_names; k++)
		put_text(out, i->names[k]);
	put_number(out, i->n_held);
	for (size_t t = 0; t < i->n_held; t++) {
		put_text(out, i->held[t].topic);
		put_number(out, i->held[t].n);
		for (size_t p = 0; p < i->held[t].n; p++) {
			put_number(out, (uint64_t)i->held[t].at[p].partition);
			put_number(out, (uint64_t)i->held[t].at[p].next);
			put_number(out, (uint64_t)i->held[t].at[p].back);
		}
	}
}

static bool read_settings(struct bus_str *in, struct gw_rp_instance *i)
{
	uint64_t version, flags, format, min, timeout;

	if (!take_number(in, &version) || version != VERSION || !take_number(in, &i->seq) || i->seq == 0 ||
	    !take_number(in, &i->write) || !take_number(in, &i->node) || !take_up_to(in, ALL, &flags) ||
	    !take_up_to(in, GW_RP_FORMAT_MAX, &format) || !take_up_to(in, INT64_MAX, &min) ||
	    !take_up_to(in, INT32_MAX, &timeout))
		return false;
	i->gone = flags & GONE;
	i->joined = flags & JOINED;
	i->answer = flags & ANSWER;
	i->auto_commit = flags & AUTO_COMMIT;
	i->earliest = flags & EARLIEST;
	i->format = (uint8_t)format;
	i->fetch_min = (int64_t)min;
	i->timeout_ms = (int64_t)timeout;
	i->reader = take_text(in, GW_RP_NAME_MAX);
	i->group = i->reader ? take_text(in, GW_RP_NAME_MAX) : NULL;
	i->name = i->group ? take_text(in, GW_RP_NAME_MAX) : NULL;
	return i->name != NULL;
}

static bool read_names(struct bus_str *in, struct gw_rp_instance *i)
{
	uint64_t mode, n;

	if (!take_up_to(in, GW_RP_ASSIGNED, &mode) || !take_up_to(in, GW_RP_TOPICS_MAX, &n) ||
	    (mode == GW_RP_PATTERN && n != 1))
		return false;
	i->mode = (enum gw_rp_mode)mode;
	i->names = bus_xcalloc((size_t)n + 1, sizeof(*i->names));
	for (; i->n_names < n; i->n_names++)
		if (!(i->names[i->n_names] = take_text(in, GW_RP_PATTERN_MAX)))
			return false;
	return true;
}

/* As it was written: topics by name, partitions ascending, none twice. */
static bool read_held(struct bus_str *in, struct gw_rp_instance *i)
{
	uint64_t n, m, partition, next, back;
	size_t places = 0;

	if (!take_up_to(in, GW_RP_HELD_MAX, &n))
		return false;
	i->held = bus_xcalloc((size_t)n + 1, sizeof(*i->held));
	for (size_t t = 0; t < n; t++) {
		struct gw_rp_held *h = &i->held[t];

		if (!(h->topic = take_text(in, GW_RP_NAME_MAX)))
			return false;
		i->n_held++;
		if ((t > 0 && strcmp(h[-1].topic, h->topic) >= 0) ||
		    !take_up_to(in, GW_RP_HELD_MAX - places, &m))
			return false;
		h->at = bus_xcalloc((size_t)m + 1, sizeof(*h->at));
		for (; h->n < m; h->n++, places++) {
			if (!take_up_to(in, INT32_MAX, &partition) || !take_up_to(in, INT64_MAX, &next) ||
			    !take_up_to(in, INT64_MAX, &back) ||
			    (h->n > 0 && (uint64_t)h->at[h->n - 1].partition >= partition))
				return false;
			h->at[h->n] =
			    (struct gw_rp_place){ (int32_t)partition, (int64_t)next, (int64_t)back };
		}
	}
	return true;
}

enum bus_err gw_rp_read_instance(struct bus_str in, struct gw_rp_instance **out, struct bus_error *err)
{
	struct gw_rp_instance *i = gw_rp_instance_new();

	*out = NULL;
	if (!read_settings(&in, i) || !read_names(&in, i) || !read_held(&in, i) || in.n > 0) {
		gw_rp_instance_unref(&i);
		return bus_fail(err, BUS_EDATA, "not a consumer's record");
	}
	*out = i;
	return BUS_OK;
}
