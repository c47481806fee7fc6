/* Producer and consumer of the bus against plain librdkafka, the same bytes and headers, side by side:
 *     bench_kafka HOST:PORT [RECORDS]      lines `name value unit`
 * 300-byte values that look like our Avro (ids in hex, names, dates), nine headers. Makes its own topics.
 */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "bus/admin.h"
#include "bus/clock.h"
#include "bus/consumer.h"
#include "bus/producer.h"

#define VALUE_LEN 300
#define HEADERS 9

struct sample {
	char value[VALUE_LEN];
	char key[33];
	struct bus_header header[HEADERS];
	char id[80], seq[24], line[24];
};

static uint64_t seed = 42;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static void make_sample(struct sample *s, uint64_t i)
{
	static const char *const word[] = { "SITI",	      "AMINAH",		"BUDI",
					    "SANTOSO",	      "JALAN SUDIRMAN", "TAMPAN",
					    "MARPOYAN DAMAI", "AKTIF",		"PKH",
					    "BPNT",	      "KEPALA KELUARGA" };
	size_t n = 0;

	snprintf(s->key, sizeof(s->key), "%016llx%016llx", (unsigned long long)next_random(),
		 (unsigned long long)next_random());
	n += (size_t)snprintf(s->value, sizeof(s->value), "%s@%s", s->key, s->key);
	while (n < VALUE_LEN) {
		uint64_t r = next_random();
		int k = r % 3 ? snprintf(s->value + n, VALUE_LEN - n, "%c%s", (char)(r >> 8),
					 word[(r >> 16) % BUS_LEN(word)])
			      : snprintf(s->value + n, VALUE_LEN - n, "%c%llu", (char)(r >> 8),
					 (unsigned long long)(r >> 40));
		n += (size_t)k;
	}
	snprintf(s->id, sizeof(s->id), "pku.dinsos.bansos.v1/0/%llu", (unsigned long long)i);
	snprintf(s->seq, sizeof(s->seq), "%llu", (unsigned long long)i);
	snprintf(s->line, sizeof(s->line), "%llu", (unsigned long long)i + 1);
	s->header[0] = (struct bus_header){ BUS_STR("ce_specversion"), BUS_STR("1.0") };
	s->header[1] = (struct bus_header){ BUS_STR("ce_id"), bus_str(s->id) };
	s->header[2] = (struct bus_header){ BUS_STR("ce_source"), BUS_STR("/opd/dinsos") };
	s->header[3] = (struct bus_header){ BUS_STR("ce_type"), BUS_STR("id.go.pekanbaru.dinsos.v1.Bansos") };
	s->header[4] = (struct bus_header){ BUS_STR("ce_time"), BUS_STR("2025-01-10T08:00:00+07:00") };
	s->header[5] = (struct bus_header){ BUS_STR("titian_stream"), BUS_STR("pku.dinsos.bansos.v1/0") };
	s->header[6] = (struct bus_header){ BUS_STR("titian_seq"), bus_str(s->seq) };
	s->header[7] = (struct bus_header){ BUS_STR("titian_file"), BUS_STR("0123456789abcdef") };
	s->header[8] = (struct bus_header){ BUS_STR("titian_line"), bus_str(s->line) };
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void die(const char *what, const struct bus_error *err)
{
	fprintf(stderr, "bench_kafka: %s: %s\n", what, err->text);
	exit(1);
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
	(void)rk;
	*(uint64_t *)opaque += m->err == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static double send_raw(const char *bootstrap, const char *topic, const char *codec, uint64_t n)
{
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	uint64_t i, done = 0;
	rd_kafka_topic_t *rkt;
	rd_kafka_t *rk;
	int64_t from;
	double rate;
	char why[256];
	const char *const set[][2] = { { "bootstrap.servers", bootstrap },
				       { "enable.idempotence", "true" },
				       { "linger.ms", "5" },
				       { "compression.type", codec },
				       { "queue.buffering.max.messages", "20000" },
				       { "queue.buffering.max.kbytes", "16384" } };

	for (i = 0; i < BUS_LEN(set); i++)
		rd_kafka_conf_set(c, set[i][0], set[i][1], why, sizeof(why));
	rd_kafka_conf_set_dr_msg_cb(c, on_delivery);
	rd_kafka_conf_set_opaque(c, &done);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, c, why, sizeof(why));
	rkt = rd_kafka_topic_new(rk, topic, NULL);
	from = bus_clock_mono_us();
	for (i = 0; i < n; i++) {
		struct sample s;
		rd_kafka_headers_t *h = rd_kafka_headers_new(HEADERS);
		size_t k;

		make_sample(&s, i);
		for (k = 0; k < HEADERS; k++)
			rd_kafka_header_add(h, s.header[k].name.p, (ssize_t)s.header[k].name.n,
					    s.header[k].value.p, (ssize_t)s.header[k].value.n);
		while (rd_kafka_producev(rk, RD_KAFKA_V_RKT(rkt), RD_KAFKA_V_PARTITION(0),
					 RD_KAFKA_V_VALUE(s.value, VALUE_LEN), RD_KAFKA_V_KEY(s.key, 32),
					 RD_KAFKA_V_HEADERS(h), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
					 RD_KAFKA_V_END))
			rd_kafka_poll(rk, 10);
		if (i % 128 == 0)
			rd_kafka_poll(rk, 0);
	}
	rd_kafka_flush(rk, 60000);
	rate = (double)n / ((double)(bus_clock_mono_us() - from) / 1e6);
	if (done != n)
		fprintf(stderr, "bench_kafka: %llu of %llu records sent\n", (unsigned long long)done,
			(unsigned long long)n);
	rd_kafka_topic_destroy(rkt);
	rd_kafka_destroy(rk);
	return rate;
}

static double send_bus(const struct bus_kafka_conf *kafka, const char *topic, uint64_t n)
{
	struct bus_producer_conf conf = { .kafka = *kafka };
	struct bus_producer *p = NULL;
	struct bus_error err = { 0 };
	int64_t from;
	uint64_t i;
	double rate;

	if (bus_producer_open(&conf, &p, &err) != BUS_OK)
		die("open", &err);
	from = bus_clock_mono_us();
	for (i = 0; i < n; i++) {
		struct sample s;
		struct bus_str value;

		make_sample(&s, i);
		value = (struct bus_str){ s.value, VALUE_LEN };
		if (bus_producer_send(p, topic, 0, bus_str(s.key), &value, s.header, HEADERS, 0, i + 1, 30000,
				      &err) != BUS_OK)
			die("send", &err);
	}
	if (bus_producer_flush(p, 60000, &err) != BUS_OK)
		die("flush", &err);
	rate = (double)n / ((double)(bus_clock_mono_us() - from) / 1e6);
	bus_producer_close(&p);
	return rate;
}

static double read_bus(const struct bus_kafka_conf *kafka, const char *topic, uint64_t n)
{
	struct bus_consumer_conf conf = { .kafka = *kafka };
	struct bus_record record[2000];
	struct bus_consumer *c = NULL;
	struct bus_error err = { 0 };
	uint64_t got = 0;
	int64_t from = bus_clock_mono_us();
	double rate;
	size_t k;

	if (bus_consumer_open(&conf, &c, &err) != BUS_OK ||
	    bus_consumer_assign(c, topic, 0, BUS_OFFSET_BEGIN, 0, &err) != BUS_OK)
		die("open", &err);
	while (got < n) {
		if (bus_consumer_poll(c, record, BUS_LEN(record), &k, 1000, &err) != BUS_OK)
			die("poll", &err);
		got += k;
	}
	rate = (double)n / ((double)(bus_clock_mono_us() - from) / 1e6);
	bus_consumer_close(&c);
	return rate;
}

int main(int argc, char **argv)
{
	static const char *const codec[] = { "none", "lz4", "zstd", "snappy" };
	struct bus_kafka_conf kafka = { .bootstrap = argc > 1 ? argv[1] : "127.0.0.1:9092",
					.client_id = "bench" };
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 500000, i;
	struct bus_error err = { 0 };
	char topic[64];
	struct bus_topic_spec spec = { .name = topic, .partitions = 1, .replication = 1 };
	size_t made;
	double raw = 0, ours, from;
	int64_t began;

	began = bus_clock_mono_us();
	for (i = 0; i < n; i++) {
		struct sample s;

		make_sample(&s, i);
	}
	printf("bench_sample_us %.3f us\n", (double)(bus_clock_mono_us() - began) / (double)n);
	for (i = 0; i <= BUS_LEN(codec); i++) {
		bool bus = i == BUS_LEN(codec);

		snprintf(topic, sizeof(topic), "bench.%s.%lld", bus ? "bus" : codec[i],
			 (long long)bus_clock_ms());
		if (bus_admin_create_topics(&kafka, &spec, 1, &made, 10000, &err) != BUS_OK)
			die("topic", &err);
		from = cpu_seconds();
		ours = bus ? send_bus(&kafka, topic, n) : send_raw(kafka.bootstrap, topic, codec[i], n);
		if (!bus && strcmp(codec[i], "lz4") == 0)
			raw = ours;
		printf("producer_%s_per_s %.0f records/s (cpu %.2f us a record) %s\n", bus ? "bus" : codec[i],
		       ours, (cpu_seconds() - from) * 1e6 / (double)n, topic);
		fflush(stdout);
	}
	printf("producer_ratio %.3f ratio\n", ours / raw);
	from = cpu_seconds();
	printf("consumer_bus_per_s %.0f records/s", read_bus(&kafka, topic, n));
	printf(" (cpu %.2f us a record)\n", (cpu_seconds() - from) * 1e6 / (double)n);
	return 0;
}
