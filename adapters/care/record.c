#include "adapters/care/record.h"

#include "adapters/scan.h"
#include "schemas/store/plan.h"

enum {
	FEED,
	FILE_NAME,
	SHA256,
	FIELD,
	CLASS,
	DETAIL,
	SEALED,
	CELLS,
	WHAT,
	WHO,
	WHY,
	ORDER,
	N_TEXTS,
	LINE = N_TEXTS,
	TIME,
	ACT_TIME,
	STATE,
	N_FIELDS
};

static const char *const field_name[N_FIELDS] = {
	[FEED] = "umpan",
	[FILE_NAME] = "berkas",
	[SHA256] = "sha256",
	[FIELD] = "kolom",
	[CLASS] = "kelas",
	[DETAIL] = "keterangan",
	[SEALED] = "baris_tersegel",
	[CELLS] = "isian_tersegel",
	[WHAT] = "tindakan",
	[WHO] = "oleh",
	[WHY] = "alasan",
	[ORDER] = "perintah",
	[LINE] = "baris",
	[TIME] = "waktu",
	[ACT_TIME] = "waktu_tindakan",
	[STATE] = "keadaan",
};

struct adapter_kept_reader {
	struct schema_store_plan plan;
	int at; /* field being read; -1: none that is known */
	struct bus_str text[N_TEXTS];
	struct adapter_kept *out;
};

struct adapter_kept_reader *adapter_kept_reader_new(struct schema_store *store)
{
	struct adapter_kept_reader *r = bus_xcalloc(1, sizeof(*r));

	schema_store_plan_init(&r->plan, store, NULL, SCHEMA_STORE_PLAN_WAIT_MS);
	return r;
}

void adapter_kept_reader_free(struct adapter_kept_reader **rp)
{
	struct adapter_kept_reader *r = *rp;

	if (!r)
		return;
	schema_store_plan_release(&r->plan);
	free(r);
	*rp = NULL;
}

static enum bus_err on_field(void *ctx, const struct schema_node *node, size_t index)
{
	struct adapter_kept_reader *r = ctx;

	r->at = -1;
	for (int i = 0; i < N_FIELDS && node == r->plan.root; i++)
		if (strcmp(node->field[index].name, field_name[i]) == 0)
			r->at = i;
	return BUS_OK;
}

static enum bus_err on_text(void *ctx, const struct schema_node *node, struct bus_str v)
{
	struct adapter_kept_reader *r = ctx;

	(void)node;
	if (r->at >= 0 && r->at < N_TEXTS)
		r->text[r->at] = v;
	return BUS_OK;
}

static enum bus_err on_integer(void *ctx, const struct schema_node *node, int64_t v)
{
	struct adapter_kept_reader *r = ctx;

	(void)node;
	if (r->at == LINE)
		r->out->line = v;
	else if (r->at == TIME)
		r->out->time_ms = v;
	else if (r->at == ACT_TIME)
		r->out->act_ms = v;
	return BUS_OK;
}

static enum bus_err on_symbol(void *ctx, const struct schema_node *node, int32_t index)
{
	struct adapter_kept_reader *r = ctx;

	for (int s = ADAPTER_ROW_OPEN; s <= ADAPTER_ROW_DISCARDED && r->at == STATE; s++)
		if (strcmp(node->symbol[index], adapter_row_state_name((enum adapter_row_state)s)) == 0)
			r->out->state = (enum adapter_row_state)s;
	return BUS_OK;
}

enum bus_err adapter_kept_read(struct adapter_kept_reader *r, const struct bus_record *record,
			       struct adapter_kept *out, struct bus_error *err)
{
	const struct schema_sink sink = { .ctx = r,
					  .field = on_field,
					  .text = on_text,
					  .bytes = on_text,
					  .integer = on_integer,
					  .symbol = on_symbol };
	const struct bus_str *t = r->text;
	enum bus_err rc;

	*out = (struct adapter_kept){ .id = record->key };
	if (record->key.n == 0 || record->key.n > ADAPTER_REFUSAL_ID)
		return bus_fail(err, BUS_EDATA, "a record of quarantine without the id of a row");
	memset(r->text, 0, sizeof(r->text));
	r->out = out;
	r->at = -1;
	rc = schema_store_plan_read(&r->plan, record->value, &sink, err);
	out->feed = t[FEED];
	out->file = t[FILE_NAME];
	out->sha256 = t[SHA256];
	out->field = t[FIELD];
	out->class = t[CLASS];
	out->detail = t[DETAIL];
	out->sealed_row = t[SEALED];
	out->sealed_cells = t[CELLS];
	out->what = t[WHAT];
	out->who = t[WHO];
	out->why = t[WHY];
	out->order = t[ORDER];
	return rc;
}

uint64_t adapter_kept_nth(struct bus_str id)
{
	const char *line = memchr(id.p, ':', id.n);
	const char *nth = line ? memchr(line + 1, ':', id.n - (size_t)(line + 1 - id.p)) : NULL;
	uint64_t n = 0;

	for (const char *p = nth ? nth + 1 : id.p + id.n;
	     p < id.p + id.n && *p >= '0' && *p <= '9' && n < 100000000; p++)
		n = 10 * n + (uint64_t)(*p - '0');
	return n > 1 ? n : 1;
}

struct reading {
	const struct adapter_kept_scan *s;
	struct adapter_seen *newest; /* version: offset, file: partition */
	struct adapter_kept_reader *reader;
	uint64_t unreadable;
};

static bool looked_for(const struct reading *rd, const struct bus_record *r)
{
	return !r->tombstone && r->key.n > 0 && (!rd->s->wanted || rd->s->wanted(rd->s->ctx, r->key));
}

static enum bus_err find_newest(void *ctx, int tag, const struct bus_record *r, struct bus_error *err)
{
	struct reading *rd = ctx;
	struct adapter_seen_entry *e;
	bool fresh;
	enum bus_err rc;

	(void)tag;
	if (!looked_for(rd, r))
		return BUS_OK;
	rc = adapter_seen_put(rd->newest, r->key, &e, &fresh, err);
	if (!rc) {
		e->version = r->offset;
		e->file = (uint32_t)r->partition;
	}
	return rc;
}

static enum bus_err hand_over(void *ctx, int tag, const struct bus_record *r, struct bus_error *err)
{
	struct reading *rd = ctx;
	struct adapter_kept kept;

	(void)tag;
	if (!looked_for(rd, r))
		return BUS_OK;
	if (!rd->s->history) {
		const struct adapter_seen_entry *e = adapter_seen_get(rd->newest, r->key);

		if (!e || e->version != r->offset || e->file != (uint32_t)r->partition)
			return BUS_OK;
	}
	if (adapter_kept_read(rd->reader, r, &kept, NULL)) {
		rd->unreadable++;
		return BUS_OK;
	}
	return rd->s->row(rd->s->ctx, &kept, err);
}

enum bus_err adapter_kept_scan(const struct adapter_kept_scan *s, uint64_t *unreadable, struct bus_error *err)
{
	struct reading rd = { .s = s };
	struct adapter_scan scan = { .kafka = s->kafka, .topic = &s->topic, .n = 1, .ctx = &rd };
	uint64_t records;
	enum bus_err rc = BUS_OK;

	if (!s->history) {
		scan.record = find_newest;
		rc = adapter_seen_new(s->state_dir, &rd.newest, err);
		if (!rc)
			rc = adapter_scan_run(&scan, &records, err);
	}
	if (!rc) {
		scan.record = hand_over;
		rd.reader = adapter_kept_reader_new(s->store);
		rc = adapter_scan_run(&scan, &records, err);
	}
	adapter_kept_reader_free(&rd.reader);
	adapter_seen_free(&rd.newest);
	*unreadable = rd.unreadable;
	return rc;
}
