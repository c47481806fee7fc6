/* The records of views_data.h into Kafka, for the gateway and Kafka Streams alike.
 *
 *     views_kafka schemas                           one a line
 *     views_kafka BOOTSTRAP PEOPLE load IDS         every row of the five tables; IDS: schema ids, five, with commas
 *     views_kafka BOOTSTRAP PEOPLE CHANGES IDS      so many changed rows
 */
#include <librdkafka/rdkafka.h>
#include <stdlib.h>

#include "bus/wire.h"
#include "tests/bench/views_data.h"

static rd_kafka_t *producer(const char *bootstrap)
{
	static const char *const setting[][2] = {
		{ "enable.idempotence", "true" },
		{ "linger.ms", "20" },
		{ "compression.type", "lz4" },
		{ "queue.buffering.max.messages", "500000" },
	};
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_t *rk;
	char why[200];

	rd_kafka_conf_set(conf, "bootstrap.servers", bootstrap, why, sizeof(why));
	for (size_t i = 0; i < BUS_LEN(setting); i++) {
		if (rd_kafka_conf_set(conf, setting[i][0], setting[i][1], why, sizeof(why)) !=
		    RD_KAFKA_CONF_OK)
			exit(1);
	}
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof(why));
	if (!rk)
		exit(1);
	return rk;
}

static void publish(rd_kafka_t *rk, struct city *c, int table, uint64_t row, int32_t id)
{
	struct bus_buf b = { 0 };
	rd_kafka_resp_err_t rc;
	char key[24];

	city_key(table, row, key);
	bus_wire_put_prefix(&b, id);
	city_row(c, table, row, &b);
	while ((rc = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(city_topic[table]),
				       RD_KAFKA_V_KEY(key, strlen(key)), RD_KAFKA_V_VALUE(b.p, b.n),
				       RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END)) ==
	       RD_KAFKA_RESP_ERR__QUEUE_FULL)
		rd_kafka_poll(rk, 100);
	if (rc)
		exit(1);
	rd_kafka_poll(rk, 0);
	bus_buf_release(&b);
}

int main(int argc, char **argv)
{
	struct city c = { 0, 1 };
	int32_t id[TABLES];
	rd_kafka_t *rk;
	uint64_t row;
	char *at;

	if (argc == 2 && strcmp(argv[1], "schemas") == 0) {
		for (int i = 0; i < TABLES; i++)
			puts(city_schema[i]);
		return 0;
	}
	if (argc != 5) {
		fprintf(stderr, "views_kafka BOOTSTRAP PEOPLE load|CHANGES IDS\n");
		return 2;
	}
	c.people = strtoull(argv[2], NULL, 10);
	at = argv[4];
	for (int i = 0; i < TABLES; i++, at += *at == ',')
		id[i] = (int32_t)strtol(at, &at, 10);
	rk = producer(argv[1]);
	if (strcmp(argv[3], "load") == 0) {
		for (int table = TABLES - 1; table >= 0; table--) {
			for (uint64_t i = 0; i < city_rows(&c, table); i++)
				publish(rk, &c, table, i, id[table]);
		}
	} else {
		c.seed = 1000000007; /* another stretch of chance than the load's */
		for (uint64_t i = 0, n = strtoull(argv[3], NULL, 10); i < n; i++) {
			int table = city_pick(&c, &row);

			publish(rk, &c, table, row, id[table]);
		}
	}
	if (rd_kafka_flush(rk, 60000) != RD_KAFKA_RESP_ERR_NO_ERROR)
		return 1;
	rd_kafka_destroy(rk);
	return 0;
}
