#include "adapters/position.h"

#include "adapters/scan.h"
#include "bus/log.h"

static bool parse_number(struct bus_str s, int64_t *out)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	int64_t v = 0;

	if (s.n == (minus ? 1u : 0u) || s.n > 20)
		return false;
	for (size_t i = minus; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9' || __builtin_mul_overflow(v, 10, &v) ||
		    (minus ? __builtin_sub_overflow(v, s.p[i] - '0', &v)
			   : __builtin_add_overflow(v, s.p[i] - '0', &v)))
			return false;
	}
	*out = v;
	return true;
}

static struct bus_str header(const struct bus_record *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (bus_str_is(r->header[i].name, name))
			return r->header[i].value;
	return (struct bus_str){ 0 };
}

static void raise(struct adapter_stream *s, int64_t seq)
{
	if (seq > s->seq)
		s->seq = seq;
}

static enum bus_err load_entity(struct adapter_position *p, struct adapter_part *part,
				const struct bus_record *r, const struct bus_origin *o, struct bus_error *err)
{
	struct adapter_index_row row = { .key = r->key, .line = (uint32_t)o->line };
	struct bus_str avro = { 0 }, identity = header(r, ADAPTER_ID_HEADER);
	bool again;
	int32_t id;
	enum bus_err rc;

	if (identity.n > 0)
		row.key = identity;
	row.file = adapter_files_number(p->files, o->file);
	(void)parse_number(header(r, ADAPTER_VERSION_HEADER), &row.version);
	(void)adapter_at_read(o->file, header(r, ADAPTER_LSN_HEADER), &part->topic.stream[r->partition].at);
	/* A record in our topic that is not ours: it stands there, so a row of ours is a change. */
	if (!r->tombstone && bus_wire_open(r->value, &id, &avro, NULL) == BUS_OK)
		row.content = adapter_fingerprint(avro);
	rc = adapter_index_load(part->index, &row, r->tombstone, &again, err);
	if (!rc && r->tombstone && !again && row.file != 0)
		adapter_files_known(p->files, row.file, part->topic.name)->removed++;
	return rc;
}

static void load_positions(struct adapter_position *p, struct bus_str state)
{
	while (state.n > 0) {
		const char *space = memchr(state.p, ' ', state.n);
		struct bus_str item = { state.p, space ? (size_t)(space - state.p) : state.n };
		const char *equals = memchr(item.p, '=', item.n);
		struct bus_str name = { item.p, equals ? (size_t)(equals - item.p) : 0 };
		int64_t seq;

		state.p += item.n + (space ? 1 : 0);
		state.n -= item.n + (space ? 1 : 0);
		if (!equals || !parse_number((struct bus_str){ equals + 1, item.n - name.n - 1 }, &seq))
			continue;
		for (size_t i = 0; i < p->n; i++)
			for (int32_t k = 0; k < p->part[i].topic.n; k++)
				if (bus_str_eq(adapter_stream_name(&p->part[i].topic.stream[k]), name))
					raise(&p->part[i].topic.stream[k], seq);
	}
}

/* Key "<feed>:<16 hex>". */
static enum bus_err load_file(struct adapter_position *p, const struct bus_record *r)
{
	struct bus_str state = header(r, ADAPTER_STATE_HEADER), hex;
	struct adapter_known *known;
	struct bus_error why;
	uint32_t number;
	char *feed;
	enum bus_err rc;

	load_positions(p, state);
	if (r->tombstone || r->key.n <= BUS_WIRE_FILE_LEN + 1)
		return BUS_OK;
	hex = (struct bus_str){ r->key.p + r->key.n - BUS_WIRE_FILE_LEN, BUS_WIRE_FILE_LEN };
	number = adapter_files_number(p->files, hex);
	if (number == 0)
		return BUS_OK;
	feed = bus_xstrndup(r->key.p, r->key.n - BUS_WIRE_FILE_LEN - 1);
	known = adapter_files_known(p->files, number, feed);
	rc = adapter_tally_read(p->tally, r->value, &known->past, &why);
	if (!rc)
		adapter_files_note_undone(p->files, feed, header(r, ADAPTER_UNDONE_HEADER), known->past.order);
	free(feed);
	if (rc) {
		/* The file is then read as a new one: what is in the log already is not sent again. */
		bus_log(BUS_LOG_WARN, "adapter.file_record_unreadable", LOG_INT("offset", r->offset),
			LOG_ERR(&why));
		known->recorded = false;
		return BUS_OK;
	}
	known->recorded = true;
	if (state.n > 5 && memcmp(state.p, "held=", 5) == 0)
		(void)parse_number((struct bus_str){ state.p + 5, state.n - 5 }, &known->held);
	adapter_files_note_order(p->files, known->past.order);
	return BUS_OK;
}

static enum bus_err on_partitions(void *ctx, int tag, int32_t n, struct bus_error *err)
{
	struct adapter_position *p = ctx;
	struct adapter_part *part = &p->part[tag];
	char *name = bus_xstrdup(part->topic.name);

	(void)err;
	adapter_topic_release(&part->topic);
	adapter_topic_init(&part->topic, name, n);
	free(name);
	return BUS_OK;
}

static enum bus_err on_record(void *ctx, int tag, const struct bus_record *r, struct bus_error *err)
{
	struct adapter_position *p = ctx;
	struct adapter_part *part = &p->part[tag];
	struct bus_origin o;
	bool fresh;

	bus_wire_read_origin(r->header, r->n_headers, &o);
	if (bus_wire_follows(&o, r->topic, r->partition, part->topic.stream[r->partition].seq, r->offset))
		raise(&part->topic.stream[r->partition], o.seq);
	switch (part->kind) {
	case ADAPTER_PART_ENTITY:
		return load_entity(p, part, r, &o, err);
	case ADAPTER_PART_QUARANTINE:
		return adapter_quarantine_put(p->quarantine, r->key, &fresh, err);
	case ADAPTER_PART_FILES:
		return load_file(p, r);
	}
	return BUS_OK;
}

enum bus_err adapter_position_recover(const struct bus_kafka_conf *kafka, struct adapter_position *p,
				      uint64_t *records, struct bus_error *err)
{
	char **topic = bus_xcalloc(p->n, sizeof(*topic)); /* copies: on_partitions makes the names anew */
	struct adapter_scan scan = { .kafka = kafka,
				     .topic = (const char *const *)topic,
				     .n = p->n,
				     .settle_ms = p->settle_ms,
				     .partitions = on_partitions,
				     .record = on_record,
				     .ctx = p };
	enum bus_err rc;

	for (size_t i = 0; i < p->n; i++)
		topic[i] = bus_xstrdup(p->part[i].topic.name);
	rc = adapter_scan_run(&scan, records, err);
	for (size_t i = 0; i < p->n; i++)
		free(topic[i]);
	free(topic);
	return rc;
}

void adapter_position_put_state(const struct adapter_position *p, struct bus_buf *out)
{
	char digits[20];

	for (size_t i = 0; i < p->n; i++) {
		const struct adapter_part *part = &p->part[i];

		if (part->kind == ADAPTER_PART_FILES)
			continue; /* its own last record is never lost: the topic is compacted */
		for (int32_t k = 0; k < part->topic.n; k++) {
			const struct adapter_stream *s = &part->topic.stream[k];

			if (s->seq == 0)
				continue;
			if (out->n > 0)
				bus_buf_putc(out, ' ');
			bus_buf_put(out, s->text, s->prefix - 1);
			bus_buf_putc(out, '=');
			bus_buf_put(out, digits, adapter_put_decimal(digits, (uint64_t)s->seq));
		}
	}
}
