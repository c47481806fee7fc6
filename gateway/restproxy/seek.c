/* Where a consumer reads next. */
#include <stdio.h>

#include "bus/clock.h"
#include "gateway/restproxy/change.h"

#define DAY_MS INT64_C(86400000)

/* A moment as ISO 8601 has it, "2025-12-31T08:00:00Z", with .123 and +07:00. */
static bool moment(const char *text, int64_t *out)
{
	int y, m, d, hh, mm, ss, zh = 0, zm = 0, n = 0, ms = 0, unit = 100;
	int32_t days;
	char sign = '+';

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &m, &d, &hh, &mm, &ss, &n) != 6 || n == 0 ||
	    hh > 23 || mm > 59 || ss > 60 || hh < 0 || mm < 0 || ss < 0 || !bus_clock_days(y, m, d, &days))
		return false;
	text += n;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
			ms += (*text - '0') * unit;
	n = 0;
	if (strcmp(text, "Z") != 0 &&
	    (sscanf(text, "%c%2d:%2d%n", &sign, &zh, &zm, &n) != 3 || !strchr("+-", sign) || text[n] ||
	     zh > 14 || zm > 59 || zh < 0 || zm < 0))
		return false;
	*out = days * DAY_MS + ((hh * 60 + mm) * 60 + ss) * INT64_C(1000) + ms -
	       (sign == '-' ? -1 : 1) * ((zh * 60 + zm) * 60) * INT64_C(1000);
	return true;
}

/* Texts of moments in "timestamps" become milliseconds, so that they are read as numbers. */
static bool read_moments(struct gw_rp_job *job)
{
	const struct bus_json *list = job->body ? bus_json_get(job->body, "timestamps") : NULL;
	char digits[24];
	struct bus_json *at;
	const char *text;
	int64_t ms;

	for (struct bus_json *v = list && list->type == BUS_JSON_ARRAY ? list->first : NULL; v; v = v->next) {
		for (at = v->type == BUS_JSON_OBJECT ? v->first : NULL;
		     at && !bus_str_is(at->name, "timestamp"); at = at->next)
			;
		if (!at || at->type != BUS_JSON_STRING)
			continue;
		text = gw_rp_copy(job, at->text);
		if (!text)
			return false;
		if (!moment(text, &ms) || ms < 0) {
			gw_rp_say(job, 422, "timestamp: 2025-12-31T08:00:00Z");
			return false;
		}
		snprintf(digits, sizeof(digits), "%lld", (long long)ms);
		text = gw_rp_copy(job, bus_str(digits));
		if (!text)
			return false;
		at->text = bus_str(text);
	}
	return true;
}

enum seek { TO_OFFSET, TO_MOMENT, TO_BEGIN, TO_END };

/* The place itself. BUS_ENOENT: not one of its partitions. */
static enum bus_err place_of(struct gw_rp_worker *w, struct gw_rp_instance *next, const char *topic,
			     const struct gw_rp_place *asked, enum seek how, struct bus_error *err)
{
	struct bus_consumer *consumer = w->source.consumer;
	struct gw_rp_place *place;
	int64_t begin = 0, end = 0, at = asked->next;
	enum bus_err rc = BUS_OK;

	if (!gw_rp_held(next, topic, asked->partition))
		return bus_fail(err, BUS_ENOENT, "No current assignment for a partition that is named");
	place = gw_rp_hold(next, topic, asked->partition);
	if (how == TO_MOMENT)
		rc = bus_consumer_at_time(consumer, topic, asked->partition, asked->next, &at, GW_RP_ASK_MS,
					  err);
	else if (how != TO_OFFSET)
		rc = bus_consumer_bounds(consumer, topic, asked->partition, &begin, &end, GW_RP_ASK_MS, err);
	if (how == TO_BEGIN || how == TO_END)
		at = how == TO_BEGIN ? begin : end;
	place->next = place->back = at;
	return rc;
}

static enum bus_err seek_all(struct gw_rp_worker *w, struct gw_rp_instance *next,
			     const struct gw_rp_instance *asked, enum seek how, struct bus_error *err)
{
	enum bus_err rc = gw_rp_source_open(w, err);

	for (size_t t = 0; t < asked->n_held && rc == BUS_OK; t++)
		for (size_t p = 0; p < asked->held[t].n && rc == BUS_OK; p++)
			rc = place_of(w, next, asked->held[t].topic, &asked->held[t].at[p], how, err);
	return rc;
}

static void seek(struct gw_rp_worker *w, struct gw_rp_job *job, const struct gw_rp_instance *one,
		 enum seek how, const struct gw_rp_instance *other, enum seek other_how)
{
	struct bus_error err = { 0 };
	struct gw_rp_at at;
	bool again = true;
	int tries = 0;
	enum bus_err rc;

	while (again && gw_rp_current(job, &at)) {
		again = false;
		rc = seek_all(w, at.next, one, how, &err);
		if (rc == BUS_OK && other)
			rc = seek_all(w, at.next, other, other_how, &err);
		if (rc == BUS_ENOENT)
			gw_rp_say(job, GW_RP_ILLEGAL_STATE, err.text);
		else if (rc != BUS_OK)
			gw_rp_say_err(job, &err);
		else if (gw_rp_write(job, &at, &tries, &again))
			gw_rp_answer(job, 204, NULL);
		gw_rp_at_release(&at);
	}
}

void gw_rp_do_seek(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	struct gw_rp_instance *offsets = gw_rp_instance_new(), *moments = gw_rp_instance_new();

	if (read_moments(job) && gw_rp_read_places(job, "offsets", "offset", offsets) &&
	    gw_rp_read_places(job, "timestamps", "timestamp", moments)) {
		if (offsets->n_held + moments->n_held == 0)
			gw_rp_say(job, 422, "offsets or timestamps");
		else
			seek(w, job, offsets, TO_OFFSET, moments, TO_MOMENT);
	}
	gw_rp_instance_unref(&offsets);
	gw_rp_instance_unref(&moments);
}

static void seek_end(struct gw_rp_worker *w, struct gw_rp_job *job, enum seek how)
{
	struct gw_rp_instance *asked = gw_rp_instance_new();

	if (gw_rp_read_places(job, "partitions", NULL, asked)) {
		if (asked->n_held == 0)
			gw_rp_say(job, 422, "partitions");
		else
			seek(w, job, asked, how, NULL, how);
	}
	gw_rp_instance_unref(&asked);
}

void gw_rp_do_seek_beginning(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	seek_end(w, job, TO_BEGIN);
}

void gw_rp_do_seek_end(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	seek_end(w, job, TO_END);
}
