/* A program of the bus says, when it starts, which schemas it uses. */
#include <time.h>

#include "bus/admin.h"
#include "bus/log.h"
#include "schemas/store/side.h"

#define WRITE_MS 5000

void schema_names_put(struct bus_json_out *j, const char *names)
{
	bus_json_array(j);
	while (*names) {
		size_t n = strcspn(names, ",");

		bus_json_put_str(j, (struct bus_str){ names, n });
		names += n + (names[n] == ',');
	}
	bus_json_array_end(j);
}

void schema_use_put_columns(struct bus_json_out *j, const struct schema_use *u)
{
	if (!u->columns)
		return;
	bus_json_key(j, "columns");
	bus_json_object(j);
	for (size_t i = 0; i < u->n_fields; i++) {
		if (!u->columns[i][0])
			continue;
		bus_json_key(j, u->field[i]);
		schema_names_put(j, u->columns[i]);
	}
	bus_json_object_end(j);
}

static void put_value(const char *owner, int64_t valid_s, const struct schema_use *use, size_t n,
		      struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };
	time_t now = time(NULL);
	struct tm tm;
	char at[32];

	gmtime_r(&now, &tm);
	strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%SZ", &tm);
	bus_json_object(&j);
	bus_json_text_member(&j, "owner", owner);
	bus_json_text_member(&j, "at", at);
	if (valid_s > 0) {
		bus_json_key(&j, "valid_s");
		bus_json_put_int(&j, valid_s);
	}
	bus_json_key(&j, "uses");
	bus_json_array(&j);
	for (size_t i = 0; i < n; i++) {
		bus_json_object(&j);
		bus_json_text_member(&j, "kind", use[i].kind);
		bus_json_text_member(&j, "name", use[i].name);
		bus_json_text_member(&j, "subject", use[i].subject);
		if (use[i].n_fields > 0) {
			bus_json_key(&j, "fields");
			bus_json_array(&j);
			for (size_t k = 0; k < use[i].n_fields; k++)
				bus_json_put_text(&j, use[i].field[k]);
			bus_json_array_end(&j);
		}
		schema_use_put_columns(&j, &use[i]);
		bus_json_object_end(&j);
	}
	bus_json_array_end(&j);
	bus_json_object_end(&j);
}

void schema_side_announce(const struct bus_kafka_conf *kafka, const char *schemas_topic, const char *program,
			  const char *owner, int64_t valid_s, const struct schema_use *use, size_t n)
{
	char *topic = bus_xasprintf("%s%s", schemas_topic, SCHEMA_SIDE_SUFFIX);
	struct bus_buf key = { 0 }, value = { 0 };
	struct bus_error err;
	struct bus_str text;
	int32_t partitions;
	enum bus_err rc;

	schema_side_use_key(program, &key);
	put_value(owner, valid_s, use, n, &value);
	text = bus_buf_str(&value);
	/* librdkafka would wait half a minute for a topic that is not there. */
	rc = bus_admin_partitions(kafka, topic, &partitions, NULL, WRITE_MS, &err);
	if (rc == BUS_OK)
		rc = schema_side_write(kafka, topic, bus_buf_str(&key), &text, WRITE_MS, NULL, &err);
	if (rc != BUS_OK)
		bus_log(BUS_LOG_WARN, "side.not_announced", LOG_STR("topic", topic), LOG_ERR(&err));
	bus_buf_release(&key);
	bus_buf_release(&value);
	free(topic);
}
