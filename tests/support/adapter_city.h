/* tests/support/adapter_city.h - one adapter on librdkafka's mock cluster: topics, schemas, a drop folder,
 * two small mappings (a complete register with newest_by or without, events), and a look at what was
 * published.
 *
 * Everything asserts (cmocka). One city at a time.
 */
#ifndef TESTS_SUPPORT_ADAPTER_CITY_H
#define TESTS_SUPPORT_ADAPTER_CITY_H

#include <dirent.h>
#include <ftw.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/run.h"
#include "adapters/scan.h"
#include "bus/buf.h"
#include "bus/crypto.h"
#include "bus/json_out.h"
#include "bus/producer.h"
#include "bus/wire.h"
#include "schemas/avro/json.h"

#define CITY_RECORDS 2000

struct city_record {
	char *key, *value; /* value: with frame; NULL: tombstone */
	size_t value_n;
	int32_t partition;
	int64_t seq, line;
};

struct city {
	rd_kafka_t *rk;
	rd_kafka_mock_cluster_t *cluster;
	char *dir, *drop, *mapping;
	char *register_yaml, *events_yaml;
	uint8_t key[BUS_KEY_LEN];
	enum adapter_point die_at;
	int die_after; /* times; -1: never */
	struct city_record record[CITY_RECORDS];
	size_t n;
};

#define CITY_REGISTER "pku.uji.barang.v1"
#define CITY_EVENTS "pku.uji.kejadian.v1"
#define CITY_FILES "pku.uji.berkas.v1"
#define CITY_QUARANTINE "pku.uji.karantina.v1"

static const char city_schema[] =
    "{\"type\":\"record\",\"name\":\"Barang\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},"
    "{\"name\":\"nama\",\"type\":\"string\"},{\"name\":\"versi\",\"type\":\"long\",\"default\":0},"
    "{\"name\":\"tanda\",\"type\":{\"type\":\"array\",\"items\":\"string\"},\"default\":[]}]}";

static inline char *city_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	return bus_xstrdup(path);
}

static inline char *city_read(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = bus_xcalloc(1, 65536);

	assert_non_null(f);
	assert_true(fread(text, 1, 65535, f) < 65535);
	fclose(f);
	return text;
}

static inline struct bus_kafka_conf city_kafka(struct city *c)
{
	return (struct bus_kafka_conf){ .bootstrap = rd_kafka_mock_cluster_bootstraps(c->cluster),
					.client_id = "test" };
}

static inline void city_schema_put(struct bus_producer *p, int id, const char *subject, const char *schema)
{
	struct bus_buf value = { 0 };
	struct bus_json_out j = { .buf = &value };
	char key[256];
	struct bus_str v;

	snprintf(key, sizeof(key), "{\"keytype\":\"SCHEMA\",\"subject\":\"%s\",\"version\":1,\"magic\":1}",
		 subject);
	bus_json_object(&j);
	bus_json_key(&j, "subject");
	bus_json_put_text(&j, subject);
	bus_json_key(&j, "version");
	bus_json_put_int(&j, 1);
	bus_json_key(&j, "id");
	bus_json_put_int(&j, id);
	bus_json_key(&j, "schema");
	bus_json_put_text(&j, schema);
	bus_json_key(&j, "deleted");
	bus_json_put_bool(&j, false);
	bus_json_object_end(&j);
	v = bus_buf_str(&value);
	assert_int_equal(
	    bus_producer_send(p, "_schemas", 0, bus_str(key), &v, NULL, 0, 0, (uint64_t)id, 5000, NULL),
	    BUS_OK);
	bus_buf_release(&value);
}

/* extra: lines of the register's mapping ("newest_by: ..."), or "". */
static inline struct city *city_new(const char *extra)
{
	struct city *c = bus_xcalloc(1, sizeof(*c));
	char template[] = "/tmp/titian-city-XXXXXX", why[256];
	struct bus_producer_conf conf = { 0 };
	struct bus_producer *p;
	char *text, *path, *avsc;

	c->die_after = -1;
	c->dir = bus_xstrdup(mkdtemp(template));
	c->drop = bus_xasprintf("%s/drop", c->dir);
	memset(c->key, 7, sizeof(c->key));
	c->rk = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), why, sizeof(why));
	c->cluster = rd_kafka_mock_cluster_new(c->rk, 1);
	assert_non_null(c->cluster);
	rd_kafka_mock_topic_create(c->cluster, "_schemas", 1, 1);
	rd_kafka_mock_topic_create(c->cluster, CITY_REGISTER, 2, 1);
	rd_kafka_mock_topic_create(c->cluster, CITY_EVENTS, 1, 1);
	rd_kafka_mock_topic_create(c->cluster, CITY_FILES, 1, 1);
	rd_kafka_mock_topic_create(c->cluster, CITY_QUARANTINE, 1, 1);

	conf.kafka = city_kafka(c);
	assert_int_equal(bus_producer_open(&conf, &p, NULL), BUS_OK);
	city_schema_put(p, 1, CITY_REGISTER "-value", city_schema);
	city_schema_put(p, 2, CITY_EVENTS "-value", city_schema);
	avsc = city_read("schemas/avsc/bersama/berkas.avsc");
	city_schema_put(p, 3, CITY_FILES "-value", avsc);
	free(avsc);
	avsc = city_read("schemas/avsc/bersama/karantina.avsc");
	city_schema_put(p, 4, CITY_QUARANTINE "-value", avsc);
	free(avsc);
	assert_int_equal(bus_producer_flush(p, 5000, NULL), BUS_OK);
	bus_producer_close(&p);

	text = bus_xasprintf(
	    "feed: uji_barang\nfiles: [\"barang*.csv\"]\ntopic: %s\nkind: register\ncomplete: true\n"
	    "remove_max: 50\nsource: {kind: delimited, end_row: {column: id, equals: AKHIR}}\n"
	    "values:\n  id: {from: id}\n  nama: {from: nama}\n  versi: {from: versi, as: whole}\n"
	    "checks:\n  - {class: nama_kosong, fate: refuse, when: {missing: nama}}\n"
	    "  - {class: nama_x, fate: loose, when: {bad: versi}}\n%s"
	    "key: id\nfields:\n  id: id\n  nama: nama\n  versi: {value: versi, else: 0}\n"
	    "  tanda: {flags: true}\n",
	    CITY_REGISTER, extra);
	path = bus_xasprintf("%s/barang.yaml", c->dir);
	c->register_yaml = city_file(path, text);
	free(path);
	free(text);
	text = bus_xasprintf("feed: uji_kejadian\nfiles: [\"kejadian*.csv\"]\ntopic: %s\nkind: events\n"
			     "source: {kind: delimited}\nvalues:\n  id: {from: id}\n  nama: {from: nama}\n"
			     "checks:\n  - {class: duplikat, fate: refuse, when: {repeated: id}}\n"
			     "key: id\nfields:\n  id: id\n  nama: nama\n"
			     "  tanda: {flags: true}\n",
			     CITY_EVENTS);
	path = bus_xasprintf("%s/kejadian.yaml", c->dir);
	c->events_yaml = city_file(path, text);
	free(path);
	free(text);
	return c;
}

static inline void city_forget(struct city *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->record[i].key);
		free(c->record[i].value);
	}
	c->n = 0;
}

static inline int city_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static inline void city_free(struct city *c)
{
	city_forget(c);
	rd_kafka_mock_cluster_destroy(c->cluster);
	rd_kafka_destroy(c->rk);
	nftw(c->dir, city_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(c->register_yaml);
	free(c->events_yaml);
	free(c->drop);
	free(c->dir);
	free(c);
}

/* No file waits in the drop folder. */
static inline bool city_empty(struct city *c)
{
	DIR *dir = opendir(c->drop);
	struct dirent *e;
	bool empty = true;

	assert_non_null(dir);
	while ((e = readdir(dir)))
		empty &= e->d_name[0] == '.' || strcmp(e->d_name, "done") == 0 ||
			 strcmp(e->d_name, "refused") == 0;
	closedir(dir);
	return empty;
}

static inline bool city_hook(void *ctx, enum adapter_point point)
{
	struct city *c = ctx;

	if (point == ADAPTER_AT_IDLE)
		return city_empty(c);
	return c->die_after >= 0 && point == c->die_at && c->die_after-- == 0;
}

/* Runs the adapter until nothing is left to do, or until it dies where die_at says. */
static inline void city_run(struct city *c)
{
	const char *mapping[] = { c->register_yaml, c->events_yaml };
	struct adapter_run_conf conf = {
		.opd = "uji",
		.drop = { c->drop, 50, false },
		.kafka = city_kafka(c),
		.schemas_topic = "_schemas",
		.mapping = mapping,
		.n_mappings = 2,
		.env = { .ref_dir = c->dir, .city_key = c->key, .tmp_dir = c->dir, .reference_year = 2025 },
		.opd_key = c->key,
		.state_dir = c->dir,
		.hook = city_hook,
		.hook_ctx = c,
	};
	struct bus_error err = { 0 };
	enum bus_err rc = adapter_run(&conf, &err);

	if (rc != BUS_ESTOPPED)
		fail_msg("adapter: %s", err.text);
}

static inline void city_drop(struct city *c, const char *name, const char *text)
{
	char *hidden = bus_xasprintf("%s/.%s", c->drop, name), *path = bus_xasprintf("%s/%s", c->drop, name);

	mkdir(c->drop, 0700);
	free(city_file(hidden, text));
	assert_int_equal(rename(hidden, path), 0);
	free(hidden);
	free(path);
}

static inline bool city_has(struct city *c, const char *path)
{
	char *full = bus_xasprintf("%s/%s", c->drop, path);
	bool there = access(full, F_OK) == 0;

	free(full);
	return there;
}

static inline enum bus_err city_take(void *ctx, int tag, const struct bus_record *r, struct bus_error *err)
{
	struct city *c = ctx;
	struct city_record *out = &c->record[c->n];
	struct bus_origin o;

	(void)tag;
	(void)err;
	if (bus_str_is(r->key, "adapter")) /* a claim: adapters/owner.h */
		return BUS_OK;
	assert_true(++c->n < CITY_RECORDS);
	bus_wire_read_origin(r->header, r->n_headers, &o);
	*out = (struct city_record){ .key = bus_xstrndup(r->key.p, r->key.n),
				     .value_n = r->value.n,
				     .partition = r->partition,
				     .seq = o.seq,
				     .line = o.line };
	if (!r->tombstone) {
		out->value = bus_xmalloc(r->value.n + 1);
		memcpy(out->value, r->value.p, r->value.n);
	}
	return BUS_OK;
}

/* All records of the topic, in c->record; asserts that every stream is numbered 1, 2, 3 ... */
static inline size_t city_look(struct city *c, const char *topic)
{
	struct bus_kafka_conf kafka = city_kafka(c);
	struct adapter_scan scan = {
		.kafka = &kafka, .topic = &topic, .n = 1, .record = city_take, .ctx = c
	};
	int64_t seq[8] = { 0 };
	struct bus_error err;
	uint64_t n;

	city_forget(c);
	if (adapter_scan_run(&scan, &n, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < c->n; i++)
		assert_int_equal(c->record[i].seq, ++seq[c->record[i].partition]);
	return c->n;
}

static inline int city_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void city_text(const char *avsc, const struct city_record *r, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };
	struct schema_json_sink sink;
	struct schema *schema = NULL;
	struct schema_plan *plan = NULL;
	struct schema_reader *reader = schema_reader_new(NULL);

	assert_int_equal(schema_parse(bus_str(avsc), 0, NULL, 0, &schema, NULL), BUS_OK);
	assert_int_equal(schema_plan(schema, NULL, &plan, NULL), BUS_OK);
	schema_json_sink_init(&sink, &j, SCHEMA_JSON_PLAIN);
	assert_int_equal(
	    schema_read(reader, plan, (struct bus_str){ r->value + 5, r->value_n - 5 }, &sink.sink, NULL),
	    BUS_OK);
	schema_plan_free(&plan);
	schema_unref(&schema);
	schema_reader_free(&reader);
}

/* What stands in the topic: "key json" of each live key, sorted, one a line. The caller frees it. */
static inline char *city_fold(struct city *c, const char *topic, const char *avsc)
{
	struct bus_buf out = { 0 };
	char **line = bus_xcalloc(CITY_RECORDS, sizeof(*line));
	size_t n = 0;

	city_look(c, topic);
	for (size_t i = 0; i < c->n; i++) {
		struct bus_buf text = { 0 };
		bool last = c->record[i].value != NULL;

		for (size_t k = i + 1; k < c->n && last; k++)
			last = strcmp(c->record[k].key, c->record[i].key) != 0;
		if (!last)
			continue;
		bus_buf_printf(&text, "%s ", c->record[i].key);
		city_text(avsc, &c->record[i], &text);
		line[n++] = bus_buf_take(&text, NULL);
	}
	qsort(line, n, sizeof(*line), city_compare);
	for (size_t i = 0; i < n; i++) {
		bus_buf_puts(&out, line[i]);
		bus_buf_putc(&out, '\n');
		free(line[i]);
	}
	free(line);
	bus_buf_putc(&out, '\0');
	return bus_buf_take(&out, NULL);
}

/* The file register, without times. */
static inline char *city_files(struct city *c)
{
	char *avsc = city_read("schemas/avsc/bersama/berkas.avsc"), *text = city_fold(c, CITY_FILES, avsc),
	     *p = text;

	free(avsc);
	while ((p = strstr(p, "\"mulai\":"))) {
		char *end = strchr(p, '\n');

		memmove(p, end, strlen(end) + 1);
	}
	return text;
}

/* Ids and classes of what is in quarantine. */
static inline char *city_quarantine(struct city *c)
{
	char *avsc = city_read("schemas/avsc/bersama/karantina.avsc"),
	     *text = city_fold(c, CITY_QUARANTINE, avsc);
	char *p = text;

	free(avsc);
	while ((p = strstr(p, "\"keterangan\":"))) { /* and what is sealed, with a fresh nonce */
		char *end = strchr(p, '\n');

		memmove(p, end, strlen(end) + 1);
	}
	return text;
}

#endif
