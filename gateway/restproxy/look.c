/* What the cluster looks like, as kafka-rest's entities have it. */
#include <stdlib.h>

#include "bus/admin_look.h"
#include "bus/json_out.h"
#include "bus/log.h"
#include "gateway/restproxy/proxy.h"

#define TIMEOUT_MS 5000

struct list { /* of texts, or of partitions written already */
	struct entry {
		int32_t id, leader;
		char *text;
	} * item;
	size_t n;
	struct gw_api *api;
	const char *reader;
};

static struct entry *add(struct list *l, int32_t id, char *text)
{
	if (l->n % 64 == 0)
		l->item = bus_xrealloc(l->item, (l->n + 64) * sizeof(*l->item));
	l->item[l->n] = (struct entry){ id, -1, text };
	return &l->item[l->n++];
}

static void list_release(struct list *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->item[i].text);
	free(l->item);
}

static int by_id(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->id == y->id && x->text && y->text)
		return strcmp(x->text, y->text);
	return x->id < y->id ? -1 : x->id > y->id;
}

static void sort(struct list *l)
{
	if (l->n > 0)
		qsort(l->item, l->n, sizeof(*l->item), by_id);
}

static void add_topic(void *ctx, const char *name, int32_t partitions)
{
	struct list *l = ctx;

	(void)partitions;
	if (gw_rp_may_see(l->api, l->reader, name))
		add(l, 0, bus_xstrdup(name));
}

static void add_broker(void *ctx, int32_t id)
{
	add(ctx, id, NULL);
}

static bool in_sync(const struct bus_look_partition *p, int32_t broker)
{
	for (size_t i = 0; i < p->n_in_sync; i++)
		if (p->in_sync[i] == broker)
			return true;
	return false;
}

static void add_partition(void *ctx, const struct bus_look_partition *p)
{
	struct bus_buf text = { 0 };
	struct bus_json_out j = { .buf = &text };

	bus_json_object(&j);
	bus_json_int_member(&j, "partition", p->id);
	bus_json_int_member(&j, "leader", p->leader);
	bus_json_key(&j, "replicas");
	bus_json_array(&j);
	for (size_t i = 0; i < p->n_replicas; i++) {
		bus_json_object(&j);
		bus_json_int_member(&j, "broker", p->replica[i]);
		bus_json_bool_member(&j, "leader", p->replica[i] == p->leader);
		bus_json_bool_member(&j, "in_sync", in_sync(p, p->replica[i]));
		bus_json_object_end(&j);
	}
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	add(ctx, p->id, bus_xstrdup(bus_buf_cstr(&text)))->leader = p->leader;
	bus_buf_release(&text);
}

static void put_setting(void *ctx, const char *name, const char *value)
{
	bus_json_text_member(ctx, name, value);
}

static void put_partitions(struct bus_json_out *j, const struct list *l)
{
	bus_json_array(j);
	for (size_t i = 0; i < l->n; i++)
		bus_json_put_raw(j, bus_str(l->item[i].text));
	bus_json_array_end(j);
}

/* 0, or the code of an error that is no fault of Kafka's. */
static int put_offsets(struct bus_look *look, const struct gw_question *q, const struct entry *p,
		       struct bus_json_out *j, enum bus_err *rc, struct bus_error *err)
{
	int64_t first = 0, end = 0;

	if (p->leader < 0)
		return GW_RP_LEADER_NONE;
	*rc = bus_look_offsets(look, q->topic, q->partition, &first, &end, TIMEOUT_MS, err);
	bus_json_object(j);
	bus_json_int_member(j, "beginning_offset", first);
	bus_json_int_member(j, "end_offset", end);
	bus_json_object_end(j);
	return 0;
}

static int put_topic(struct bus_look *look, const struct gw_question *q, struct list *l,
		     struct bus_json_out *j, enum bus_err *rc, struct bus_error *err)
{
	const struct entry *p = NULL;

	*rc = bus_look_topic(look, q->topic, add_partition, l, TIMEOUT_MS, err);
	if (*rc == BUS_ENOENT)
		return GW_RP_TOPIC_UNKNOWN;
	if (*rc != BUS_OK)
		return 0;
	sort(l);
	if (q->what == GW_LOOK_TOPIC) {
		bus_json_object(j);
		bus_json_text_member(j, "name", q->topic);
		bus_json_key(j, "configs");
		bus_json_object(j);
		*rc = bus_look_settings(look, q->topic, put_setting, j, TIMEOUT_MS, err);
		bus_json_object_end(j);
		bus_json_key(j, "partitions");
		put_partitions(j, l);
		bus_json_object_end(j);
		return 0;
	}
	if (q->what == GW_LOOK_PARTITIONS) {
		put_partitions(j, l);
		return 0;
	}
	for (size_t i = 0; i < l->n; i++)
		if (l->item[i].id == q->partition)
			p = &l->item[i];
	if (!p)
		return GW_RP_PARTITION_UNKNOWN;
	if (q->what == GW_LOOK_OFFSETS)
		return put_offsets(look, q, p, j, rc, err);
	bus_json_put_raw(j, bus_str(p->text));
	return 0;
}

static void put_list(const struct gw_question *q, struct list *l, struct bus_json_out *j)
{
	sort(l);
	if (q->what == GW_LOOK_BROKERS) {
		bus_json_object(j);
		bus_json_key(j, "brokers");
	}
	bus_json_array(j);
	for (size_t i = 0; i < l->n; i++)
		if (q->what == GW_LOOK_BROKERS)
			bus_json_put_int(j, l->item[i].id);
		else
			bus_json_put_text(j, l->item[i].text);
	bus_json_array_end(j);
	if (q->what == GW_LOOK_BROKERS)
		bus_json_object_end(j);
}

bool gw_look_answer(struct gw_api *api, struct bus_look *look, const struct gw_question *q)
{
	struct bus_http_request *req = bus_http_ticket_request(q->ticket);
	struct list l = { .api = api, .reader = q->reader };
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };
	struct bus_error err = { 0 };
	enum bus_err rc = BUS_OK;
	int error = 0;

	if (q->what == GW_LOOK_TOPICS || q->what == GW_LOOK_BROKERS) {
		rc = q->what == GW_LOOK_TOPICS ? bus_look_each_topic(look, add_topic, &l, TIMEOUT_MS, &err)
					       : bus_look_each_broker(look, add_broker, &l, TIMEOUT_MS, &err);
		put_list(q, &l, &j);
	} else {
		error = put_topic(look, q, &l, &j, &rc, &err);
	}
	list_release(&l);
	if (error) {
		gw_rp_fail(req, error, NULL);
	} else if (rc != BUS_OK) {
		bus_log(BUS_LOG_WARN, "restproxy.look", LOG_ERR(&err));
		gw_rp_fail(req, GW_RP_KAFKA_RETRY, "no answer");
	} else {
		gw_rp_reply(req, 200, &body);
	}
	bus_buf_release(&body);
	return error || rc == BUS_OK;
}
