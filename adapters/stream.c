#include "adapters/stream.h"

#include <assert.h>
#include <stdio.h>

#include "bus/clock.h"

#define DIGITS 20 /* of the largest uint64_t */
#define DAY_MS INT64_C(86400000)
#define WIB_MS INT64_C(25200000) /* +07:00 */

void adapter_topic_init(struct adapter_topic *t, const char *name, int32_t partitions)
{
	const char *rest = strncmp(name, "pku.", 4) == 0 ? name + 4 : name;

	assert(partitions > 0);
	t->name = bus_xstrdup(name);
	t->type = bus_xasprintf("id.go.pekanbaru.bus.%s", rest);
	t->n = partitions;
	t->stream = bus_xcalloc((size_t)partitions, sizeof(*t->stream));
	for (int32_t i = 0; i < partitions; i++) {
		struct adapter_stream *s = &t->stream[i];
		size_t n = strlen(name) + 16 + DIGITS;

		s->text = bus_xmalloc(n);
		s->prefix = (size_t)snprintf(s->text, n, "%s/%d/", name, i);
	}
}

void adapter_topic_release(struct adapter_topic *t)
{
	for (int32_t i = 0; i < t->n; i++)
		free(t->stream[i].text);
	free(t->stream);
	free(t->name);
	free(t->type);
	*t = (struct adapter_topic){ 0 };
}

struct bus_str adapter_stream_name(const struct adapter_stream *s)
{
	return (struct bus_str){ s->text, s->prefix - 1 };
}

size_t adapter_put_decimal(char *out, uint64_t v)
{
	char digit[DIGITS];
	size_t n = 0;

	do {
		digit[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	for (size_t i = 0; i < n; i++)
		out[i] = digit[n - 1 - i];
	return n;
}

static size_t put_signed(char *out, int64_t v)
{
	if (v >= 0)
		return adapter_put_decimal(out, (uint64_t)v);
	out[0] = '-';
	return 1 + adapter_put_decimal(out + 1, 0 - (uint64_t)v);
}

static void put_two(char *out, int64_t v)
{
	out[0] = (char)('0' + v / 10);
	out[1] = (char)('0' + v % 10);
}

/* Rows of a file share days and often whole times: the date is formatted once a day, and the time of day
 * by hand. What is before 0000 or after 9999 does not come up in a city's data and takes the slow way. */
static void put_time(struct adapter_stamp *st, int64_t ms)
{
	int64_t local, in_day, day;

	if (st->time_n > 0 && st->time_ms == ms)
		return;
	local = ms + WIB_MS;
	in_day = local % DAY_MS;
	if (in_day < 0)
		in_day += DAY_MS;
	day = (local - in_day) / DAY_MS;
	if (ms < INT64_C(-62135596800000) || ms > INT64_C(253402214400000) || in_day % 1000 != 0) {
		bus_clock_iso_wib(ms, st->time, sizeof(st->time));
		st->time_n = strlen(st->time);
		st->time_ms = ms;
		st->day = INT32_MIN;
		return;
	}
	if (st->time_n == 0 || st->day != (int32_t)day) {
		bus_clock_iso_date((int32_t)day, st->time, sizeof(st->time));
		st->day = (int32_t)day;
	}
	memcpy(st->time + 10, "T00:00:00+07:00", 16);
	put_two(st->time + 11, in_day / 3600000);
	put_two(st->time + 14, in_day / 60000 % 60);
	put_two(st->time + 17, in_day / 1000 % 60);
	st->time_n = 25;
	st->time_ms = ms;
}

static void put(struct adapter_stamp *st, size_t *n, struct bus_str name, struct bus_str value)
{
	st->header[(*n)++] = (struct bus_header){ name, value };
}

size_t adapter_stamp_headers(struct adapter_stamp *st, const struct adapter_topic *t,
			     struct adapter_stream *s, struct bus_str key, const struct adapter_origin *o)
{
	size_t n = 0, digits = adapter_put_decimal(s->text + s->prefix, (uint64_t)s->seq + 1);

	put_time(st, o->time_ms);
	put(st, &n, BUS_STR("ce_specversion"), BUS_STR("1.0"));
	put(st, &n, BUS_STR("ce_id"), (struct bus_str){ s->text, s->prefix + digits });
	put(st, &n, BUS_STR("ce_source"), bus_str(o->source));
	put(st, &n, BUS_STR("ce_type"), bus_str(t->type));
	put(st, &n, BUS_STR("ce_subject"), key);
	put(st, &n, BUS_STR("ce_time"), (struct bus_str){ st->time, st->time_n });
	put(st, &n, BUS_STR("content-type"), BUS_STR("application/avro"));
	put(st, &n, BUS_STR("titian_stream"), adapter_stream_name(s));
	put(st, &n, BUS_STR("titian_seq"), (struct bus_str){ s->text + s->prefix, digits });
	put(st, &n, BUS_STR("titian_file"), bus_str(o->file));
	if (o->line > 0)
		put(st, &n, BUS_STR("titian_line"),
		    (struct bus_str){ st->line, adapter_put_decimal(st->line, o->line) });
	if (o->version)
		put(st, &n, BUS_STR(ADAPTER_VERSION_HEADER),
		    (struct bus_str){ st->version, put_signed(st->version, *o->version) });
	if (o->identity.n > 0)
		put(st, &n, BUS_STR(ADAPTER_ID_HEADER), o->identity);
	if (o->extra.name.n > 0)
		st->header[n++] = o->extra;
	assert(n <= ADAPTER_HEADERS_MAX);
	return n;
}
