#include "adapters/removal.h"

#include <stdio.h>

#include "adapters/scan.h"
#include "bus/log.h"

struct removal {
	struct adapter_desk *d;
	struct adapter_feed *f;
	const struct adapter_origin *origin;
	struct adapter_known *count; /* of this file in this topic */
	uint32_t file_number;
};

static enum bus_err on_record(void *ctx, int tag, const struct bus_record *r, struct bus_error *err)
{
	struct removal *rm = ctx;
	struct adapter_index *index = rm->f->part->index;
	enum bus_err rc;

	(void)tag;
	if (r->tombstone || adapter_seen_get(rm->f->contained, r->key) || !adapter_index_live(index, r->key))
		return BUS_OK;
	rc = adapter_publish(rm->d->publisher, &rm->f->part->topic, r->key, NULL, 0, rm->origin, err);
	if (rc)
		return rc;
	adapter_index_remove(index, r->key, rm->file_number);
	rm->count->removed++;
	return adapter_plug_pulled(rm->d, ADAPTER_AT_TOMBSTONE) ? bus_fail(err, BUS_ESTOPPED, "plug pulled")
								: BUS_OK;
}

enum bus_err adapter_removal(struct adapter_desk *d, struct adapter_feed *f, struct adapter_tally *t,
			     const struct adapter_origin *origin, uint32_t file_number, size_t kept,
			     int64_t held, struct bus_error *err)
{
	const char *topic = f->part->topic.name;
	struct removal rm = { .d = d,
			      .f = f,
			      .origin = origin,
			      .file_number = file_number,
			      .count = adapter_files_known(d->position.files, file_number, topic) };
	struct adapter_scan scan = {
		.kafka = &d->kafka, .topic = &topic, .n = 1, .record = on_record, .ctx = &rm
	};
	size_t gone = adapter_index_count(f->part->index) - kept;
	int most = adapter_map_remove_max(f->map);
	uint64_t read;
	enum bus_err rc = BUS_OK;

	/* Once a tombstone of this file is in the log the question has been decided. */
	if (gone > 0 && rm.count->removed == 0 && (int64_t)gone * 100 > (int64_t)most * held) {
		snprintf(t->reason, sizeof(t->reason),
			 "%zu dari %lld rekaman tidak ada lagi di berkas, lebih dari %d %%: tidak ada yang "
			 "dihapus / "
			 "%zu of %lld records are no longer in the file, over %d %%: none was removed",
			 gone, (long long)held, most, gone, (long long)held, most);
		bus_log(BUS_LOG_WARN, "adapter.removal_refused", LOG_STR("feed", t->feed),
			LOG_INT("missing", gone), LOG_INT("held", held), LOG_INT("most_percent", most));
		return BUS_OK;
	}
	if (gone > 0)
		rc = adapter_scan_run(&scan, &read, err);
	t->removed = rm.count->removed;
	return rc;
}
