#include "bus/consumer.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "bus/mem.h"

#define QUEUE_BYTES_DEFAULT (INT64_C(16) * 1024 * 1024)
#define FETCH_BYTES_MAX (INT64_C(4) * 1024 * 1024) /* one fetch; must hold the largest record */
#define FETCH_BYTES_MIN (INT64_C(1100) * 1000)	   /* librdkafka: at least message.max.bytes */
#define BATCH_MAX 10000
#define POKE_TIMEOUT_MS 100
#define DOUBT_TIMEOUT_MS 2000
#define LEADER_PAUSE_US 50000 /* between two questions to a partition without a leader */

struct part {
	int32_t partition;
	int slot;
	int64_t next; /* one past the last record handed out or control record passed */
	bool assigned;
	bool failed;		/* hands out nothing until assigned anew */
	struct bus_error error; /* not told yet when code != BUS_OK */
};

struct topic {
	char *name;
	rd_kafka_topic_t *rkt;
	struct part *part;
	size_t n_parts;
};

struct bus_consumer {
	rd_kafka_t *rk;
	rd_kafka_queue_t *queue;
	struct topic *topic;
	size_t n_topics, last_topic;
	size_t n_errors; /* partitions with an error to tell */
	bool doubt;	 /* librdkafka says that some topic is not there (any more) */

	rd_kafka_message_t **message; /* what the caller has borrowed */
	size_t n_messages, cap_messages;
	struct bus_header *header;
	size_t n_headers, cap_headers;

	/* librdkafka before 2.2 looks only once a second whether its full queue has drained. A request to the
	 * partition's leader wakes it (see poke). */
	bool must_poke;
	bool filled; /* the queue was more than half full since the last poke */
	int64_t queue_bytes;
	int64_t record_bytes; /* average, to turn the queue's length into bytes */
};

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	struct bus_consumer *c = opaque;
	enum bus_err ours = bus_kafka_err(code);

	/* A topic's errors come here too, but with its name only in the text: look again ourselves. */
	if (ours == BUS_ENOENT || ours == BUS_EDENIED)
		c->doubt = true;
	bus_kafka_log_error(rk, code, reason);
}

enum bus_err bus_consumer_open(const struct bus_consumer_conf *conf, struct bus_consumer **out,
			       struct bus_error *err)
{
	struct bus_consumer *c = bus_xcalloc(1, sizeof(*c));
	char queue_kb[24], fetch[24], receive[24], why[256], wait[12];
	bool backs_off = false;
	int64_t fetch_bytes;
	const struct bus_kafka_setting setting[] = {
		{ .name = "isolation.level", .value = "read_committed" },
		{ .name = "auto.offset.reset", .value = "error" },
		{ .name = "enable.auto.commit", .value = "false" },
		{ .name = "enable.auto.offset.store", .value = "false" },
		{ .name = "enable.partition.eof", .value = "true" },
		{ .name = "check.crcs", .value = "true" },
		/* Bounded by bytes, not by count: small records would stall at 100,000. */
		{ .name = "queued.min.messages", .value = "10000000" },
		{ .name = "queued.max.messages.kbytes", .value = queue_kb },
		{ .name = "fetch.max.bytes", .value = fetch },
		{ .name = "max.partition.fetch.bytes", .value = fetch },
		{ .name = "receive.message.max.bytes", .value = receive },
		/* How long a new partition, or a question about bounds, may wait behind an idle fetch. */
		{ .name = "fetch.wait.max.ms", .value = wait },
		{ .name = "fetch.error.backoff.ms", .value = "250" },
		/* How long a topic may be unknown before that is believed: it was made before. */
		{ .name = "topic.metadata.propagation.max.ms", .value = "5000" },
		{ .name = "fetch.queue.backoff.ms", .value = "10", .optional = true, .known = &backs_off },
		{ 0 },
	};
	rd_kafka_conf_t *rc_conf = NULL;
	enum bus_err rc;

	*out = NULL;
	c->queue_bytes = conf->queue_bytes > 0 ? conf->queue_bytes : QUEUE_BYTES_DEFAULT;
	fetch_bytes = c->queue_bytes / 4;
	if (fetch_bytes > FETCH_BYTES_MAX)
		fetch_bytes = FETCH_BYTES_MAX;
	if (fetch_bytes < FETCH_BYTES_MIN)
		fetch_bytes = FETCH_BYTES_MIN;
	snprintf(wait, sizeof(wait), "%d", conf->fetch_wait_ms > 0 ? conf->fetch_wait_ms : 250);
	snprintf(queue_kb, sizeof(queue_kb), "%lld", (long long)(c->queue_bytes / 1024 + 1));
	snprintf(fetch, sizeof(fetch), "%lld", (long long)fetch_bytes);
	/* A first record larger than fetch.max.bytes comes whole all the same. */
	snprintf(receive, sizeof(receive), "%lld", (long long)(fetch_bytes + 16 * 1024 * 1024));
	c->record_bytes = 512;
	rc = bus_kafka_conf_make(&conf->kafka, setting, &rc_conf, err);
	if (rc != BUS_OK) {
		free(c);
		return rc;
	}
	rd_kafka_conf_set_opaque(rc_conf, c);
	rd_kafka_conf_set_error_cb(rc_conf, on_error);
	c->must_poke = !backs_off;
	c->rk = rd_kafka_new(RD_KAFKA_CONSUMER, rc_conf, why, sizeof(why));
	if (!c->rk) {
		rd_kafka_conf_destroy(rc_conf);
		free(c);
		return bus_fail(err, BUS_EINVAL, "Kafka consumer: %s", why);
	}
	c->queue = rd_kafka_queue_new(c->rk);
	*out = c;
	return BUS_OK;
}

static void release_batch(struct bus_consumer *c)
{
	size_t i;

	for (i = 0; i < c->n_messages; i++)
		rd_kafka_message_destroy(c->message[i]);
	c->n_messages = 0;
	c->n_headers = 0;
}

void bus_consumer_close(struct bus_consumer **cc)
{
	struct bus_consumer *c = *cc;
	size_t i, j;

	if (!c)
		return;
	*cc = NULL;
	release_batch(c);
	for (i = 0; i < c->n_topics; i++) {
		for (j = 0; j < c->topic[i].n_parts; j++)
			if (c->topic[i].part[j].assigned)
				(void)rd_kafka_consume_stop(c->topic[i].rkt, c->topic[i].part[j].partition);
		rd_kafka_topic_destroy(c->topic[i].rkt);
		free(c->topic[i].part);
		free(c->topic[i].name);
	}
	rd_kafka_queue_destroy(c->queue);
	rd_kafka_destroy(c->rk);
	free(c->topic);
	free(c->message);
	free(c->header);
	free(c);
}

static struct topic *find_topic(struct bus_consumer *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_topics; i++)
		if (strcmp(c->topic[i].name, name) == 0)
			return &c->topic[i];
	return NULL;
}

static struct part *find_part(struct topic *t, int32_t partition)
{
	size_t i;

	for (i = 0; t && i < t->n_parts; i++)
		if (t->part[i].partition == partition)
			return &t->part[i];
	return NULL;
}

static struct part *assigned_part(struct bus_consumer *c, const char *topic, int32_t partition)
{
	struct part *p = find_part(find_topic(c, topic), partition);

	return p && p->assigned ? p : NULL;
}

/* Of a message: its topic's name is compared by address first, for runs of one topic are long. */
static struct part *part_of(struct bus_consumer *c, const rd_kafka_message_t *m, struct topic **topic)
{
	struct topic *t = c->last_topic < c->n_topics ? &c->topic[c->last_topic] : NULL;

	if (!m->rkt)
		return NULL;
	if (!t || (t->rkt != m->rkt && strcmp(t->name, rd_kafka_topic_name(m->rkt)) != 0)) {
		t = find_topic(c, rd_kafka_topic_name(m->rkt));
		if (!t)
			return NULL;
		c->last_topic = (size_t)(t - c->topic);
	}
	*topic = t;
	return find_part(t, m->partition);
}

static void forget_error(struct bus_consumer *c, struct part *p)
{
	if (p->error.code != BUS_OK)
		c->n_errors--;
	p->error.code = BUS_OK;
	p->failed = false;
}

enum bus_err bus_consumer_assign(struct bus_consumer *c, const char *topic, int32_t partition, int64_t offset,
				 int slot, struct bus_error *err)
{
	struct topic *t = find_topic(c, topic);
	struct part *p;

	if (!t) {
		rd_kafka_topic_t *rkt = rd_kafka_topic_new(c->rk, topic, NULL);

		if (!rkt)
			return bus_kafka_fail(err, rd_kafka_last_error(), "topic '%s'", topic);
		c->topic = bus_xrealloc(c->topic, (c->n_topics + 1) * sizeof(*c->topic));
		t = &c->topic[c->n_topics++];
		*t = (struct topic){ .name = bus_xstrdup(topic), .rkt = rkt };
	}
	p = find_part(t, partition);
	if (!p) {
		t->part = bus_xrealloc(t->part, (t->n_parts + 1) * sizeof(*t->part));
		p = &t->part[t->n_parts++];
		*p = (struct part){ .partition = partition };
	}
	if (p->assigned) {
		enum bus_err rc = bus_consumer_unassign(c, topic, partition, err);

		if (rc != BUS_OK)
			return rc;
	}
	p->slot = slot;
	p->next = offset;
	if (rd_kafka_consume_start_queue(t->rkt, partition,
					 offset == BUS_OFFSET_BEGIN ? RD_KAFKA_OFFSET_BEGINNING : offset,
					 c->queue) != 0)
		return bus_kafka_fail(err, rd_kafka_last_error(), "topic '%s', partition %d", topic,
				      (int)partition);
	p->assigned = true;
	return BUS_OK;
}

enum bus_err bus_consumer_unassign(struct bus_consumer *c, const char *topic, int32_t partition,
				   struct bus_error *err)
{
	struct topic *t = find_topic(c, topic);
	struct part *p = find_part(t, partition);

	if (!t || !p || !p->assigned)
		return bus_fail(err, BUS_ENOENT, "topic '%s', partition %d is not assigned", topic,
				(int)partition);
	/* librdkafka passes over what of it is still queued: it belongs to an older version. */
	if (rd_kafka_consume_stop(t->rkt, partition) != 0)
		return bus_kafka_fail(err, rd_kafka_last_error(), "topic '%s', partition %d", topic,
				      (int)partition);
	forget_error(c, p);
	p->assigned = false;
	return BUS_OK;
}

static enum bus_err tell_error(struct bus_consumer *c, struct bus_error *err)
{
	size_t i, j;

	for (i = 0; i < c->n_topics; i++)
		for (j = 0; j < c->topic[i].n_parts; j++) {
			struct part *p = &c->topic[i].part[j];
			enum bus_err rc = p->error.code;

			if (rc == BUS_OK)
				continue;
			if (err)
				*err = p->error;
			p->error.code = BUS_OK;
			c->n_errors--;
			return rc;
		}
	return BUS_OK;
}

static void fail_part(struct bus_consumer *c, const struct topic *t, struct part *p, enum bus_err code,
		      const char *why)
{
	p->failed = true;
	c->n_errors += p->error.code == BUS_OK;
	(void)bus_fail(&p->error, code, "topic '%s', partition %d, after offset %lld: %s", t->name,
		       (int)p->partition, (long long)(p->next < 0 ? -1 : p->next - 1), why);
}

/* Asks the brokers about each topic that is read. */
static void resolve_doubt(struct bus_consumer *c)
{
	struct bus_error err;
	size_t i, j;

	c->doubt = false;
	for (i = 0; i < c->n_topics; i++) {
		struct topic *t = &c->topic[i];
		int32_t n = 0;
		enum bus_err rc = bus_kafka_partitions(c->rk, t->name, &n, NULL, DOUBT_TIMEOUT_MS, &err);

		if (rc != BUS_OK && rc != BUS_ENOENT && rc != BUS_EDENIED)
			continue;
		for (j = 0; j < t->n_parts; j++) {
			struct part *p = &t->part[j];

			if (!p->assigned || p->failed)
				continue;
			if (rc == BUS_EDENIED)
				fail_part(c, t, p, BUS_EDENIED, err.text);
			else if (p->partition >= n)
				fail_part(c, t, p, BUS_ECONFLICT, "it does not exist any more");
		}
	}
}

/* An event of a partition that is not a record. */
static void take_event(struct bus_consumer *c, const struct topic *t, struct part *p,
		       const rd_kafka_message_t *m)
{
	enum bus_err code;

	if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
		if (p->next < m->offset)
			p->next = m->offset;
		return;
	}
	code = bus_kafka_err(m->err);
	if (code == BUS_ENOENT)
		code = BUS_ECONFLICT;
	if (code != BUS_ECONFLICT && code != BUS_EDENIED && code != BUS_EDATA) {
		bus_kafka_log_error(c->rk, m->err, rd_kafka_message_errstr(m));
		return;
	}
	fail_part(c, t, p, code, rd_kafka_message_errstr(m));
}

static void take_headers(struct bus_consumer *c, const rd_kafka_message_t *m, struct bus_record *r)
{
	rd_kafka_headers_t *headers = NULL;
	const char *name;
	const void *value;
	size_t size, i, n;

	r->header = NULL;
	r->n_headers = 0;
	if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return;
	n = rd_kafka_header_cnt(headers);
	if (c->n_headers + n > c->cap_headers) {
		c->cap_headers = 2 * (c->n_headers + n);
		c->header = bus_xrealloc(c->header, c->cap_headers * sizeof(*c->header));
	}
	for (i = 0; i < n; i++) {
		if (rd_kafka_header_get_all(headers, i, &name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
			break;
		c->header[c->n_headers++] = (struct bus_header){ bus_str(name), { value, size } };
	}
	r->n_headers = i;
}

static void take_record(struct bus_consumer *c, struct topic *t, struct part *p, const rd_kafka_message_t *m,
			struct bus_record *r)
{
	r->topic = t->name;
	r->partition = m->partition;
	r->offset = m->offset;
	r->timestamp_ms = rd_kafka_message_timestamp(m, NULL);
	r->key = (struct bus_str){ m->key, m->key_len };
	r->value = (struct bus_str){ m->payload, m->len };
	r->tombstone = m->payload == NULL;
	r->slot = p->slot;
	p->next = m->offset + 1;
	c->record_bytes += ((int64_t)(m->len + m->key_len) - c->record_bytes) / 64;
	take_headers(c, m, r);
}

/* Once the queue, having been full, is half empty again, asks its leader a question: the answer does not
 * matter, but librdkafka's thread wakes up and fetches on. Without that a full queue costs up to a second. */
static void poke(struct bus_consumer *c, const struct bus_record *last)
{
	int64_t each = c->record_bytes + 64, half = c->queue_bytes / 2, low, high;
	int64_t queued = (int64_t)rd_kafka_queue_length(c->queue) * each;

	if (queued + (int64_t)c->n_messages * each > half)
		c->filled = true;
	if (c->filled && queued <= half) {
		c->filled = false;
		(void)rd_kafka_query_watermark_offsets(c->rk, last->topic, last->partition, &low, &high,
						       POKE_TIMEOUT_MS);
	}
}

enum bus_err bus_consumer_poll(struct bus_consumer *c, struct bus_record *out, size_t max, size_t *n,
			       int timeout_ms, struct bus_error *err)
{
	struct topic *t = NULL;
	size_t i, at;
	ssize_t got;

	*n = 0;
	release_batch(c);
	rd_kafka_poll(c->rk, 0);
	if (c->doubt)
		resolve_doubt(c);
	if (c->n_errors > 0)
		return tell_error(c, err);
	if (max > BATCH_MAX)
		max = BATCH_MAX;
	if (max > c->cap_messages) {
		c->message = bus_xrealloc(c->message, max * sizeof(rd_kafka_message_t *));
		c->cap_messages = max;
	}
	/* A batch call waits for all it was asked for: so for one, and then for what else is there. */
	got = rd_kafka_consume_batch_queue(c->queue, timeout_ms, c->message, 1);
	c->n_messages = got > 0 ? 1 : 0;
	if (got > 0 && max > 1) {
		got = rd_kafka_consume_batch_queue(c->queue, 0, c->message + 1, max - 1);
		c->n_messages += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		return bus_kafka_fail(err, rd_kafka_last_error(), "cannot read from Kafka");
	for (i = 0; i < c->n_messages; i++) {
		const rd_kafka_message_t *m = c->message[i];
		struct part *p = part_of(c, m, &t);

		if (!p || !p->assigned || p->failed) {
			if (!p && m->err)
				bus_kafka_log_error(c->rk, m->err, rd_kafka_message_errstr(m));
		} else if (m->err) {
			take_event(c, t, p, m);
		} else {
			take_record(c, t, p, m, &out[(*n)++]);
		}
	}
	for (i = 0, at = 0; i < *n; i++) { /* the array may have moved while it grew */
		out[i].header = c->header + at;
		at += out[i].n_headers;
	}
	if (c->must_poke && *n > 0)
		poke(c, &out[*n - 1]);
	return *n == 0 && c->n_errors > 0 ? tell_error(c, err) : BUS_OK;
}

enum bus_err bus_consumer_position(struct bus_consumer *c, const char *topic, int32_t partition,
				   int64_t *next, struct bus_error *err)
{
	const struct part *p = assigned_part(c, topic, partition);

	if (!p)
		return bus_fail(err, BUS_ENOENT, "topic '%s', partition %d is not assigned", topic,
				(int)partition);
	*next = p->next;
	return BUS_OK;
}

/* For a moment after a broker's start or a leader's change. rd_kafka_offsets_for_times() does not ask again by itself. */
static bool leaderless(rd_kafka_resp_err_t code)
{
	return code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
	       code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
	       code == RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH ||
	       code == RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH ||
	       code == RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE;
}

/* Where a timestamp, or one of the broker's two special ones, stands. */
static enum bus_err offset_of(struct bus_consumer *c, const char *topic, int32_t partition, int64_t time,
			      int64_t *offset, int64_t until, struct bus_error *err)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(list, topic, partition);
	rd_kafka_resp_err_t code;
	int64_t left;

	for (;;) {
		left = until - bus_clock_mono_ms();
		p->offset = time;
		p->err = RD_KAFKA_RESP_ERR_NO_ERROR;
		code = rd_kafka_offsets_for_times(c->rk, list, left > 1 ? (int)left : 1);
		if (!code)
			code = p->err;
		if (!leaderless(code) || left <= 1)
			break;
		usleep(LEADER_PAUSE_US);
	}
	*offset = p->offset;
	rd_kafka_topic_partition_list_destroy(list);
	return code ? bus_kafka_fail(err, code, "topic '%s', partition %d", topic, (int)partition) : BUS_OK;
}

/* Not rd_kafka_query_watermark_offsets(): while the broker is away librdkafka before 2.3 does not come back from it,
 * whatever its timeout (its issue 2588). */
enum bus_err bus_consumer_bounds(struct bus_consumer *c, const char *topic, int32_t partition, int64_t *begin,
				 int64_t *end, int timeout_ms, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + timeout_ms;
	enum bus_err rc = offset_of(c, topic, partition, RD_KAFKA_OFFSET_BEGINNING, begin, until, err);

	return rc == BUS_OK ? offset_of(c, topic, partition, RD_KAFKA_OFFSET_END, end, until, err) : rc;
}

enum bus_err bus_consumer_at_time(struct bus_consumer *c, const char *topic, int32_t partition, int64_t at_ms,
				  int64_t *offset, int timeout_ms, struct bus_error *err)
{
	int64_t begin;
	enum bus_err rc =
	    offset_of(c, topic, partition, at_ms, offset, bus_clock_mono_ms() + timeout_ms, err);

	if (rc == BUS_OK && *offset < 0)
		rc = bus_consumer_bounds(c, topic, partition, &begin, offset, timeout_ms, err);
	return rc;
}

enum bus_err bus_consumer_end(struct bus_consumer *c, const char *topic, int32_t partition, int64_t *end)
{
	int64_t low, high;

	if (rd_kafka_get_watermark_offsets(c->rk, topic, partition, &low, &high) !=
		RD_KAFKA_RESP_ERR_NO_ERROR ||
	    high < 0)
		return BUS_ENOENT;
	*end = high;
	return BUS_OK;
}

enum bus_err bus_consumer_cluster_id(struct bus_consumer *c, char *out, size_t n, int timeout_ms,
				     struct bus_error *err)
{
	return bus_kafka_cluster_id(c->rk, out, n, timeout_ms, err);
}

enum bus_err bus_consumer_partitions(struct bus_consumer *c, const char *topic, int32_t *n, int timeout_ms,
				     struct bus_error *err)
{
	return bus_kafka_partitions(c->rk, topic, n, NULL, timeout_ms, err);
}
