#include "adapters/index.h"

/* An entry lives when its content is not 0; a removed key keeps its entry. A fingerprint that happens to
 * be 0 is called 1. */
#define GONE UINT64_C(0)

struct adapter_index {
	struct adapter_seen *seen;
	enum adapter_index_rule rule;
	size_t live;
	struct adapter_seen_entry *judged; /* good until the next call into seen */
};

enum bus_err adapter_index_new(const char *dir, enum adapter_index_rule rule, struct adapter_index **out,
			       struct bus_error *err)
{
	struct adapter_index *ix = bus_xcalloc(1, sizeof(*ix));
	enum bus_err rc = rule == ADAPTER_RULE_NEWEST ? adapter_seen_new(dir, &ix->seen, err)
						      : adapter_seen_new_unversioned(dir, &ix->seen, err);

	ix->rule = rule;
	if (rc) {
		free(ix);
		ix = NULL;
	}
	*out = ix;
	return rc;
}

void adapter_index_share(struct adapter_index *ix, struct adapter_seen_budget *b)
{
	adapter_seen_share(ix->seen, b);
}

void adapter_index_free(struct adapter_index **ix)
{
	if (!*ix)
		return;
	adapter_seen_free(&(*ix)->seen);
	free(*ix);
	*ix = NULL;
}

static uint64_t content_of(const struct adapter_index_row *row)
{
	return row->content == GONE ? 1 : row->content;
}

static void store(struct adapter_index *ix, struct adapter_seen_entry *e, uint64_t content,
		  const struct adapter_index_row *row)
{
	if (e->content == GONE && content != GONE)
		ix->live++;
	else if (e->content != GONE && content == GONE)
		ix->live--;
	e->content = content;
	if (ix->rule == ADAPTER_RULE_NEWEST)
		e->version = row->version;
	e->file = row->file;
	e->line = row->line;
}

static enum adapter_verdict judge(const struct adapter_index *ix, const struct adapter_seen_entry *e,
				  const struct adapter_index_row *row)
{
	bool ours = e->file == row->file && row->file != 0;

	if (e->content == GONE)
		return ADAPTER_SEND;
	if (e->content == content_of(row))
		return ours ? ADAPTER_SENT : ADAPTER_SAME;
	switch (ix->rule) {
	case ADAPTER_RULE_NEWEST:
		if (row->version > e->version)
			return ADAPTER_SEND;
		if (!ours)
			return ADAPTER_OLDER;
		/* A row of this file that a later, newer one had overtaken before the interruption. At equal
		 * version it is the very row, mapped otherwise since. */
		return row->version < e->version ? ADAPTER_SENT : ADAPTER_SEND;
	case ADAPTER_RULE_FIRST:
		return ours && e->line == row->line ? ADAPTER_SEND : ADAPTER_CONFLICT;
	case ADAPTER_RULE_LATEST:
		break;
	}
	/* An earlier row of this file, overwritten by a later one before the interruption. */
	return ours && row->line < e->line ? ADAPTER_SENT : ADAPTER_SEND;
}

enum bus_err adapter_index_judge(struct adapter_index *ix, const struct adapter_index_row *row,
				 enum adapter_verdict *out, struct bus_error *err)
{
	bool fresh;
	enum bus_err rc = adapter_seen_put(ix->seen, row->key, &ix->judged, &fresh, err);

	if (!rc)
		*out = judge(ix, ix->judged, row);
	return rc;
}

struct adapter_index_row adapter_index_stands(const struct adapter_index *ix)
{
	const struct adapter_seen_entry *e = ix->judged;

	return (struct adapter_index_row){ .content = e->content,
					   .version = ix->rule == ADAPTER_RULE_NEWEST ? e->version : 0,
					   .file = e->file,
					   .line = e->line };
}

enum adapter_index_rule adapter_index_rule(const struct adapter_index *ix)
{
	return ix->rule;
}

void adapter_index_sent(struct adapter_index *ix, const struct adapter_index_row *row)
{
	store(ix, ix->judged, content_of(row), row);
}

enum bus_err adapter_index_load(struct adapter_index *ix, const struct adapter_index_row *row, bool removed,
				bool *again, struct bus_error *err)
{
	struct adapter_seen_entry *e;
	bool fresh;
	enum bus_err rc = adapter_seen_put(ix->seen, row->key, &e, &fresh, err);

	if (rc)
		return rc;
	*again = removed && !fresh && e->content == GONE && e->file == row->file;
	store(ix, e, removed ? GONE : content_of(row), row);
	return BUS_OK;
}

void adapter_index_remove(struct adapter_index *ix, struct bus_str key, uint32_t file)
{
	struct adapter_seen_entry *e = adapter_seen_get(ix->seen, key);

	if (e)
		store(ix, e, GONE, &(struct adapter_index_row){ .key = key, .file = file });
}

bool adapter_index_live(struct adapter_index *ix, struct bus_str key)
{
	struct adapter_seen_entry *e = adapter_seen_get(ix->seen, key);

	return e && e->content != GONE;
}

size_t adapter_index_count(const struct adapter_index *ix)
{
	return ix->live;
}
