/* The named reference of REST Proxy's consumers: plain librdkafka reading the same topic, read_committed, records in
 * batches and counted.
 *
 *     read_raw BOOTSTRAP TOPIC PARTITIONS RECORDS     prints records/s
 */
#include "tests/bench/raw.h"

#define BATCH 2000

int main(int argc, char **argv)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_message_t *m[BATCH];
	rd_kafka_topic_partition_list_t *list;
	rd_kafka_queue_t *queue;
	size_t want, have = 0;
	double begun;
	rd_kafka_t *rk;

	if (argc != 5)
		die("arguments", "BOOTSTRAP TOPIC PARTITIONS RECORDS");
	want = strtoul(argv[4], NULL, 10);
	set(conf, "bootstrap.servers", argv[1]);
	set(conf, "group.id", "raw");
	set(conf, "isolation.level", "read_committed");
	set(conf, "enable.auto.commit", "false");
	set(conf, "queued.min.messages", "1000000");
	set(conf, "check.crcs", "true");
	rk = start(RD_KAFKA_CONSUMER, conf);
	list = rd_kafka_topic_partition_list_new(1);
	for (int p = 0; p < atoi(argv[3]); p++)
		rd_kafka_topic_partition_list_add(list, argv[2], p)->offset = RD_KAFKA_OFFSET_BEGINNING;
	begun = now();
	if (rd_kafka_assign(rk, list))
		die("assign", argv[2]);
	queue = rd_kafka_queue_get_consumer(rk);
	while (have < want) {
		ssize_t n = rd_kafka_consume_batch_queue(queue, 100, m, BATCH);

		for (ssize_t i = 0; i < n; i++) {
			have += !m[i]->err;
			rd_kafka_message_destroy(m[i]);
		}
	}
	printf("%.0f\n", (double)have / (now() - begun));
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_queue_destroy(queue);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
	return 0;
}
