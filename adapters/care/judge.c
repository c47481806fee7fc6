#include "adapters/care/judge.h"

static const char newer_stands[] =
    "yang lebih baru sudah ada di bawah kunci ini / a newer one stands under this key";
static const char newer_whole[] =
    "berkas lengkap yang lebih baru sudah dibaca / a later complete file has been read";
static const char another_row[] =
    "baris lain dari berkas yang sama sudah ada / another row of the same file stands";
static const char another_event[] = "sudah ada dengan isi lain / it is there already with other content";

/* Of a key that was published or removed by some file: is that file later than the row's? */
static enum adapter_late by_file(const struct adapter_desk *d, const struct adapter_feed *f,
				 const struct adapter_index_row *row, const struct adapter_index_row *stands,
				 const char **why)
{
	const struct adapter_files *files = d->position.files;

	if (stands->file == row->file) {
		if (stands->content == 0 || stands->line == row->line)
			return ADAPTER_LATE_SEND;
		if (stands->line > row->line) {
			*why = newer_stands;
			return ADAPTER_LATE_OLDER;
		}
		*why = another_row;
		return adapter_map_repeats(f->map) ? ADAPTER_LATE_TWICE : ADAPTER_LATE_SEND;
	}
	/* What no file of ours brought is not known to be older. */
	if (stands->file != 0 &&
	    adapter_files_order(files, stands->file) < adapter_files_order(files, row->file))
		return ADAPTER_LATE_SEND;
	*why = newer_stands;
	return ADAPTER_LATE_OLDER;
}

static enum adapter_late judge(struct adapter_desk *d, const struct adapter_feed *f,
			       const struct adapter_index_row *row, const struct adapter_index_row *stands,
			       const char **why)
{
	uint64_t content = row->content ? row->content : 1;
	const struct adapter_known *known =
	    adapter_files_known(d->position.files, row->file, adapter_map_feed(f->map));

	if (stands->content == content)
		return stands->file == row->file && stands->line == row->line ? ADAPTER_LATE_SENT
									      : ADAPTER_LATE_SAME;
	if (adapter_map_complete(f->map) &&
	    (!known->recorded || !adapter_files_newest(d->position.files, known))) {
		*why = newer_whole;
		return ADAPTER_LATE_OLDER;
	}
	if (stands->content == 0 && stands->file == 0)
		return ADAPTER_LATE_SEND;
	if (stands->content != 0 && adapter_index_rule(f->part->index) == ADAPTER_RULE_NEWEST) {
		*why = newer_stands;
		return row->version > stands->version ? ADAPTER_LATE_SEND : ADAPTER_LATE_OLDER;
	}
	if (stands->content != 0 && adapter_index_rule(f->part->index) == ADAPTER_RULE_FIRST) {
		*why = another_event;
		return f->unique < 0 || (stands->file == row->file && stands->line == row->line)
			   ? ADAPTER_LATE_SEND
			   : ADAPTER_LATE_TWICE;
	}
	return by_file(d, f, row, stands, why);
}

enum bus_err adapter_late_judge(struct adapter_desk *d, const struct adapter_feed *f,
				const struct adapter_index_row *row, enum adapter_late *out, const char **why,
				struct bus_error *err)
{
	enum adapter_verdict unused; /* what the row would be in its own file's turn */
	struct adapter_index_row stands;
	enum bus_err rc = adapter_index_judge(f->part->index, row, &unused, err);

	if (rc)
		return rc;
	stands = adapter_index_stands(f->part->index);
	*why = "";
	*out = judge(d, f, row, &stands, why);
	return BUS_OK;
}
