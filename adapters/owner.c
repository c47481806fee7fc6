#include "adapters/owner.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/consumer.h"
#include "bus/crypto.h"
#include "bus/log.h"
#include "bus/mem.h"
#include "bus/producer.h"

#define CLAIM_KEY "adapter" /* a file's key is longer: <feed>:<16 hex> */
#define OWNER_HEADER "titian_owner"
#define HOST_HEADER "titian_host"
#define ASK_MS 10000
#define LOOK_MS 50
#define READ_MAX 64
#define QUEUE_BYTES (64 * 1024)
#define HOST_MAX 80

struct adapter_owner {
	struct bus_kafka_conf kafka;
	char *opd, *topic;
	char id[17], host[HOST_MAX];
	struct bus_consumer *tail; /* from our claim on; NULL: not claimed */
	int64_t looked_ms;
	char newer[HOST_MAX]; /* where the one is that began since; "": none has */
};

struct adapter_owner *adapter_owner_new(const struct bus_kafka_conf *kafka, const char *opd)
{
	struct adapter_owner *o = bus_xcalloc(1, sizeof(*o));
	char name[60] = "";
	uint64_t id;

	bus_random(&id, sizeof(id));
	snprintf(o->id, sizeof(o->id), "%016" PRIx64, id);
	(void)gethostname(name, sizeof(name) - 1);
	snprintf(o->host, sizeof(o->host), "%s, pid %ld", name, (long)getpid());
	o->kafka = *kafka;
	o->opd = bus_xstrdup(opd);
	o->topic = bus_xasprintf("pku.%s.berkas.v1", opd);
	return o;
}

void adapter_owner_free(struct adapter_owner **oo)
{
	struct adapter_owner *o = *oo;

	if (!o)
		return;
	bus_consumer_close(&o->tail);
	free(o->topic);
	free(o->opd);
	free(o);
	*oo = NULL;
}

/* A CloudEvent, as every record of ours; but of no stream, and without a number: who claims does not know them yet. */
static enum bus_err send_claim(struct adapter_owner *o, struct bus_producer *p, int32_t partition,
			       struct bus_error *err)
{
	char *source = bus_xasprintf("/opd/%s", o->opd),
	     *type = bus_xasprintf("id.go.pekanbaru.bus.%s.berkas.v1", o->opd);
	char time[32];
	const struct bus_header header[] = {
		{ BUS_STR("ce_specversion"), BUS_STR("1.0") },
		{ BUS_STR("ce_id"), bus_str(o->id) },
		{ BUS_STR("ce_source"), bus_str(source) },
		{ BUS_STR("ce_type"), bus_str(type) },
		{ BUS_STR("ce_subject"), BUS_STR(CLAIM_KEY) },
		{ BUS_STR("ce_time"), bus_str(bus_clock_iso_wib(bus_clock_ms(), time, sizeof(time))) },
		{ BUS_STR("content-type"), BUS_STR("application/avro") },
		{ BUS_STR(OWNER_HEADER), bus_str(o->id) },
		{ BUS_STR(HOST_HEADER), bus_str(o->host) },
	};
	enum bus_err rc = bus_producer_send(p, o->topic, partition, BUS_STR(CLAIM_KEY), NULL, header,
					    BUS_LEN(header), 0, 1, ASK_MS, err);

	free(source);
	free(type);
	return rc;
}

static enum bus_err write_claim(struct adapter_owner *o, int32_t partition, int64_t *offset,
				struct bus_error *err)
{
	const struct bus_producer_conf conf = { .kafka = o->kafka };
	struct bus_producer *p = NULL;
	enum bus_err rc = bus_producer_open(&conf, &p, err);

	if (!rc)
		rc = send_claim(o, p, partition, err);
	if (!rc)
		rc = bus_producer_flush(p, ASK_MS, err);
	if (!rc)
		*offset = bus_producer_offset(p);
	bus_producer_close(&p);
	return rc;
}

enum bus_err adapter_owner_claim(struct adapter_owner *o, struct bus_error *err)
{
	const struct bus_consumer_conf conf = { .kafka = o->kafka, .queue_bytes = QUEUE_BYTES };
	struct bus_consumer *tail = NULL;
	int64_t offset = 0;
	int32_t n, partition;
	enum bus_err rc;

	if (o->tail)
		return BUS_OK;
	rc = bus_consumer_open(&conf, &tail, err);
	if (!rc)
		rc = bus_consumer_partitions(tail, o->topic, &n, ASK_MS, err);
	if (rc == BUS_ENOENT)
		rc = bus_fail(err, rc, "topic '%s' does not exist", o->topic);
	if (!rc) {
		partition = bus_wire_partition(BUS_STR(CLAIM_KEY), n);
		rc = write_claim(o, partition, &offset, err);
	}
	if (!rc)
		rc = bus_consumer_assign(tail, o->topic, partition, offset + 1, 0, err);
	if (rc) {
		bus_consumer_close(&tail);
		return rc;
	}
	o->tail = tail;
	return BUS_OK;
}

static struct bus_str header(const struct bus_record *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (bus_str_is(r->header[i].name, name))
			return r->header[i].value;
	return (struct bus_str){ 0 };
}

/* The name of a host comes from the log: for a message, and no more of it than a name may have. */
static void note_newer(struct adapter_owner *o, struct bus_str host)
{
	size_t n = host.n < HOST_MAX - 1 ? host.n : HOST_MAX - 1;

	for (size_t i = 0; i < n; i++)
		o->newer[i] = (host.p[i] >= ' ' && host.p[i] < 127 && host.p[i] != '"') ? host.p[i] : '?';
	o->newer[n] = '\0';
	if (n == 0)
		snprintf(o->newer, sizeof(o->newer), "?");
}

enum bus_err adapter_owner_check(struct adapter_owner *o, struct bus_error *err)
{
	struct bus_record record[READ_MAX];
	int64_t now = bus_clock_mono_coarse_ms();
	size_t n;
	enum bus_err rc;

	if (!o->tail || (now - o->looked_ms < LOOK_MS && !o->newer[0]))
		return BUS_OK;
	o->looked_ms = now;
	rc = bus_consumer_poll(o->tail, record, READ_MAX, &n, 0, err);
	if (rc) {
		bus_consumer_close(&o->tail); /* claimed again by who begins anew */
		if (err)
			err->code = BUS_EFATAL;
		return BUS_EFATAL;
	}
	for (size_t i = 0; i < n; i++)
		if (record[i].tombstone && bus_str_is(record[i].key, CLAIM_KEY) &&
		    header(&record[i], OWNER_HEADER).n > 0)
			note_newer(o, header(&record[i], HOST_HEADER));
	if (!o->newer[0])
		return BUS_OK;
	return bus_fail(err, BUS_EEXIST,
			"another adapter of '%s' has begun (%s): a department has one; stop that one, or put "
			"the mappings of both "
			"into one configuration",
			o->opd, o->newer);
}
