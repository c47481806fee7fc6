/* The named reference of the adapters: plain librdkafka producing the same records (keys, values, headers)
 * from memory, idempotent, acks=all. Reads SOURCE to its end first; only the producing is timed.
 *
 *     raw BOOTSTRAP SOURCE TARGET     prints rows/s
 */
#include "tests/bench/raw.h"

static rd_kafka_message_t **read_all(const char *bootstrap, const char *topic, size_t *n)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_message_t **record = NULL;
	size_t cap = 0;
	rd_kafka_t *rk;

	set(conf, "bootstrap.servers", bootstrap);
	set(conf, "group.id", "bench");
	set(conf, "enable.auto.commit", "false");
	set(conf, "enable.partition.eof", "true");
	set(conf, "queued.min.messages", "5000000");
	set(conf, "queued.max.messages.kbytes", "1000000");
	rk = start(RD_KAFKA_CONSUMER, conf);
	rd_kafka_topic_partition_list_add(list, topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
	rd_kafka_assign(rk, list);
	for (*n = 0;;) {
		rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 10000);

		if (!m)
			die(topic, "nothing within 10 s");
		if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
			return record; /* the consumer stays: the records are its memory */
		if (m->err)
			die(topic, rd_kafka_message_errstr(m));
		if (*n == cap) {
			cap = cap ? cap * 2 : 65536;
			record = realloc(record, cap * sizeof(*record));
		}
		record[(*n)++] = m;
	}
}

int main(int argc, char **argv)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_message_t **record;
	rd_kafka_t *rk;
	double began;
	size_t n;

	if (argc != 4)
		die("usage", "raw BOOTSTRAP SOURCE TARGET");
	record = read_all(argv[1], argv[2], &n);
	set(conf, "bootstrap.servers", argv[1]);
	set(conf, "enable.idempotence", "true");
	set(conf, "linger.ms", "5");
	set(conf, "compression.type", getenv("COMPRESSION") ? getenv("COMPRESSION") : "lz4");
	set(conf, "queue.buffering.max.messages", "100000");
	rk = start(RD_KAFKA_PRODUCER, conf);
	began = now();
	for (size_t i = 0; i < n; i++) {
		rd_kafka_headers_t *from = NULL, *headers = NULL;
		rd_kafka_resp_err_t rc;

		if (rd_kafka_message_headers(record[i], &from) == RD_KAFKA_RESP_ERR_NO_ERROR)
			headers = rd_kafka_headers_copy(from);
		for (;;) {
			rc = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(argv[3]), RD_KAFKA_V_PARTITION(0),
					       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
					       RD_KAFKA_V_KEY(record[i]->key, record[i]->key_len),
					       RD_KAFKA_V_VALUE(record[i]->payload, record[i]->len),
					       RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
			if (rc != RD_KAFKA_RESP_ERR__QUEUE_FULL)
				break;
			rd_kafka_poll(rk, 10);
		}
		if (rc)
			die(argv[3], rd_kafka_err2str(rc));
		if (i % 1000 == 0)
			rd_kafka_poll(rk, 0);
	}
	if (rd_kafka_flush(rk, 60000))
		die(argv[3], "not flushed within 60 s");
	printf("%.0f\n", (double)n / (now() - began));
	return 0;
}
