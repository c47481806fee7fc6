#include "bus/producer.h"

#include <assert.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/mem.h"

#define WINDOW_DEFAULT 20000
#define WINDOW_BYTES_KB "16384"
#define POLL_EVERY 128 /* sends between two looks at the delivery reports while there is room */
#define TXN_TIMEOUT_MS 15000
#define COLLECT_TIMEOUT_MS 10000

struct topic {
	char *name;
	rd_kafka_topic_t *rkt; /* NULL until used with the present handle */
};

/* A record that came back from a dead handle, to be sent with the next one. */
struct again {
	uint64_t send;
	size_t topic;
	int32_t partition;
	int64_t timestamp_ms;
	void *key, *value; /* NULL: null */
	size_t key_len, value_len;
	rd_kafka_headers_t *headers;
};

struct sent {
	uint64_t token;
	bool acked;
};

struct bus_producer {
	struct bus_producer_conf conf;
	char window_text[16];
	rd_kafka_t *rk;
	struct topic *topic;
	size_t n_topics, last_topic;

	/* Sends are numbered from 1. Those from head on, up to next, are not known to be in the log; their
	 * tokens lie in a ring of window entries. librdkafka carries the number as the record's opaque. */
	struct sent *ring;
	uint64_t mask;
	uint64_t window;
	uint64_t head, next;
	uint64_t acked;
	int64_t offset;
	int unpolled;

	bool fatal; /* the handle is dead: replace it */
	struct again *again;
	size_t n_again, cap_again;
	uint64_t replaced;

	struct bus_error refused; /* code != BUS_OK: the end */
	bool in_transaction;
	bool closing;
};

static void refuse(struct bus_producer *p, const rd_kafka_message_t *m)
{
	if (p->refused.code == BUS_OK)
		(void)bus_kafka_fail(&p->refused, m->err, "topic '%s' does not take a record",
				     rd_kafka_topic_name(m->rkt));
}

static void *copy(const void *p, size_t n)
{
	void *c;

	if (!p)
		return NULL;
	c = bus_xmalloc(n + 1); /* never 0 bytes: an empty value is not a null one */
	memcpy(c, p, n);
	return c;
}

static size_t topic_index(struct bus_producer *p, const char *name)
{
	size_t i;

	if (p->last_topic < p->n_topics && strcmp(p->topic[p->last_topic].name, name) == 0)
		return p->last_topic;
	for (i = 0; i < p->n_topics; i++)
		if (strcmp(p->topic[i].name, name) == 0)
			return p->last_topic = i;
	p->topic = bus_xrealloc(p->topic, (p->n_topics + 1) * sizeof(*p->topic));
	p->topic[p->n_topics] = (struct topic){ .name = bus_xstrdup(name) };
	return p->last_topic = p->n_topics++;
}

static void keep(struct bus_producer *p, const rd_kafka_message_t *m)
{
	rd_kafka_headers_t *headers = NULL;
	struct again *a;

	if (p->n_again == p->cap_again) {
		p->cap_again = p->cap_again ? 2 * p->cap_again : 256;
		p->again = bus_xrealloc(p->again, p->cap_again * sizeof(*p->again));
	}
	a = &p->again[p->n_again++];
	*a = (struct again){ .send = (uint64_t)(uintptr_t)m->_private,
			     .topic = topic_index(p, rd_kafka_topic_name(m->rkt)),
			     .partition = m->partition,
			     .timestamp_ms = rd_kafka_message_timestamp(m, NULL),
			     .key = copy(m->key, m->key_len),
			     .value = copy(m->payload, m->len),
			     .key_len = m->key_len,
			     .value_len = m->len };
	if (rd_kafka_message_headers(m, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR && headers)
		a->headers = rd_kafka_headers_copy(headers);
}

static void move_watermark(struct bus_producer *p)
{
	while (p->head < p->next && p->ring[p->head & p->mask].acked) {
		p->acked = p->ring[p->head & p->mask].token;
		p->head++;
	}
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct bus_producer *p = opaque;
	uint64_t send = (uint64_t)(uintptr_t)m->_private;

	if (p->closing || (p->conf.transactional_id && send < p->head)) /* of an aborted transaction */
		return;
	assert(send >= p->head && send < p->next);
	if (!m->err) {
		p->offset = m->offset;
		p->ring[send & p->mask].acked = true;
		if (!p->conf.transactional_id && send == p->head)
			move_watermark(p);
		return;
	}
	if (p->conf.transactional_id)
		return; /* the commit will say */
	if (rd_kafka_fatal_error(rk, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR)
		p->fatal = true;
	if (p->fatal || m->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
	    m->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
		keep(p, m);
	else
		refuse(p, m);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct bus_producer *p = opaque;

	if (code == RD_KAFKA_RESP_ERR__FATAL)
		p->fatal = true;
	bus_kafka_log_error(rk, code, reason);
}

/* Why lz4: on 300-byte records with our headers it sends faster than no compression, at a third of the bytes;
 * zstd saves 30 % more bytes at three quarters of the rate (tests/bench/bench_kafka.c). */
static enum bus_err open_handle(struct bus_producer *p, struct bus_error *err)
{
	bool txn = p->conf.transactional_id != NULL;
	const struct bus_kafka_setting setting[] = {
		{ .name = "enable.idempotence", .value = "true" },
		{ .name = "acks", .value = "all" },
		{ .name = "linger.ms", .value = txn ? "0" : "5" },
		{ .name = "compression.type", .value = "lz4" },
		{ .name = "partitioner", .value = "murmur2_random" },
		{ .name = "queue.buffering.max.messages", .value = p->window_text },
		{ .name = "queue.buffering.max.kbytes", .value = WINDOW_BYTES_KB },
		/* librdkafka wants a transaction's records to end before the transaction does. */
		{ .name = txn ? "transactional.id" : "message.timeout.ms",
		  .value = txn ? p->conf.transactional_id : "0" },
		{ 0 },
	};
	rd_kafka_conf_t *c = NULL;
	enum bus_err rc;
	char why[256];

	rc = bus_kafka_conf_make(&p->conf.kafka, setting, &c, err);
	if (rc != BUS_OK)
		return rc;
	rd_kafka_conf_set_opaque(c, p);
	rd_kafka_conf_set_dr_msg_cb(c, on_delivery);
	rd_kafka_conf_set_error_cb(c, on_error);
	p->rk = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof(why));
	if (p->rk)
		return BUS_OK;
	rd_kafka_conf_destroy(c);
	return bus_fail(err, BUS_EINVAL, "Kafka producer: %s", why);
}

static void close_handle(struct bus_producer *p)
{
	size_t i;

	for (i = 0; i < p->n_topics; i++)
		if (p->topic[i].rkt)
			rd_kafka_topic_destroy(p->topic[i].rkt);
	for (i = 0; i < p->n_topics; i++)
		p->topic[i].rkt = NULL;
	if (p->rk)
		rd_kafka_destroy(p->rk);
	p->rk = NULL;
}

/* A failed call's meaning, in a transaction: see the header. Takes e. */
static enum bus_err txn_fail(struct bus_producer *p, rd_kafka_error_t *e, const char *what,
			     struct bus_error *err)
{
	bool abortable = rd_kafka_error_txn_requires_abort(e);
	rd_kafka_error_t *second = NULL;

	(void)bus_fail(err, BUS_EFATAL, "%s: %s", what, rd_kafka_error_string(e));
	rd_kafka_error_destroy(e);
	if (!abortable || !p->in_transaction)
		return BUS_EFATAL;
	second = rd_kafka_abort_transaction(p->rk, TXN_TIMEOUT_MS);
	if (second) {
		rd_kafka_error_destroy(second);
		return BUS_EFATAL;
	}
	p->in_transaction = false;
	p->head = p->next;
	if (err)
		err->code = BUS_EKAFKA;
	return BUS_EKAFKA;
}

static enum bus_err txn_init(struct bus_producer *p, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + TXN_TIMEOUT_MS;

	for (;;) {
		rd_kafka_error_t *e = rd_kafka_init_transactions(p->rk, TXN_TIMEOUT_MS);
		bool retriable;
		enum bus_err rc;

		if (!e)
			return BUS_OK;
		retriable = rd_kafka_error_is_retriable(e);
		rc = bus_fail(err, bus_kafka_err(rd_kafka_error_code(e)), "transactional id '%s': %s",
			      p->conf.transactional_id, rd_kafka_error_string(e));
		rd_kafka_error_destroy(e);
		if (!retriable || bus_clock_mono_ms() >= until)
			return rc;
		rd_kafka_poll(p->rk, 100);
	}
}

enum bus_err bus_producer_open(const struct bus_producer_conf *conf, struct bus_producer **out,
			       struct bus_error *err)
{
	struct bus_producer *p = bus_xcalloc(1, sizeof(*p));
	enum bus_err rc;

	*out = NULL;
	p->conf = *conf;
	p->window = conf->window > 0 ? (uint64_t)conf->window : WINDOW_DEFAULT;
	for (p->mask = 1; p->mask < p->window; p->mask *= 2)
		;
	p->ring = bus_xcalloc((size_t)p->mask, sizeof(*p->ring));
	p->mask--;
	p->head = p->next = 1;
	p->offset = -1;
	snprintf(p->window_text, sizeof(p->window_text), "%d", (int)p->window);
	rc = open_handle(p, err);
	if (rc == BUS_OK && conf->transactional_id)
		rc = txn_init(p, err);
	if (rc != BUS_OK) {
		bus_producer_close(&p);
		return rc;
	}
	*out = p;
	return BUS_OK;
}

static void release_again(struct again *a)
{
	free(a->key);
	free(a->value);
	if (a->headers)
		rd_kafka_headers_destroy(a->headers);
}

void bus_producer_close(struct bus_producer **pp)
{
	struct bus_producer *p = *pp;
	size_t i;

	if (!p)
		return;
	*pp = NULL;
	p->closing = true;
	if (p->rk)
		(void)rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	close_handle(p);
	for (i = 0; i < p->n_again; i++)
		release_again(&p->again[i]);
	for (i = 0; i < p->n_topics; i++)
		free(p->topic[i].name);
	free(p->again);
	free(p->topic);
	free(p->ring);
	free(p);
}

struct rd_kafka_s *bus_producer_handle(struct bus_producer *p)
{
	return p->rk;
}

static rd_kafka_topic_t *topic_handle(struct bus_producer *p, size_t i)
{
	if (!p->topic[i].rkt)
		p->topic[i].rkt = rd_kafka_topic_new(p->rk, p->topic[i].name, NULL);
	return p->topic[i].rkt;
}

/* One try. On success librdkafka owns the headers. */
static rd_kafka_resp_err_t produce(struct bus_producer *p, const struct again *a)
{
	rd_kafka_vu_t vu[8];
	rd_kafka_error_t *e;
	rd_kafka_resp_err_t code;
	size_t n = 0;

	vu[n].vtype = RD_KAFKA_VTYPE_RKT;
	vu[n].u.rkt = topic_handle(p, a->topic);
	if (!vu[n++].u.rkt)
		return rd_kafka_last_error();
	vu[n].vtype = RD_KAFKA_VTYPE_PARTITION;
	vu[n++].u.i32 = a->partition;
	vu[n].vtype = RD_KAFKA_VTYPE_VALUE;
	vu[n].u.mem.ptr = a->value;
	vu[n++].u.mem.size = a->value_len;
	vu[n].vtype = RD_KAFKA_VTYPE_KEY;
	vu[n].u.mem.ptr = a->key;
	vu[n++].u.mem.size = a->key_len;
	vu[n].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
	vu[n++].u.i64 = a->timestamp_ms;
	vu[n].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
	vu[n++].u.i = RD_KAFKA_MSG_F_COPY;
	vu[n].vtype = RD_KAFKA_VTYPE_OPAQUE;
	vu[n++].u.ptr = (void *)(uintptr_t)a->send;
	if (a->headers) {
		vu[n].vtype = RD_KAFKA_VTYPE_HEADERS;
		vu[n++].u.headers = a->headers;
	}
	e = rd_kafka_produceva(p->rk, vu, n);
	if (!e)
		return RD_KAFKA_RESP_ERR_NO_ERROR;
	/* A dead handle answers with whatever killed it. */
	code = rd_kafka_fatal_error(p->rk, NULL, 0) ? RD_KAFKA_RESP_ERR__FATAL : rd_kafka_error_code(e);
	rd_kafka_error_destroy(e);
	return code;
}

static int by_send(const void *a, const void *b)
{
	uint64_t x = ((const struct again *)a)->send, y = ((const struct again *)b)->send;

	return x < y ? -1 : x > y;
}

/* Sends what came back, in order. Stops when the new handle dies too: what is left stays. */
static void send_again(struct bus_producer *p)
{
	struct again *list = p->again;
	size_t i = 0, n = p->n_again;
	rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;

	/* Delivery reports of this handle may add to p->again meanwhile: a list of its own. */
	p->again = NULL;
	p->n_again = p->cap_again = 0;
	if (n > 1)
		qsort(list, n, sizeof(*list), by_send);
	while (i < n && !p->fatal && p->refused.code == BUS_OK) {
		code = produce(p, &list[i]);
		if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
			rd_kafka_poll(p->rk, 10);
			continue;
		}
		if (code == RD_KAFKA_RESP_ERR__FATAL) {
			p->fatal = true;
			break;
		}
		if (code) {
			(void)bus_kafka_fail(&p->refused, code, "cannot send again");
			break;
		}
		list[i].headers = NULL;
		release_again(&list[i]);
		i++;
	}
	for (; i < n; i++) {
		if (p->fatal) {
			p->again = bus_xrealloc(p->again, (p->n_again + 1) * sizeof(*p->again));
			p->again[p->n_again++] = list[i];
			p->cap_again = p->n_again;
		} else {
			release_again(&list[i]);
		}
	}
	free(list);
}

/* The handle is dead. What it held comes back through failed delivery reports, with its bytes, so no copy of
 * our own is needed; in-flight records may be in the log all the same, and are sent again: readers know. */
static void replace_handle(struct bus_producer *p)
{
	char why[256] = "";
	int64_t until = bus_clock_mono_ms() + COLLECT_TIMEOUT_MS;
	rd_kafka_resp_err_t code = rd_kafka_fatal_error(p->rk, why, sizeof(why));

	(void)rd_kafka_purge(p->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
	while (rd_kafka_outq_len(p->rk) > 0 && bus_clock_mono_ms() < until)
		rd_kafka_poll(p->rk, 20);
	if (rd_kafka_outq_len(p->rk) > 0) {
		(void)bus_fail(&p->refused, BUS_EFATAL,
			       "a dead Kafka producer does not give back its records");
		return;
	}
	close_handle(p);
	if (open_handle(p, &p->refused) != BUS_OK)
		return;
	p->fatal = false;
	p->replaced++;
	bus_log(BUS_LOG_WARN, "kafka.producer_replaced", LOG_STR("code", rd_kafka_err2name(code)),
		{ .key = "reason", .text = why }, LOG_INT("resent", p->n_again),
		LOG_INT("times", p->replaced));
	send_again(p);
}

/* After anything that may have run callbacks. */
static enum bus_err settle(struct bus_producer *p, struct bus_error *err)
{
	if (p->conf.transactional_id && p->fatal && p->refused.code == BUS_OK)
		(void)bus_fail(&p->refused, BUS_EFATAL,
			       "transactional id '%s': the producer is fenced or dead",
			       p->conf.transactional_id);
	while (p->fatal && p->refused.code == BUS_OK)
		replace_handle(p);
	if (p->refused.code == BUS_OK)
		return BUS_OK;
	if (err)
		*err = p->refused;
	return p->refused.code;
}

static enum bus_err poll_once(struct bus_producer *p, int timeout_ms, struct bus_error *err)
{
	p->unpolled = 0;
	rd_kafka_poll(p->rk, timeout_ms);
	return settle(p, err);
}

static enum bus_err wait_room(struct bus_producer *p, int64_t until, struct bus_error *err)
{
	while (p->next - p->head >= p->window) {
		int64_t left = until - bus_clock_mono_ms();
		enum bus_err rc = poll_once(p, left > 100 ? 100 : left > 0 ? (int)left : 0, err);

		if (rc != BUS_OK)
			return rc;
		if (left <= 0 && p->next - p->head >= p->window)
			return bus_fail(err, BUS_EFULL, "%llu records wait for Kafka",
					(unsigned long long)(p->next - p->head));
	}
	return BUS_OK;
}

static rd_kafka_headers_t *make_headers(const struct bus_header *header, size_t n)
{
	rd_kafka_headers_t *h;
	size_t i;

	if (n == 0)
		return NULL;
	h = rd_kafka_headers_new(n);
	for (i = 0; i < n; i++)
		(void)rd_kafka_header_add(h, header[i].name.p, (ssize_t)header[i].name.n,
					  header[i].value.p ? header[i].value.p : "",
					  (ssize_t)header[i].value.n);
	return h;
}

static enum bus_err txn_begin(struct bus_producer *p, struct bus_error *err)
{
	rd_kafka_error_t *e;

	if (!p->conf.transactional_id || p->in_transaction)
		return BUS_OK;
	e = rd_kafka_begin_transaction(p->rk);
	if (e)
		return txn_fail(p, e, "cannot begin a transaction", err);
	p->in_transaction = true;
	return BUS_OK;
}

enum bus_err bus_producer_send(struct bus_producer *p, const char *topic, int32_t partition,
			       struct bus_str key, const struct bus_str *value,
			       const struct bus_header *header, size_t n_headers, int64_t timestamp_ms,
			       uint64_t token, int timeout_ms, struct bus_error *err)
{
	struct again a = { .partition = partition, .timestamp_ms = timestamp_ms };
	int64_t until = 0;
	rd_kafka_resp_err_t code;
	enum bus_err rc;

	rc = ++p->unpolled >= POLL_EVERY ? poll_once(p, 0, err) : settle(p, err);
	if (rc == BUS_OK)
		rc = txn_begin(p, err);
	if (rc == BUS_OK && p->next - p->head >= p->window) {
		until = bus_clock_mono_ms() + timeout_ms;
		rc = wait_room(p, until, err);
	}
	if (rc != BUS_OK)
		return rc;
	a.topic = topic_index(p, topic);
	/* librdkafka copies key and value at once (F_COPY) and does not write to them. */
	memcpy(&a.key, &key.p, sizeof(a.key));
	a.key_len = key.n;
	if (value) {
		memcpy(&a.value, &value->p, sizeof(a.value));
		a.value_len = value->n;
	}
	a.headers = make_headers(header, n_headers);
	for (;;) {
		a.send = p->next;
		code = produce(p, &a);
		if (!code)
			break;
		if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) { /* the bound on bytes */
			if (!until)
				until = bus_clock_mono_ms() + timeout_ms;
			rc = poll_once(p, 10, err);
			if (rc == BUS_OK && bus_clock_mono_ms() >= until)
				rc = bus_fail(err, BUS_EFULL, "16 MiB of records wait for Kafka");
		} else if (code == RD_KAFKA_RESP_ERR__FATAL) {
			p->fatal = true;
			rc = settle(p, err);
		} else {
			rc = bus_kafka_fail(err, code, "cannot send to topic '%s'", topic);
		}
		if (rc != BUS_OK) {
			if (a.headers)
				rd_kafka_headers_destroy(a.headers);
			return rc;
		}
	}
	p->ring[p->next & p->mask] = (struct sent){ .token = token };
	p->next++;
	return BUS_OK;
}

uint64_t bus_producer_acked(struct bus_producer *p)
{
	return p->acked;
}

int64_t bus_producer_offset(const struct bus_producer *p)
{
	return p->offset;
}

void bus_producer_poll(struct bus_producer *p, int timeout_ms)
{
	(void)poll_once(p, timeout_ms, NULL); /* what is wrong is told by the next _send or _flush */
}

static enum bus_err commit(struct bus_producer *p, int timeout_ms, struct bus_error *err)
{
	rd_kafka_error_t *e;
	enum bus_err rc;

	rc = settle(p, err);
	if (rc != BUS_OK || !p->in_transaction)
		return rc;
	e = rd_kafka_commit_transaction(p->rk, timeout_ms);
	if (e) {
		rc = txn_fail(p, e, "cannot commit", err);
		if (rc == BUS_EFATAL)
			(void)bus_fail(&p->refused, BUS_EFATAL, "the outcome of a transaction is not known");
		return rc;
	}
	p->in_transaction = false;
	if (p->head < p->next)
		p->acked = p->ring[(p->next - 1) & p->mask].token;
	p->head = p->next;
	return BUS_OK;
}

enum bus_err bus_producer_flush(struct bus_producer *p, int timeout_ms, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + timeout_ms;
	enum bus_err rc;

	if (p->conf.transactional_id)
		return commit(p, timeout_ms, err);
	for (;;) {
		int64_t left = until - bus_clock_mono_ms();

		rc = settle(p, err);
		if (rc != BUS_OK || p->head == p->next)
			return rc;
		if (left <= 0)
			return bus_fail(err, BUS_ETIMEOUT, "%llu records are not acknowledged",
					(unsigned long long)(p->next - p->head));
		(void)rd_kafka_flush(p->rk, left > 100 ? 100 : (int)left);
	}
}
