/* Consumers made and deleted. */
#include <stdlib.h>
#include <strings.h>

#include "bus/crypto.h"
#include "bus/json_out.h"
#include "bus/percent.h"
#include "gateway/publish/publish.h"
#include "gateway/restproxy/change.h"

/* bare: a number or a truth may stand where its text is meant, as these clients write it. */
static const char *text_of(struct gw_rp_job *job, const char *name, const char *other, bool bare)
{
	const struct bus_json *v = job->body ? bus_json_get(job->body, name) : NULL;

	if (!v && other && job->body)
		v = bus_json_get(job->body, other);
	if (!v || v->type == BUS_JSON_NULL)
		return NULL;
	if (bare && (v->type == BUS_JSON_TRUE || v->type == BUS_JSON_FALSE))
		return v->type == BUS_JSON_TRUE ? "true" : "false";
	return v->type == BUS_JSON_STRING || (bare && v->type == BUS_JSON_NUMBER) ? gw_rp_copy(job, v->text)
										  : "";
}

static bool number_of(struct gw_rp_job *job, const char *name, int64_t least, int64_t most, int64_t *out)
{
	const char *text = text_of(job, name, NULL, true);
	char *end;

	if (!text)
		return true;
	*out = strtoll(text, &end, 10);
	return end != text && *end == '\0' && *out >= least && *out <= most;
}

_Static_assert(GW_RP_AVRO == GW_RP_FORMAT_MAX, "formats that are read back");

/* NULL: good; else what is wrong. */
static const char *read_settings(struct gw_rp_job *job, struct gw_rp_instance *i)
{
	const char *format = text_of(job, "format", NULL, false),
		   *reset = text_of(job, "auto.offset.reset", NULL, false),
		   *commit = text_of(job, "auto.commit.enable", "enable.auto.commit", true);

	i->format = GW_RP_BINARY;
	i->auto_commit = true;
	i->fetch_min = 1;
	i->timeout_ms = GW_RP_TIMEOUT_DEFAULT;
	if (format) {
		for (i->format = GW_RP_AVRO; i->format > GW_RP_UNSAID; i->format--)
			if (strcmp(format, gw_rp_format_name((enum gw_rp_format)i->format)) == 0)
				break;
		if (i->format == GW_RP_UNSAID)
			return "format: binary, json, avro";
	}
	if (reset) {
		i->earliest = strcasecmp(reset, "earliest") == 0 || strcasecmp(reset, "smallest") == 0;
		if (!i->earliest && strcasecmp(reset, "latest") != 0 && strcasecmp(reset, "largest") != 0)
			return "auto.offset.reset: earliest, latest";
	}
	if (commit) {
		i->auto_commit = strcasecmp(commit, "true") == 0;
		if (!i->auto_commit && strcasecmp(commit, "false") != 0)
			return "auto.commit.enable: true, false";
	}
	if (!number_of(job, "fetch.min.bytes", -1, INT32_MAX, &i->fetch_min))
		return "fetch.min.bytes: -1 to 2147483647";
	if (i->fetch_min < 1)
		i->fetch_min = 1;
	if (!number_of(job, "consumer.request.timeout.ms", 0, GW_RP_TIMEOUT_MAX, &i->timeout_ms))
		return "consumer.request.timeout.ms: 0 to 300000";
	return NULL;
}

/* Part of a URL, and text in our topic. */
static bool good_name(const char *name)
{
	const size_t n = strlen(name);

	for (const char *p = name; *p; p++)
		if ((uint8_t)*p < 0x20 || *p == 0x7f || *p == '/' || *p == '?' || *p == '#')
			return false;
	return n > 0 && n <= GW_RP_NAME_MAX && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* Room for one more in this group? The state is locked. */
static int room_for(const struct gw_consumers *c, const struct gw_rp_state *s, const struct gw_rp_instance *i,
		    const char **why)
{
	const char *owner = gw_rp_state_owner(s, i->group);
	struct gw_rp_found other;

	*why = NULL;
	if (owner && strcmp(owner, i->reader) != 0) {
		*why = "the group is another reader's";
		return GW_RP_FORBIDDEN;
	}
	if (gw_rp_state_find(s, i->group, i->name, &other)) {
		gw_rp_instance_unref(&other.i);
		return GW_RP_CONSUMER_EXISTS;
	}
	if (gw_rp_state_count(s, i->reader) >= (size_t)c->conf.per_reader ||
	    gw_rp_state_count(s, NULL) >= (size_t)c->conf.in_all) {
		*why = "too many consumers: delete some";
		return 429;
	}
	return 0;
}

static void say_created(struct gw_rp_job *job, const struct gw_rp_instance *i)
{
	struct bus_buf body = { 0 }, uri = { 0 };
	struct bus_json_out j = { .buf = &body };

	bus_buf_puts(&uri, job->all->conf.base);
	bus_buf_puts(&uri, "/consumers/");
	bus_percent_put(&uri, bus_str(i->group));
	bus_buf_puts(&uri, "/instances/");
	bus_percent_put(&uri, bus_str(i->name));
	bus_json_object(&j);
	bus_json_text_member(&j, "instance_id", i->name);
	bus_json_text_member(&j, "base_uri", bus_buf_cstr(&uri));
	bus_json_object_end(&j);
	bus_buf_release(&uri);
	gw_rp_answer(job, 200, &body);
}

/* Somebody was faster: with the name, or with the group. */
static void say_void(struct gw_rp_job *job, const struct gw_rp_instance *i)
{
	const char *owner = gw_rp_state_owner(gw_rp_log_lock(job->all->log), i->group);
	const bool others = owner && strcmp(owner, i->reader) != 0;

	gw_rp_log_unlock(job->all->log);
	gw_rp_say(job, others ? GW_RP_FORBIDDEN : GW_RP_CONSUMER_EXISTS,
		  others ? "the group is another reader's" : NULL);
}

void gw_rp_do_create(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	struct gw_consumers *c = w->all;
	struct gw_rp_instance *i = gw_rp_instance_new();
	const char *name = text_of(job, "name", "id", false), *why = read_settings(job, i);
	char hex[2 * GW_RP_ID_LEN + 1];
	struct bus_error err = { 0 };
	enum bus_err rc;
	int code;

	bus_random(i->id, sizeof(i->id));
	bus_random(&i->write, sizeof(i->write));
	bus_hex(i->id, sizeof(i->id), hex);
	i->seq = 1;
	i->node = gw_rp_log_node(c->log);
	i->reader = bus_xstrdup(job->reader);
	i->group = bus_xstrdup(job->group);
	i->name = name ? bus_xstrdup(name) : bus_xasprintf("rest-consumer-%s", hex);
	if (!why && !good_name(i->group))
		why = "the group's name: 1 to 249 bytes, no slash";
	if (!why && (gw_publish_holds_nik(bus_str(i->group)) || gw_publish_holds_nik(bus_str(i->name))))
		why = "names are in URLs and logs: no NIK in them";
	if (!why && !good_name(i->name))
		why = "name: 1 to 249 bytes, no slash";
	if (why || job->answered) {
		if (!job->answered)
			gw_rp_say(job, GW_RP_CONSUMER_CONFIG, why);
		gw_rp_instance_unref(&i);
		return;
	}
	code = room_for(c, gw_rp_log_lock(c->log), i, &why);
	gw_rp_log_unlock(c->log);
	rc = code ? BUS_OK : gw_rp_put(c, i, &err);
	if (code)
		gw_rp_say_for(job, code, why, code == 429 ? 60 : 0); /* those gone are forgotten by then */
	else if (rc == BUS_OK)
		say_created(job, i);
	else if (rc == BUS_ECONFLICT)
		say_void(job, i);
	else
		gw_rp_say_err(job, &err);
	gw_rp_instance_unref(&i);
}

void gw_rp_do_delete(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	struct gw_rp_at at;
	bool again = true;
	int tries = 0;

	while (again && gw_rp_current(job, &at)) {
		gw_rp_commit_places(w->all, at.next, true);
		at.next->gone = true;
		gw_rp_hold_nothing(at.next);
		if (gw_rp_write(job, &at, &tries, &again))
			gw_rp_answer(job, 204, NULL);
		gw_rp_at_release(&at);
	}
}
