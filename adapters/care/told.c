#include "adapters/care/told.h"

#include <stdio.h>

#include "adapters/scan.h"
#include "bus/wire.h"
#include "schemas/store/plan.h"

#define FILES_MAX 100000

struct reading {
	struct adapter_told *told;
	size_t cap;
	struct schema_store_plan plan;
	const char *at;
	struct adapter_told_file *file;
};

static enum bus_err on_field(void *ctx, const struct schema_node *node, size_t index)
{
	struct reading *rd = ctx;

	rd->at = node == rd->plan.root ? node->field[index].name : "";
	return BUS_OK;
}

static enum bus_err on_text(void *ctx, const struct schema_node *node, struct bus_str v)
{
	struct reading *rd = ctx;

	(void)node;
	if (strcmp(rd->at, "nama") == 0)
		snprintf(rd->file->name, sizeof(rd->file->name), "%.*s", (int)v.n, v.p);
	else if (strcmp(rd->at, "umpan") == 0)
		snprintf(rd->file->feed, sizeof(rd->file->feed), "%.*s", (int)v.n, v.p);
	return BUS_OK;
}

static enum bus_err on_integer(void *ctx, const struct schema_node *node, int64_t v)
{
	struct reading *rd = ctx;

	(void)node;
	if (strcmp(rd->at, "selesai") == 0)
		rd->file->ended_ms = v;
	return BUS_OK;
}

static enum bus_err on_symbol(void *ctx, const struct schema_node *node, int32_t index)
{
	struct reading *rd = ctx;

	if (strcmp(rd->at, "status") == 0 && !adapter_status_parse(node->symbol[index], &rd->file->status))
		rd->file->status = ADAPTER_READING;
	return BUS_OK;
}

static struct adapter_told_file *place_for(struct reading *rd, const char *hex, const char *feed)
{
	struct adapter_told *t = rd->told;

	for (size_t i = t->n; i > 0; i--)
		if (strcmp(t->file[i - 1].hex, hex) == 0 && strcmp(t->file[i - 1].feed, feed) == 0)
			return &t->file[i - 1];
	if (t->n == rd->cap) {
		rd->cap = rd->cap ? 2 * rd->cap : 64;
		t->file = bus_xrealloc(t->file, rd->cap * sizeof(*t->file));
	}
	return &t->file[t->n++];
}

static enum bus_err on_record(void *ctx, int tag, const struct bus_record *r, struct bus_error *err)
{
	const struct schema_sink sink = {
		.ctx = ctx, .field = on_field, .text = on_text, .integer = on_integer, .symbol = on_symbol
	};
	struct adapter_told_file file = { .status = ADAPTER_READING };
	struct reading *rd = ctx;

	(void)tag, (void)err;
	if (r->tombstone || r->key.n <= BUS_WIRE_FILE_LEN || rd->told->n == FILES_MAX)
		return BUS_OK;
	memcpy(file.hex, r->key.p + r->key.n - BUS_WIRE_FILE_LEN, BUS_WIRE_FILE_LEN);
	rd->at = "";
	rd->file = &file;
	if (schema_store_plan_read(&rd->plan, r->value, &sink, NULL) == BUS_OK)
		*place_for(rd, file.hex, file.feed) = file;
	return BUS_OK;
}

enum bus_err adapter_told_read(const struct bus_kafka_conf *kafka, struct schema_store *store,
			       const char *opd, struct adapter_told *out, struct bus_error *err)
{
	char *name = bus_xasprintf("pku.%s.berkas.v1", opd);
	const char *const topic = name;
	struct reading rd = { .told = out };
	const struct adapter_scan scan = {
		.kafka = kafka, .topic = &topic, .n = 1, .record = on_record, .ctx = &rd
	};
	uint64_t records;
	enum bus_err rc;

	schema_store_plan_init(&rd.plan, store, NULL, SCHEMA_STORE_PLAN_WAIT_MS);
	rc = adapter_scan_run(&scan, &records, err);
	schema_store_plan_release(&rd.plan);
	free(name);
	return rc;
}

void adapter_told_release(struct adapter_told *t)
{
	free(t->file);
	*t = (struct adapter_told){ 0 };
}

const char *adapter_told_name(const struct adapter_told *t, const char *hex)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->file[i].hex, hex) == 0)
			return t->file[i].name;
	return hex;
}

const struct adapter_told_file *adapter_told_before(const struct adapter_told *t, const char *feed,
						    int64_t ms)
{
	const struct adapter_told_file *best = NULL;

	for (size_t i = 0; i < t->n; i++) {
		const struct adapter_told_file *f = &t->file[i];

		if (strcmp(f->feed, feed) == 0 && f->status == ADAPTER_DONE && f->ended_ms > 0 &&
		    f->ended_ms < ms && (!best || f->ended_ms > best->ended_ms))
			best = f;
	}
	return best;
}
