/* Questions about the cluster, one after the other on a thread of their own. */
#include "gateway/restproxy/proxy.h"

#include <pthread.h>
#include <stdlib.h>

#include "bus/admin_look.h"
#include "bus/clock.h"
#include "bus/log.h"
#include "bus/wait.h"
#include "gateway/restproxy/body.h"

#define PATIENCE_MS 10000 /* in the queue */
#define IDLE_MS 60000	  /* a connection that nobody needed for so long is closed */

struct gw_proxy {
	struct gw_api *api;
	const struct bus_kafka_conf *kafka;
	struct gw_rp_memo *memo;
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct gw_question *queue, **end; /* lock, as the next two */
	size_t n;
	bool stop;
};

static void question_free(struct gw_question **q)
{
	free((*q)->topic);
	free(*q);
	*q = NULL;
}

/* Has the next one, or NULL after a while without any. With the lock. */
static struct gw_question *next(struct gw_proxy *p)
{
	struct gw_question *q;
	int64_t until = bus_clock_mono_ms() + IDLE_MS;

	while (!p->queue && !p->stop && bus_cond_wait(&p->cond, &p->lock, until))
		;
	q = p->queue;
	if (!q)
		return NULL;
	p->queue = q->next;
	if (!p->queue)
		p->end = &p->queue;
	p->n--;
	return q;
}

static void answer(struct gw_proxy *p, struct bus_look **look, struct gw_question *q, bool stopping)
{
	struct bus_http_ticket *ticket = q->ticket;
	struct bus_error err = { 0 };

	if (stopping || bus_clock_mono_ms() > q->until)
		gw_rp_fail(bus_http_ticket_request(ticket), GW_RP_KAFKA_RETRY,
			   stopping ? "stopping" : "too many ask at once");
	else if (!*look && bus_look_open(p->kafka, look, &err))
		gw_rp_fail(bus_http_ticket_request(ticket), GW_RP_KAFKA_RETRY, NULL);
	else if (!gw_look_answer(p->api, *look, q))
		bus_look_close(look);
	if (err.text[0])
		bus_log(BUS_LOG_WARN, "restproxy.look", LOG_ERR(&err));
	question_free(&q);
	bus_http_ticket_done(ticket);
}

static void *work(void *ctx)
{
	struct gw_proxy *p = ctx;
	struct bus_look *look = NULL;
	struct gw_question *q;
	bool stop;

	for (;;) {
		pthread_mutex_lock(&p->lock);
		q = next(p);
		stop = p->stop;
		pthread_mutex_unlock(&p->lock);
		if (q)
			answer(p, &look, q, stop);
		else if (stop)
			break;
		else
			bus_look_close(&look);
	}
	bus_look_close(&look);
	return NULL;
}

enum bus_err gw_proxy_new(struct gw_api *api, const struct bus_kafka_conf *kafka, struct gw_proxy **out,
			  struct bus_error *err)
{
	struct gw_proxy *p = bus_xcalloc(1, sizeof(*p));

	p->api = api;
	p->kafka = kafka;
	p->memo = gw_rp_memo_new();
	p->end = &p->queue;
	pthread_mutex_init(&p->lock, NULL);
	bus_cond_init(&p->cond);
	p->runs = pthread_create(&p->thread, NULL, work, p) == 0;
	*out = p;
	return p->runs ? BUS_OK : bus_fail(err, BUS_EIO, "cannot start a thread");
}

void gw_proxy_stop(struct gw_proxy *p)
{
	if (!p || !p->runs)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_signal(&p->cond);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	p->runs = false;
}

void gw_proxy_free(struct gw_proxy **pp)
{
	struct gw_proxy *p = *pp;

	*pp = NULL;
	if (!p)
		return;
	gw_rp_memo_free(&p->memo);
	pthread_cond_destroy(&p->cond);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

struct gw_rp_memo *gw_proxy_memo(struct gw_proxy *p)
{
	return p->memo;
}

/* --- the handlers -------------------------------------------------------------------------------------------- */

static void ask(struct gw_proxy *p, struct bus_http_request *req, enum gw_look what, const char *reader,
		int32_t partition)
{
	const char *topic = bus_http_part(req, "topic");
	struct gw_question *q = NULL;
	size_t same = 0;

	pthread_mutex_lock(&p->lock);
	for (const struct gw_question *o = p->queue; o; o = o->next)
		same += strcmp(o->reader, reader) == 0;
	if (p->n < GW_PROXY_QUEUE_MAX && same < GW_PROXY_READER_MAX && !p->stop) {
		q = bus_xcalloc(1, sizeof(*q));
		q->what = what;
		memcpy(q->reader, reader, sizeof(q->reader));
		q->topic = *topic ? bus_xstrdup(topic) : NULL;
		q->partition = partition;
		q->until = bus_clock_mono_ms() + PATIENCE_MS;
		q->ticket = bus_http_defer(req);
		*p->end = q;
		p->end = &q->next;
		p->n++;
		pthread_cond_signal(&p->cond);
	}
	pthread_mutex_unlock(&p->lock);
	if (!q)
		gw_rp_fail_for(req, same < GW_PROXY_READER_MAX ? GW_RP_KAFKA_RETRY : 429,
			       "too many ask at once", 1);
}

static void look(struct gw_api *api, struct bus_http_request *req, enum gw_look what)
{
	const char *topic = bus_http_part(req, "topic");
	char reader[GW_READER_NAME_MAX] = "";
	int32_t partition = -1;

	if (!gw_rp_reader(api, req, reader) || !gw_rp_accept(req))
		return;
	if (*topic && !gw_rp_may_see(api, reader, topic)) {
		gw_rp_fail(req, GW_RP_TOPIC_UNKNOWN, NULL);
		return;
	}
	if (*bus_http_part(req, "partition") && !gw_rp_partition(req, &partition))
		return;
	ask(api->proxy, req, what, reader, partition);
}

void gw_rp_topics(void *api, struct bus_http_request *req)
{
	look(api, req, GW_LOOK_TOPICS);
}

void gw_rp_topic(void *api, struct bus_http_request *req)
{
	look(api, req, GW_LOOK_TOPIC);
}

void gw_rp_partitions(void *api, struct bus_http_request *req)
{
	look(api, req, GW_LOOK_PARTITIONS);
}

void gw_rp_one_partition(void *api, struct bus_http_request *req)
{
	look(api, req, GW_LOOK_PARTITION);
}

void gw_rp_offsets(void *api, struct bus_http_request *req)
{
	look(api, req, GW_LOOK_OFFSETS);
}

void gw_rp_brokers(void *api, struct bus_http_request *req)
{
	look(api, req, GW_LOOK_BROKERS);
}
