#include "gateway/national/compare.h"

#include "gateway/engine/scan.h"
#include "gateway/national/canonical.h"

#define WAIT_MS 2000
#define DEADLINE_MS 60000
#define STEPS_MAX 10000 /* short calls; a view's log is looked through in them */

const char *const gw_compared_name[3] = { "equal", "different", "unknown" };

struct sum {
	struct gw_canonical canonical;
	uint8_t digest[BUS_SHA256_LEN];
	int64_t rows, seq;
	struct bus_buf row;
};

static enum bus_err on_cut(void *ctx, int64_t seq, struct bus_error *err)
{
	struct sum *s = ctx;

	(void)err;
	s->seq = seq;
	return BUS_OK;
}

static enum bus_err on_row(void *ctx, const struct gw_value *value, struct bus_error *err)
{
	struct sum *s = ctx;
	uint8_t digest[BUS_SHA256_LEN];

	(void)err;
	bus_buf_reset(&s->row);
	gw_canonical_row(&s->canonical, value, &s->row);
	bus_sha256(s->row.p, s->row.n, digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		s->digest[i] ^= digest[i];
	s->rows++;
	return BUS_OK;
}

static bool note(void *ctx, const struct gw_change *change)
{
	(void)change;
	*(bool *)ctx = true;
	return false;
}

/* Whether the log has nothing behind seq for this reader. Asked after the scan too: an entry that the scan saw may have
 * given way to a later one of the same key, but never to none. */
static bool still(struct gw_api *api, const struct gw_view *v, struct gw_grant grant, int64_t seq)
{
	struct gw_following f = { .view = v, .rows = grant.rows, .after = seq, .limit = 1 };
	struct bus_error err;
	bool changed = false;
	int64_t last;

	for (int i = 0; i < STEPS_MAX; i++) {
		if (gw_follow(gw_reader_of(api->engine), &f, note, &changed, &last, &err) != BUS_OK ||
		    changed)
			return false;
		if (last <= f.after || last >= gw_newest(api->engine, v))
			return true;
		f.after = last;
	}
	return false;
}

void gw_compare(struct gw_api *api, const struct gw_view *v, struct gw_grant grant,
		const struct gw_claim *claim, const _Atomic bool *stop, struct gw_comparison *out)
{
	struct gw_scan scan = { .query = { .view = v, .rows = grant.rows },
				.all = true,
				.wait_ms = WAIT_MS,
				.deadline_ms = DEADLINE_MS,
				.stop = stop };
	struct sum sum = { 0 };
	struct bus_error err;
	bool same;

	*out = (struct gw_comparison){ .result = GW_UNKNOWN };
	gw_canonical_begin(&sum.canonical, v, grant);
	if (claim->rows < 0 && !claim->digest[0])
		out->why = "nothing-to-compare";
	else if (v->dated || !sum.canonical.possible)
		out->why = "kind-of-view";
	else if (claim->seq > gw_seq(api->engine))
		out->why = "gateway-behind";
	else if (!still(api, v, grant, claim->seq))
		out->why = "changed-since";
	else if (gw_scan(gw_reader_of(api->engine), &scan, on_cut, on_row, &sum, &err) != BUS_OK)
		out->why = "not-readable-now";
	else if (!still(api, v, grant, claim->seq))
		out->why = "changed-since";
	if (!out->why) {
		out->here = (struct gw_claim){ .seq = sum.seq, .rows = sum.rows };
		bus_hex(sum.digest, sizeof(sum.digest), out->here.digest);
		same = (claim->rows < 0 || claim->rows == sum.rows) &&
		       (!claim->digest[0] || strcmp(claim->digest, out->here.digest) == 0);
		out->result = same ? GW_EQUAL : GW_DIFFERENT;
	}
	bus_buf_release(&sum.row);
}
