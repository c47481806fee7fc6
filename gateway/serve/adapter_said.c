#include "gateway/serve/adapter_said.h"

#include <math.h>
#include <stdio.h>

#include "bus/clock.h"

#define EVERY_LEAST_MS 1000
#define EVERY_MOST_MS 3600000
#define COUNT_MOST (INT64_C(1) << 52) /* whole in JSON's numbers */
#define RATE_MOST 1e9

struct reading {
	struct gw_adapter_said said;
	const struct schema_node *root;
	const char *at; /* field of the root that is being read */
	int64_t began, time, last;
	char reason[64];
};

static enum bus_err on_field(void *ctx, const struct schema_node *node, size_t index)
{
	struct reading *r = ctx;

	r->at = node == r->root ? node->field[index].name : "";
	return BUS_OK;
}

static int64_t bounded(int64_t v)
{
	return v < 0 ? 0 : v > COUNT_MOST ? COUNT_MOST : v;
}

static bool is_name(struct bus_str name)
{
	if (name.n == 0 || name.n >= sizeof(((struct reading *)0)->reason))
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!(name.p[i] >= 'a' && name.p[i] <= 'z') && !(name.p[i] >= '0' && name.p[i] <= '9') &&
		    name.p[i] != '_')
			return false;
	return true;
}

static enum bus_err on_key(void *ctx, const struct schema_node *node, struct bus_str name)
{
	struct reading *r = ctx;

	(void)node;
	if (!is_name(name))
		name = BUS_STR(GW_SAID_REST);
	snprintf(r->reason, sizeof(r->reason), "%.*s", (int)name.n, name.p);
	return BUS_OK;
}

/* Its place; of a new one the next, which may be n_reasons. */
static size_t place_of(const struct gw_adapter_said *s, const char *name)
{
	size_t i = 0;

	while (i < s->n_reasons && strcmp(s->reason[i].name, name) != 0)
		i++;
	return i;
}

static void add_reason(struct gw_adapter_said *s, const char *name, int64_t n)
{
	size_t i = place_of(s, name);

	if (n <= 0)
		return;
	if (i == s->n_reasons && i >= GW_SAID_REASONS - 1)
		i = place_of(s, name = GW_SAID_REST);
	if (i == s->n_reasons)
		snprintf(s->reason[s->n_reasons++].name, sizeof(s->reason[0].name), "%s", name);
	s->reason[i].n = bounded(s->reason[i].n + bounded(n));
}

static enum bus_err on_integer(void *ctx, const struct schema_node *node, int64_t v)
{
	struct reading *r = ctx;
	struct gw_adapter_said *s = &r->said;
	const struct {
		const char *name;
		int64_t *number;
	} field[] = {
		{ "mulai", &r->began },
		{ "waktu", &r->time },
		{ "rekaman_terakhir", &r->last },
		{ "jeda", &s->every_ms },
		{ "dibaca", &s->rows },
		{ "diterbitkan", &s->published },
		{ "ditolak", &s->refused },
		{ "berkas_menunggu", &s->waiting_files },
		{ "byte_menunggu", &s->waiting_bytes },
		{ "spul_byte", &s->spool_bytes },
		{ "spul_batas", &s->spool_limit },
		{ "ambil_gagal", &s->fetches_failed },
	};

	(void)node;
	if (strcmp(r->at, "kelas_ditolak") == 0)
		add_reason(s, r->reason, v);
	for (size_t i = 0; i < BUS_LEN(field); i++)
		if (strcmp(r->at, field[i].name) == 0)
			*field[i].number = bounded(v);
	return BUS_OK;
}

static enum bus_err on_real(void *ctx, const struct schema_node *node, double v)
{
	struct reading *r = ctx;

	(void)node;
	if (strcmp(r->at, "laju") == 0 && isfinite(v) && v > 0)
		r->said.rate = fmin(v, RATE_MOST);
	return BUS_OK;
}

static enum bus_err on_text(void *ctx, const struct schema_node *node, struct bus_str v)
{
	struct reading *r = ctx;

	(void)node;
	if (strcmp(r->at, "versi") == 0)
		snprintf(r->said.version, sizeof(r->said.version), "%.*s", (int)(v.n < 31 ? v.n : 31), v.p);
	return BUS_OK;
}

static enum bus_err on_symbol(void *ctx, const struct schema_node *node, int32_t index)
{
	struct reading *r = ctx;

	if (strcmp(r->at, "keadaan") == 0)
		r->said.stopped = strcmp(node->symbol[index], "BERHENTI") == 0;
	return BUS_OK;
}

enum bus_err gw_adapter_said_read(struct schema_reader *reader, const struct schema_plan *plan,
				  struct bus_str avro, int64_t heard_ms, struct gw_adapter_said *out,
				  struct bus_error *err)
{
	struct reading r = { .said = { .heard = true, .heard_ms = heard_ms },
			     .root = schema_root(schema_plan_reader(plan)),
			     .at = "" };
	const struct schema_sink sink = { .ctx = &r,
					  .integer = on_integer,
					  .real = on_real,
					  .text = on_text,
					  .symbol = on_symbol,
					  .field = on_field,
					  .key = on_key };
	enum bus_err rc = schema_read(reader, plan, avro, &sink, err);

	if (!rc && r.time == 0)
		rc = bus_fail(err, BUS_EDATA, "it is no record of an adapter");
	if (rc)
		return rc;
	r.said.began_ago_ms = bounded(r.time - r.began);
	r.said.last_ago_ms = r.last == 0 ? -1 : bounded(r.time - r.last);
	if (r.said.every_ms < EVERY_LEAST_MS)
		r.said.every_ms = EVERY_LEAST_MS;
	if (r.said.every_ms > EVERY_MOST_MS)
		r.said.every_ms = EVERY_MOST_MS;
	*out = r.said;
	return BUS_OK;
}

const char *gw_adapter_said_state(const struct gw_adapter_said *s, int64_t now_ms)
{
	if (!s->heard)
		return "unheard";
	if (s->stopped)
		return "stopped";
	return now_ms - s->heard_ms > GW_SAID_SILENT * s->every_ms ? "silent" : "running";
}

static void put_time(struct bus_json_out *j, const char *name, bool known, int64_t ms)
{
	char text[40];

	bus_json_text_member(j, name, known ? bus_clock_iso_wib(ms, text, sizeof(text)) : NULL);
}

static void put_seconds(struct bus_json_out *j, const char *name, bool known, int64_t ms)
{
	bus_json_key(j, name);
	if (known)
		bus_json_put_int(j, bounded(ms) / 1000);
	else
		bus_json_put_null(j);
}

static void put_counts(struct bus_json_out *j, const struct gw_adapter_said *s)
{
	const struct {
		const char *name;
		int64_t n;
	} count[] = {
		{ "rows", s->rows },
		{ "published", s->published },
		{ "refused", s->refused },
		{ "waiting_files", s->waiting_files },
		{ "waiting_bytes", s->waiting_bytes },
		{ "spool_bytes", s->spool_bytes },
		{ "spool_limit", s->spool_limit },
		{ "fetches_failed", s->fetches_failed },
	};

	for (size_t i = 0; i < BUS_LEN(count); i++)
		bus_json_int_member(j, count[i].name, count[i].n);
	bus_json_key(j, "rows_per_second");
	bus_json_put_double(j, rint(s->rate * 10) / 10);
	bus_json_key(j, "refused_by");
	bus_json_object(j);
	for (size_t i = 0; i < s->n_reasons; i++)
		bus_json_int_member(j, s->reason[i].name, s->reason[i].n);
	bus_json_object_end(j);
}

void gw_adapter_said_put(struct bus_json_out *j, const char *opd, const struct gw_adapter_said *s,
			 int64_t now_ms)
{
	const char *state = gw_adapter_said_state(s, now_ms);
	const bool record = s->heard && s->last_ago_ms >= 0;
	int64_t ago = now_ms - s->heard_ms;

	bus_json_object(j);
	bus_json_text_member(j, "opd", opd);
	bus_json_text_member(j, "state", state);
	put_time(j, "heard", s->heard, s->heard_ms);
	put_seconds(j, "heard_seconds_ago", s->heard, ago);
	put_time(j, "silent_since", strcmp(state, "silent") == 0, s->heard_ms);
	bus_json_text_member(j, "version", s->heard ? s->version : NULL);
	put_time(j, "began", s->heard, s->heard_ms - s->began_ago_ms);
	put_time(j, "last_record", record, s->heard_ms - s->last_ago_ms);
	put_seconds(j, "last_record_seconds_ago", record, ago + s->last_ago_ms);
	put_counts(j, s);
	bus_json_object_end(j);
}
