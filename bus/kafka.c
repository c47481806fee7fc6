#include "bus/kafka.h"

#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdio.h>

#include "bus/clock.h"
#include "bus/log.h"

/* What the promises of producer.h and consumer.h rest on: no configuration may turn it. */
static const char *const fixed[] = {
	"acks",
	"request.required.acks",
	"enable.idempotence",
	"transactional.id",
	"auto.offset.reset",
	"enable.auto.commit",
	"isolation.level",
	"enable.partition.eof",
	"check.crcs",
	"enable.auto.offset.store",
};

static void on_log(const rd_kafka_t *rk, int level, const char *fac, const char *text)
{
	enum bus_log_level ours = level <= 4 ? BUS_LOG_WARN : level <= 6 ? BUS_LOG_INFO : BUS_LOG_DEBUG;

	bus_log(ours, "kafka.log", LOG_STR("client", rd_kafka_name(rk)), LOG_STR("facility", fac),
		LOG_STR("text", text));
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
	(void)opaque;
	bus_kafka_log_error(rk, code, reason);
}

void bus_kafka_log_error(const struct rd_kafka_s *rk, int code, const char *reason)
{
	bus_log(BUS_LOG_WARN, "kafka.error", LOG_STR("client", rd_kafka_name(rk)),
		LOG_STR("code", rd_kafka_err2name((rd_kafka_resp_err_t)code)), LOG_STR("reason", reason));
}

static enum bus_err set(rd_kafka_conf_t *c, const char *name, const char *value, bool optional, bool *known,
			struct bus_error *err)
{
	char why[256];
	rd_kafka_conf_res_t rc = rd_kafka_conf_set(c, name, value, why, sizeof(why));

	if (known)
		*known = rc == RD_KAFKA_CONF_OK;
	if (rc == RD_KAFKA_CONF_OK || (rc == RD_KAFKA_CONF_UNKNOWN && optional))
		return BUS_OK;
	return bus_fail(err, BUS_EINVAL, "option 'kafka.%s': %s", name, why);
}

static enum bus_err set_extra(rd_kafka_conf_t *c, const struct bus_conf_map *extra, struct bus_error *err)
{
	enum bus_err rc;
	size_t i, j;

	for (i = 0; extra && i < extra->n; i++) {
		for (j = 0; j < BUS_LEN(fixed); j++)
			if (strcmp(extra->key[i], fixed[j]) == 0)
				return bus_fail(err, BUS_EINVAL,
						"option 'kafka.%s' cannot be set: no record "
						"lost or skipped rests on it",
						fixed[j]);
		rc = set(c, extra->key[i], extra->value[i], false, NULL, err);
		if (rc != BUS_OK)
			return rc;
	}
	return BUS_OK;
}

enum bus_err bus_kafka_conf_make(const struct bus_kafka_conf *conf, const struct bus_kafka_setting *setting,
				 struct rd_kafka_conf_s **out, struct bus_error *err)
{
	const struct bus_kafka_setting common[] = {
		{ .name = "bootstrap.servers", .value = conf->bootstrap },
		{ .name = "client.id", .value = conf->client_id ? conf->client_id : "titian" },
		{ .name = "socket.keepalive.enable", .value = "true" },
		{ .name = "socket.nagle.disable", .value = "true" },
		{ .name = "socket.timeout.ms", .value = "30000" },
		{ .name = "socket.connection.setup.timeout.ms", .value = "10000" },
		{ .name = "reconnect.backoff.ms", .value = "100" },
		{ .name = "reconnect.backoff.max.ms", .value = "3000" },
		{ .name = "log.connection.close", .value = "false" },
		{ .name = "allow.auto.create.topics", .value = "false" },
	};
	rd_kafka_conf_t *c = rd_kafka_conf_new();
	enum bus_err rc = BUS_OK;
	size_t i;

	*out = NULL;
	for (i = 0; i < BUS_LEN(common) && rc == BUS_OK; i++)
		rc = set(c, common[i].name, common[i].value, false, NULL, err);
	for (; setting && setting->name && rc == BUS_OK; setting++)
		rc = set(c, setting->name, setting->value, setting->optional, setting->known, err);
	if (rc == BUS_OK)
		rc = set_extra(c, conf->extra, err);
	if (rc != BUS_OK) {
		rd_kafka_conf_destroy(c);
		return rc;
	}
	rd_kafka_conf_set_log_cb(c, on_log);
	rd_kafka_conf_set_error_cb(c, on_error);
	*out = c;
	return BUS_OK;
}

enum bus_err bus_kafka_err(int code)
{
	switch (code) {
	case RD_KAFKA_RESP_ERR_NO_ERROR:
		return BUS_OK;
	case RD_KAFKA_RESP_ERR__FATAL:
	case RD_KAFKA_RESP_ERR__FENCED:
	case RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
	case RD_KAFKA_RESP_ERR_PRODUCER_FENCED:
		return BUS_EFATAL;
	case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
	case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
	case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
		return BUS_ENOENT;
	case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
		return BUS_EEXIST;
	case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
	case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
		return BUS_ECONFLICT;
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
	case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
		return BUS_ETOOBIG;
	case RD_KAFKA_RESP_ERR_INVALID_RECORD:
	case RD_KAFKA_RESP_ERR_INVALID_MSG:
	case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
	case RD_KAFKA_RESP_ERR__BAD_MSG:
	case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
		return BUS_EDATA;
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
	case RD_KAFKA_RESP_ERR__AUTHENTICATION:
	case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
	case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
		return BUS_EDENIED;
	case RD_KAFKA_RESP_ERR__INVALID_ARG:
	case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
	case RD_KAFKA_RESP_ERR_INVALID_CONFIG:
	case RD_KAFKA_RESP_ERR_INVALID_PARTITIONS:
	case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
		return BUS_EINVAL;
	case RD_KAFKA_RESP_ERR__TIMED_OUT:
	case RD_KAFKA_RESP_ERR__MSG_TIMED_OUT:
	case RD_KAFKA_RESP_ERR__TRANSPORT:
	case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
		return BUS_ETIMEOUT;
	case RD_KAFKA_RESP_ERR__QUEUE_FULL:
		return BUS_EFULL;
	default:
		return BUS_EKAFKA;
	}
}

enum bus_err bus_kafka_fail(struct bus_error *err, int code, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return bus_fail(err, bus_kafka_err(code), "%s: %s", what,
			rd_kafka_err2str((rd_kafka_resp_err_t)code));
}

static enum bus_err read_metadata(const struct rd_kafka_metadata *md, const char *topic, int32_t *n,
				  bool *led, struct bus_error *err)
{
	const struct rd_kafka_metadata_topic *t;
	int i;

	if (md->topic_cnt != 1)
		return bus_fail(err, BUS_ENOENT, "no topic '%s'", topic);
	t = &md->topics[0];
	if (t->err == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE && led) {
		*n = t->partition_cnt;
		*led = false;
		return BUS_OK;
	}
	if (t->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || (!t->err && t->partition_cnt == 0))
		return bus_fail(err, BUS_ENOENT, "no topic '%s'", topic);
	if (t->err)
		return bus_kafka_fail(err, t->err, "topic '%s'", topic);
	*n = t->partition_cnt;
	if (!led)
		return BUS_OK;
	*led = true;
	for (i = 0; i < t->partition_cnt; i++)
		if (t->partitions[i].leader < 0)
			*led = false;
	return BUS_OK;
}

enum bus_err bus_kafka_open(const struct bus_kafka_conf *conf, const struct bus_kafka_setting *setting,
			    int type, struct rd_kafka_s **out, struct bus_error *err)
{
	rd_kafka_conf_t *c = NULL;
	enum bus_err rc = bus_kafka_conf_make(conf, setting, &c, err);
	char why[256];

	*out = NULL;
	if (rc != BUS_OK)
		return rc;
	*out = rd_kafka_new((rd_kafka_type_t)type, c, why, sizeof(why));
	if (*out)
		return BUS_OK;
	rd_kafka_conf_destroy(c);
	return bus_fail(err, BUS_EINVAL, "Kafka settings: %s", why);
}

enum bus_err bus_kafka_each_topic(struct rd_kafka_s *rk, bus_kafka_topic_fn fn, void *ctx, int timeout_ms,
				  struct bus_error *err)
{
	const struct rd_kafka_metadata *md = NULL;
	rd_kafka_resp_err_t code;
	char brokers[256] = "";
	size_t n = sizeof(brokers);

	rd_kafka_poll(rk, 0); /* its errors, which are logged */
	code = rd_kafka_metadata(rk, 1, NULL, &md, timeout_ms);
	if (code) {
		(void)rd_kafka_conf_get(rd_kafka_conf(rk), "bootstrap.servers", brokers, &n);
		return bus_kafka_fail(err, code, "no answer from Kafka at '%s'", brokers);
	}
	for (int i = 0; i < md->topic_cnt; i++)
		if (!md->topics[i].err)
			fn(ctx, md->topics[i].topic, md->topics[i].partition_cnt);
	rd_kafka_metadata_destroy(md);
	return BUS_OK;
}

enum bus_err bus_kafka_partitions(struct rd_kafka_s *rk, const char *topic, int32_t *n, bool *led,
				  int timeout_ms, struct bus_error *err)
{
	const struct rd_kafka_metadata *md = NULL;
	rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
	rd_kafka_resp_err_t code;
	enum bus_err rc;

	if (!rkt)
		return bus_kafka_fail(err, rd_kafka_last_error(), "topic '%s'", topic);
	code = rd_kafka_metadata(rk, 0, rkt, &md, timeout_ms);
	if (code)
		rc = bus_kafka_fail(err, code, "no answer from Kafka about topic '%s'", topic);
	else
		rc = read_metadata(md, topic, n, led, err);
	if (md)
		rd_kafka_metadata_destroy(md);
	rd_kafka_topic_destroy(rkt);
	return rc;
}

enum bus_err bus_kafka_cluster_id(struct rd_kafka_s *rk, char *out, size_t n, int timeout_ms,
				  struct bus_error *err)
{
	char *id = rd_kafka_clusterid(rk, timeout_ms);
	size_t len;

	if (!id)
		return bus_fail(err, BUS_ETIMEOUT, "no answer from Kafka about its cluster id");
	len = strlen(id);
	if (len < n)
		memcpy(out, id, len + 1);
	rd_kafka_mem_free(rk, id);
	if (len >= n)
		return bus_fail(err, BUS_EDATA, "Kafka's cluster id has %zu bytes", len);
	return BUS_OK;
}
