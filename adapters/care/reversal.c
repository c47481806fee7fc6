#include "adapters/care/reversal.h"

#include <stdio.h>

#include "adapters/care/record.h"
#include "adapters/scan.h"
#include "adapters/seen.h"

/* What `seen` keeps of a key: `version` is the offset of the record it had then, `content` that one's fingerprint (0: a tombstone),
 * `line` the partition, and in `file`: */
#define THEN 1u	   /* it had a record */
#define SINCE 2u   /* and it has one since */
#define LIVE 4u	   /* which is no tombstone */
#define DIFFERS 8u /* and not what it was */
#define DONE 16u   /* handed over */
#define LOST 32u   /* of its partition something is lost from before the moment */

struct part {
	bool passed; /* the moment */
	bool lost;
	int64_t last; /* number of the last record read */
};

struct adapter_reversal {
	struct adapter_reversal_conf conf;
	struct adapter_seen *seen;
	struct part *part;
	int32_t n_parts;
	struct adapter_reversal_counts n;
	adapter_reversal_fn fn;
	void *fn_ctx;
};

enum fate { STAYS, RESTORE, REMOVE, UNKNOWN };

static enum fate fate_of(const struct adapter_seen_entry *e)
{
	bool then = (e->file & THEN) && e->content != 0;

	if (!(e->file & SINCE) || !(e->file & DIFFERS))
		return STAYS;
	if (then)
		return RESTORE;
	if (!(e->file & LIVE))
		return STAYS;
	return !(e->file & THEN) && (e->file & LOST) ? UNKNOWN : REMOVE;
}

static void count(struct adapter_reversal *r, enum fate fate, uint64_t one)
{
	if (fate == RESTORE)
		r->n.restore += one;
	else if (fate == REMOVE)
		r->n.remove += one;
	else if (fate == UNKNOWN)
		r->n.unknown += one;
}

static uint64_t content_of(const struct bus_record *r)
{
	struct bus_str avro = r->value;
	uint64_t content;
	int32_t id;

	if (r->tombstone)
		return 0;
	(void)!bus_wire_open(r->value, &id, &avro, NULL);
	content = adapter_fingerprint(avro);
	return content ? content : 1;
}

static bool by_order(const struct bus_record *r)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (bus_str_is(r->header[i].name, ADAPTER_ORDER_HEADER))
			return true;
	return false;
}

static enum bus_err note_file(struct adapter_reversal *r, const struct bus_record *record,
			      struct bus_str file, struct bus_error *err)
{
	struct adapter_reversal_counts *n = &r->n;

	if (file.n != BUS_WIRE_FILE_LEN)
		return BUS_OK;
	if (r->conf.own && bus_str_is(file, r->conf.own)) {
		n->restored += !record->tombstone;
		n->removed += record->tombstone;
		return BUS_OK;
	}
	/* A single row that was mended and published late does not make its whole file a bad one. */
	if (by_order(record))
		return BUS_OK;
	for (size_t i = n->n_files; i > 0; i--)
		if (bus_str_is(file, n->file[i - 1]))
			return BUS_OK;
	if (n->n_files == ADAPTER_REVERSAL_FILES)
		return bus_fail(err, BUS_ETOOBIG,
				"more than %d files have been read since: choose a later time",
				ADAPTER_REVERSAL_FILES);
	memcpy(n->file[n->n_files++], file.p, file.n);
	return BUS_OK;
}

static void note_place(struct adapter_reversal *r, const struct bus_origin *o)
{
	struct adapter_reversal_place *place;

	if (r->n.n_places == ADAPTER_REVERSAL_SAMPLES)
		return;
	place = &r->n.place[r->n.n_places++];
	snprintf(place->file, sizeof(place->file), "%.*s", (int)o->file.n, o->file.p ? o->file.p : "");
	place->line = o->line;
}

/* Whether something before this record is missing that was in the log once. */
static void note_number(struct adapter_reversal *r, struct part *part, const struct bus_record *record,
			const struct bus_origin *o)
{
	bool was_passed = part->passed;

	part->passed |= record->timestamp_ms >= r->conf.to_ms;
	if (!bus_wire_follows(o, record->topic, record->partition, part->last, record->offset))
		return;
	part->lost |= !was_passed && o->seq > part->last + 1;
	if (o->seq > part->last)
		part->last = o->seq;
}

static enum bus_err look_record(void *ctx, int tag, const struct bus_record *record, struct bus_error *err)
{
	struct adapter_reversal *r = ctx;
	struct part *part = &r->part[record->partition];
	struct adapter_seen_entry *e;
	uint64_t content = content_of(record);
	struct bus_origin o;
	enum fate before, after;
	bool fresh;
	enum bus_err rc = adapter_seen_put(r->seen, record->key, &e, &fresh, err);

	(void)tag;
	if (rc)
		return rc;
	bus_wire_read_origin(record->header, record->n_headers, &o);
	note_number(r, part, record, &o);
	e->line = (uint32_t)record->partition;
	if (!part->passed) {
		e->version = record->offset;
		e->content = content;
		e->file = THEN;
		return BUS_OK;
	}
	before = fate_of(e);
	e->file = (e->file & (THEN | DONE)) | SINCE | (content ? LIVE : 0) | (part->lost ? LOST : 0);
	/* A key without a past, and one whose past was a tombstone, differ by being there. */
	if (content != ((e->file & THEN) ? e->content : 0))
		e->file |= DIFFERS;
	after = fate_of(e);
	count(r, before, (uint64_t)-1);
	count(r, after, 1);
	if (after == UNKNOWN && before != UNKNOWN)
		note_place(r, &o);
	return note_file(r, record, o.file, err);
}

static enum bus_err run_record(void *ctx, int tag, const struct bus_record *record, struct bus_error *err)
{
	struct adapter_reversal *r = ctx;
	struct adapter_seen_entry *e = adapter_seen_get(r->seen, record->key);
	enum fate fate = e ? fate_of(e) : STAYS;

	(void)tag;
	if ((fate != RESTORE && fate != REMOVE) || (e->file & DONE))
		return BUS_OK;
	if (fate == RESTORE && (e->version != record->offset || e->line != (uint32_t)record->partition))
		return BUS_OK;
	e->file |= DONE;
	return r->fn(r->fn_ctx, record->key, fate == RESTORE ? record : NULL, err);
}

static enum bus_err on_partitions(void *ctx, int tag, int32_t n, struct bus_error *err)
{
	struct adapter_reversal *r = ctx;

	(void)tag, (void)err;
	r->part = bus_xcalloc((size_t)n, sizeof(*r->part));
	r->n_parts = n;
	return BUS_OK;
}

enum bus_err adapter_reversal_look(const struct adapter_reversal_conf *conf, struct adapter_reversal **out,
				   struct bus_error *err)
{
	struct adapter_reversal *r = bus_xcalloc(1, sizeof(*r));
	const struct adapter_scan scan = { .kafka = conf->kafka,
					   .topic = &conf->topic,
					   .n = 1,
					   .partitions = on_partitions,
					   .record = look_record,
					   .ctx = r };
	uint64_t records;
	enum bus_err rc;

	r->conf = *conf;
	rc = adapter_seen_new(conf->state_dir, &r->seen, err);
	if (!rc)
		rc = adapter_scan_run(&scan, &records, err);
	if (rc)
		adapter_reversal_free(&r);
	*out = r;
	return rc;
}

void adapter_reversal_free(struct adapter_reversal **rp)
{
	struct adapter_reversal *r = *rp;

	if (!r)
		return;
	adapter_seen_free(&r->seen);
	free(r->part);
	free(r);
	*rp = NULL;
}

const struct adapter_reversal_counts *adapter_reversal_counts(const struct adapter_reversal *r)
{
	return &r->n;
}

enum bus_err adapter_reversal_run(struct adapter_reversal *r, adapter_reversal_fn fn, void *ctx,
				  struct bus_error *err)
{
	const struct adapter_scan scan = {
		.kafka = r->conf.kafka, .topic = &r->conf.topic, .n = 1, .record = run_record, .ctx = r
	};
	uint64_t records;

	r->fn = fn;
	r->fn_ctx = ctx;
	return adapter_scan_run(&scan, &records, err);
}
