#include "bus/sender.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/mem.h"

/* The caller bounds what is on its way; these only keep a mistake from growing. */
#define QUEUE_MESSAGES "2000000"
#define QUEUE_KB "1048576"
#define TXN_TIMEOUT_MS 15000
#define CLOSE_MS 10000
#define NUDGE_MS 10

struct bus_sender {
	struct bus_sender_conf conf;
	rd_kafka_t *rk;
	_Atomic bool dead;
	bool in_transaction;
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	struct bus_sender *s = opaque;
	struct bus_sent answer = { .partition = m->partition, .offset = m->offset };

	if (m->err) {
		answer.rc = bus_kafka_err(m->err);
		answer.why = rd_kafka_err2str(m->err);
		if (m->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT)
			answer.rc = BUS_ETIMEOUT;
		if (rd_kafka_fatal_error(rk, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR ||
		    m->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE || m->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)
			answer.rc = BUS_EFATAL;
	}
	s->conf.sent(s->conf.ctx, m->_private, &answer);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct bus_sender *s = opaque;

	if (code == RD_KAFKA_RESP_ERR__FATAL)
		atomic_store(&s->dead, true);
	bus_kafka_log_error(rk, code, reason);
}

static enum bus_err init_transactions(struct bus_sender *s, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + TXN_TIMEOUT_MS;

	for (;;) {
		rd_kafka_error_t *e = rd_kafka_init_transactions(s->rk, TXN_TIMEOUT_MS);
		bool retriable;
		enum bus_err rc;

		if (!e)
			return BUS_OK;
		retriable = rd_kafka_error_is_retriable(e);
		rc = bus_fail(err, bus_kafka_err(rd_kafka_error_code(e)), "transactional id: %s",
			      rd_kafka_error_string(e));
		rd_kafka_error_destroy(e);
		if (!retriable || bus_clock_mono_ms() >= until)
			return rc;
		rd_kafka_poll(s->rk, 100);
	}
}

enum bus_err bus_sender_open(const struct bus_sender_conf *conf, struct bus_sender **out,
			     struct bus_error *err)
{
	struct bus_sender *s = bus_xcalloc(1, sizeof(*s));
	char linger[16], timeout[16], why[256];
	const struct bus_kafka_setting setting[] = {
		{ .name = "enable.idempotence", .value = "true" },
		{ .name = "acks", .value = "all" },
		{ .name = "linger.ms", .value = linger },
		{ .name = "compression.type", .value = "lz4" },
		{ .name = "partitioner", .value = "murmur2_random" },
		{ .name = "queue.buffering.max.messages", .value = QUEUE_MESSAGES },
		{ .name = "queue.buffering.max.kbytes", .value = QUEUE_KB },
		{ .name = "message.timeout.ms", .value = timeout },
		{ .name = "topic.metadata.propagation.max.ms", .value = "3000" },
		{ .name = conf->transactional_id ? "transaction.timeout.ms" : NULL, .value = timeout },
		/* While the ends of the transaction before are being written, the broker says: again. */
		{ .name = "retry.backoff.ms", .value = "5" },
		{ .name = "socket.timeout.ms",
		  .value = timeout }, /* librdkafka wants it no longer than that */
		{ .name = "transactional.id", .value = conf->transactional_id },
		{ 0 },
	};
	rd_kafka_conf_t *c = NULL;
	enum bus_err rc;

	*out = NULL;
	s->conf = *conf;
	snprintf(linger, sizeof(linger), "%d", conf->linger_ms);
	snprintf(timeout, sizeof(timeout), "%d", conf->timeout_ms);
	rc = bus_kafka_conf_make(&conf->kafka, setting, &c, err);
	if (rc == BUS_OK) {
		rd_kafka_conf_set_opaque(c, s);
		rd_kafka_conf_set_dr_msg_cb(c, on_delivery);
		rd_kafka_conf_set_error_cb(c, on_error);
		s->rk = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof(why));
		if (!s->rk) {
			rd_kafka_conf_destroy(c);
			rc = bus_fail(err, BUS_EINVAL, "Kafka producer: %s", why);
		}
	}
	if (rc == BUS_OK && conf->transactional_id)
		rc = init_transactions(s, err);
	if (rc != BUS_OK) {
		bus_sender_close(&s);
		return rc;
	}
	*out = s;
	return BUS_OK;
}

void bus_sender_close(struct bus_sender **sp)
{
	struct bus_sender *s = *sp;
	int64_t until = bus_clock_mono_ms() + CLOSE_MS;

	if (!s)
		return;
	*sp = NULL;
	if (s->rk) {
		(void)rd_kafka_purge(s->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
		while (rd_kafka_outq_len(s->rk) > 0 && bus_clock_mono_ms() < until)
			rd_kafka_poll(s->rk, 20);
		rd_kafka_destroy(s->rk);
	}
	free(s);
}

bool bus_sender_dead(const struct bus_sender *s)
{
	return atomic_load(&s->dead);
}

void bus_sender_poll(struct bus_sender *s, int timeout_ms)
{
	rd_kafka_poll(s->rk, timeout_ms);
}

void bus_sender_flush(struct bus_sender *s, int timeout_ms)
{
	(void)rd_kafka_flush(s->rk, timeout_ms);
}

enum bus_err bus_sender_partitions(struct bus_sender *s, const char *topic, int timeout_ms, int32_t *n,
				   struct bus_error *err)
{
	rd_kafka_topic_t *handle = rd_kafka_topic_new(s->rk, topic, NULL);
	const struct rd_kafka_metadata *meta = NULL;
	rd_kafka_resp_err_t code = rd_kafka_last_error();

	if (handle)
		code = rd_kafka_metadata(s->rk, 0, handle, &meta, timeout_ms);
	if (code == RD_KAFKA_RESP_ERR_NO_ERROR && meta->topic_cnt == 1)
		code = meta->topics[0].err;
	*n = code == RD_KAFKA_RESP_ERR_NO_ERROR ? meta->topics[0].partition_cnt : 0;
	if (meta)
		rd_kafka_metadata_destroy(meta);
	if (handle)
		rd_kafka_topic_destroy(handle);
	return code == RD_KAFKA_RESP_ERR_NO_ERROR ? BUS_OK : bus_kafka_fail(err, code, "topic '%s'", topic);
}

static rd_kafka_headers_t *make_headers(const struct bus_header *header, size_t n)
{
	rd_kafka_headers_t *h = n > 0 ? rd_kafka_headers_new(n) : NULL;

	for (size_t i = 0; i < n; i++)
		(void)rd_kafka_header_add(h, header[i].name.p, (ssize_t)header[i].name.n,
					  header[i].value.p ? header[i].value.p : "",
					  (ssize_t)header[i].value.n);
	return h;
}

static void put_memory(rd_kafka_vu_t *vu, rd_kafka_vtype_t type, struct bus_str s)
{
	vu->vtype = type;
	memcpy(&vu->u.mem.ptr, &s.p, sizeof(vu->u.mem.ptr)); /* copied at once (F_COPY), not written to */
	vu->u.mem.size = s.n;
}

enum bus_err bus_sender_send(struct bus_sender *s, const char *topic, int32_t partition, struct bus_str key,
			     const struct bus_str *value, const struct bus_header *header, size_t n_headers,
			     int64_t timestamp_ms, void *record, struct bus_error *err)
{
	rd_kafka_headers_t *headers = make_headers(header, n_headers);
	rd_kafka_vu_t vu[8];
	rd_kafka_resp_err_t code;
	rd_kafka_error_t *e;
	size_t n = 0;

	vu[n].vtype = RD_KAFKA_VTYPE_TOPIC;
	vu[n++].u.cstr = topic;
	vu[n].vtype = RD_KAFKA_VTYPE_PARTITION;
	vu[n++].u.i32 = partition;
	put_memory(&vu[n++], RD_KAFKA_VTYPE_VALUE, value ? *value : (struct bus_str){ 0 });
	put_memory(&vu[n++], RD_KAFKA_VTYPE_KEY, key);
	vu[n].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
	vu[n++].u.i64 = timestamp_ms;
	vu[n].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
	vu[n++].u.i = RD_KAFKA_MSG_F_COPY;
	vu[n].vtype = RD_KAFKA_VTYPE_OPAQUE;
	vu[n++].u.ptr = record;
	if (headers) {
		vu[n].vtype = RD_KAFKA_VTYPE_HEADERS;
		vu[n++].u.headers = headers;
	}
	e = rd_kafka_produceva(s->rk, vu, n);
	if (!e)
		return BUS_OK;
	if (headers)
		rd_kafka_headers_destroy(headers);
	code = rd_kafka_error_code(e);
	rd_kafka_error_destroy(e);
	if (rd_kafka_fatal_error(s->rk, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) {
		atomic_store(&s->dead, true);
		return bus_fail(err, BUS_EFATAL, "the Kafka producer is dead");
	}
	return bus_kafka_fail(err, code, "cannot send to topic '%s'", topic);
}

/* --- transactions ---------------------------------------------------------------------------------------- */

/* Takes e. */
static enum bus_err fail_fatal(struct bus_sender *s, rd_kafka_error_t *e, const char *what,
			       struct bus_error *err)
{
	(void)bus_fail(err, BUS_EFATAL, "%s: %s", what, rd_kafka_error_string(e));
	rd_kafka_error_destroy(e);
	atomic_store(&s->dead, true);
	return BUS_EFATAL;
}

enum bus_err bus_sender_begin(struct bus_sender *s, struct bus_error *err)
{
	rd_kafka_error_t *e = rd_kafka_begin_transaction(s->rk);

	if (e)
		return fail_fatal(s, e, "cannot begin a transaction", err);
	s->in_transaction = true;
	return BUS_OK;
}

/* librdkafka makes partitions part of a transaction by a timer of its main thread, which looks at its timers when it is
 * asked for something, and else once a second. So it is asked for something that it refuses; and the brokers' threads are
 * woken by each flush. */
void bus_sender_settle(struct bus_sender *s, int timeout_ms)
{
	int64_t until = bus_clock_mono_ms() + timeout_ms;
	rd_kafka_error_t *e = rd_kafka_begin_transaction(s->rk);

	if (e)
		rd_kafka_error_destroy(e);
	while (rd_kafka_outq_len(s->rk) > 0 && !bus_sender_dead(s) && bus_clock_mono_ms() < until)
		(void)rd_kafka_flush(s->rk, NUDGE_MS);
}

enum bus_err bus_sender_abort(struct bus_sender *s, struct bus_error *err)
{
	rd_kafka_error_t *e;

	if (!s->in_transaction)
		return BUS_OK;
	e = rd_kafka_abort_transaction(s->rk, TXN_TIMEOUT_MS);
	if (e)
		return fail_fatal(s, e, "cannot abort a transaction", err);
	s->in_transaction = false;
	return BUS_OK;
}

enum bus_err bus_sender_commit(struct bus_sender *s, struct bus_error *err)
{
	rd_kafka_error_t *e = rd_kafka_commit_transaction(s->rk, TXN_TIMEOUT_MS);

	if (!e) {
		s->in_transaction = false;
		return BUS_OK;
	}
	if (!rd_kafka_error_txn_requires_abort(e))
		return fail_fatal(s, e, "cannot commit", err);
	(void)bus_fail(err, BUS_EKAFKA, "cannot commit: %s", rd_kafka_error_string(e));
	rd_kafka_error_destroy(e);
	return bus_sender_abort(s, NULL) == BUS_OK ? BUS_EKAFKA : BUS_EFATAL;
}
