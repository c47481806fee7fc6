/* Partitions that a consumer assigned to itself: shared with nobody. */
#include "bus/json_out.h"
#include "gateway/publish/publish.h"
#include "gateway/restproxy/change.h"

void gw_rp_say_topic(struct gw_rp_job *job, int error_code, const char *topic)
{
	gw_rp_say(job, error_code, gw_publish_holds_nik(bus_str(topic)) ? NULL : topic);
}

bool gw_rp_may_read(struct gw_rp_job *job, const struct gw_rp_instance *i, const char *topic)
{
	if (gw_rp_topic_partitions(job->all, job->reader, topic) == 0)
		gw_rp_say_topic(job, GW_RP_TOPIC_UNKNOWN, topic);
	else if (i->format == GW_RP_BINARY && !gw_rp_topic_clear(job->all, job->reader, topic))
		gw_rp_say(
		    job, GW_RP_FORBIDDEN,
		    "as bytes only where nothing is masked (policy: clear: [\"*\"]); format avro or json");
	return !job->answered;
}

static bool read_one(struct gw_rp_job *job, const struct bus_json *v, const char *number,
		     struct gw_rp_instance *out)
{
	const struct bus_json *topic = v->type == BUS_JSON_OBJECT ? bus_json_get(v, "topic") : NULL,
			      *partition = topic ? bus_json_get(v, "partition") : NULL,
			      *value = topic && number ? bus_json_get(v, number) : NULL;
	struct gw_rp_place *place;
	const char *text;
	int64_t p, n = 0;
	char *end;

	if (!topic || topic->type != BUS_JSON_STRING || topic->text.n == 0 ||
	    topic->text.n > GW_RP_NAME_MAX || !partition ||
	    (partition->type != BUS_JSON_NUMBER && partition->type != BUS_JSON_STRING))
		return false;
	/* Numbers may come as text: these clients do so. */
	text = gw_rp_copy(job, partition->text);
	p = text ? strtoll(text, &end, 10) : -1;
	if (partition->text.n == 0 || p < 0 || *end || p > INT32_MAX)
		return false;
	if (number) {
		if (!value || (value->type != BUS_JSON_NUMBER && value->type != BUS_JSON_STRING) ||
		    value->text.n == 0)
			return false;
		text = gw_rp_copy(job, value->text);
		n = text ? strtoll(text, &end, 10) : -1;
		if (n < 0 || *end || n == INT64_MAX)
			return false;
	}
	text = gw_rp_copy(job, topic->text);
	place = text ? gw_rp_hold(out, text, (int32_t)p) : NULL;
	if (!place)
		return false;
	place->next = n;
	return true;
}

bool gw_rp_read_places(struct gw_rp_job *job, const char *name, const char *number,
		       struct gw_rp_instance *out)
{
	const struct bus_json *list = job->body ? bus_json_get(job->body, name) : NULL, *v;
	size_t n = 0; /* equal ones too: reading them is work */
	char *detail;

	if (!list || list->type == BUS_JSON_NULL)
		return true;
	for (v = list->type == BUS_JSON_ARRAY ? list->first : list; v && v != list; v = v->next)
		if (n++ == GW_RP_HELD_MAX || !read_one(job, v, number, out))
			break;
	if (!v)
		return true;
	if (job->answered)
		return false;
	detail =
	    bus_xasprintf("%s: [{\"topic\": \"...\", \"partition\": 0%s%s%s}], at most %d", name,
			  number ? ", \"" : "", number ? number : "", number ? "\": 0" : "", GW_RP_HELD_MAX);
	gw_rp_say(job, 422, detail);
	free(detail);
	return false;
}

void gw_rp_do_assign(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	struct gw_rp_instance *asked = gw_rp_instance_new();
	struct bus_error err = { 0 };
	struct gw_rp_at at;
	bool again = true;
	int tries = 0;

	again = gw_rp_read_places(job, "partitions", NULL, asked);
	while (again && gw_rp_current(job, &at)) {
		again = false;
		if (at.i->mode == GW_RP_TOPICS || at.i->mode == GW_RP_PATTERN)
			gw_rp_say(job, GW_RP_ILLEGAL_STATE, GW_RP_ONE_WAY);
		for (size_t t = 0; !job->answered && t < asked->n_held; t++)
			if (gw_rp_may_read(job, at.i, asked->held[t].topic) &&
			    asked->held[t].at[asked->held[t].n - 1].partition >=
				gw_rp_topic_partitions(w->all, job->reader, asked->held[t].topic))
				gw_rp_say_topic(job, GW_RP_PARTITION_UNKNOWN, asked->held[t].topic);
		if (!job->answered) {
			struct gw_rp_instance *before = gw_rp_instance_next(at.next);

			gw_rp_commit_places(w->all, before, true);
			gw_rp_set_names(at.next, asked->n_held ? GW_RP_ASSIGNED : GW_RP_NOTHING, NULL, 0);
			gw_rp_hold_nothing(at.next);
			for (size_t t = 0; t < asked->n_held; t++)
				for (size_t p = 0; p < asked->held[t].n; p++) {
					const char *topic = asked->held[t].topic;
					const int32_t partition = asked->held[t].at[p].partition;
					const struct gw_rp_place *was = gw_rp_held(before, topic, partition);
					struct gw_rp_place *is = gw_rp_hold(at.next, topic, partition);

					if (was)
						*is = *was;
					else
						is->next = -1;
				}
			gw_rp_instance_unref(&before);
			if (gw_rp_begin_places(w, at.next, &err) != BUS_OK)
				gw_rp_say_err(job, &err);
			else if (gw_rp_write(job, &at, &tries, &again))
				gw_rp_answer(job, 204, NULL);
		}
		gw_rp_at_release(&at);
	}
	gw_rp_instance_unref(&asked);
}

void gw_rp_do_assignments(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	struct gw_rp_at at;

	(void)w;
	if (!gw_rp_current(job, &at))
		return;
	bus_json_object(&j);
	bus_json_key(&j, "partitions");
	bus_json_array(&j);
	for (size_t t = 0; t < at.i->n_held; t++)
		for (size_t p = 0; p < at.i->held[t].n; p++) {
			bus_json_object(&j);
			bus_json_text_member(&j, "topic", at.i->held[t].topic);
			bus_json_int_member(&j, "partition", at.i->held[t].at[p].partition);
			bus_json_object_end(&j);
		}
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	gw_rp_touch(job, &at);
	gw_rp_at_release(&at);
	gw_rp_answer(job, 200, &body);
}
