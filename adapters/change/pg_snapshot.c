/* A slot of PostgreSQL, and the table as it was when it began. */
#include <stdio.h>

#include "adapters/change/impl.h"

#define SLOT_MS (INT64_C(3600) * 1000) /* it begins once every transaction that is open now has ended */
#define ROW_MS (INT64_C(600) * 1000)

struct reading {
	struct adapter_pg *pg;
	const char *snapshot;
};

static enum bus_err put_rows(struct adapter_change *c, struct adapter_pg *pg, struct change_writing *w,
			     struct bus_error *err)
{
	struct adapter_cell *cell = bus_xcalloc(c->n_columns + 1, sizeof(*cell));
	enum bus_err rc;

	while (!(rc = adapter_pg_next(pg, ROW_MS, err))) {
		for (size_t i = 0; i < c->n_columns; i++) {
			const char *text = adapter_pg_text(pg, 0, i);

			cell[i] = text ? (struct adapter_cell){ .kind = ADAPTER_TEXT, .text = bus_str(text) }
				       : (struct adapter_cell){ .kind = ADAPTER_NULL };
		}
		rc = adapter_change_put(c, w, cell, err);
		if (rc)
			break;
	}
	free(cell);
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

static enum bus_err write_table(struct adapter_change *c, void *reading, struct change_writing *w,
				struct bus_error *err)
{
	const struct reading *r = reading;
	struct bus_buf sql = { 0 };
	enum bus_err rc = adapter_change_run(r->pg, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
					     CHANGE_STATEMENT_MS, err);

	bus_buf_puts(&sql, "SET TRANSACTION SNAPSHOT ");
	adapter_pg_quote(r->pg, r->snapshot, &sql);
	if (!rc)
		rc = adapter_change_run(r->pg, bus_buf_cstr(&sql), CHANGE_STATEMENT_MS, err);
	bus_buf_reset(&sql);
	if (!rc)
		rc = adapter_change_select(c, r->pg, &sql, err);
	if (!rc)
		rc = adapter_pg_begin(r->pg, bus_buf_cstr(&sql), c->n_columns, err);
	if (!rc)
		rc = put_rows(c, r->pg, w, err);
	bus_buf_release(&sql);
	return rc;
}

static enum bus_err drop_slot(struct adapter_change *c, struct adapter_pg *pg, struct bus_error *err)
{
	struct bus_buf sql = { 0 };
	struct change_slot slot;
	enum bus_err rc = adapter_change_slot(c, pg, &slot, err);

	if (rc || !slot.there)
		return rc;
	bus_buf_puts(&sql, "SELECT pg_drop_replication_slot(");
	adapter_pg_quote(pg, c->conf.slot, &sql);
	bus_buf_putc(&sql, ')');
	rc = adapter_change_run(pg, bus_buf_cstr(&sql), CHANGE_STATEMENT_MS, err);
	bus_buf_release(&sql);
	return rc;
}

#define SNAPSHOT_NAME 64

/* *snapshot (SNAPSHOT_NAME bytes): exported until the next statement of pg. */
static enum bus_err make_slot(struct adapter_change *c, struct adapter_pg *pg, struct change_stream *s,
			      char *snapshot, struct bus_error *err)
{
	/* slot_name, consistent_point, snapshot_name, output_plugin */
	static const struct change_shape shape = { .columns = 4, .filled = 3, .one = true };
	struct bus_buf text = { 0 };
	struct change_system system;
	enum bus_err rc = adapter_change_identify(pg, &system, err);

	if (!rc) {
		snprintf(s->system, sizeof(s->system), "%s", system.id);
		snprintf(s->place, sizeof(s->place), "timeline %s", system.timeline);
		bus_buf_printf(&text, "CREATE_REPLICATION_SLOT %s LOGICAL pgoutput EXPORT_SNAPSHOT",
			       c->conf.slot);
		rc = adapter_change_ask(pg, bus_buf_cstr(&text), SLOT_MS, &shape, err);
	}
	if (!rc && strlen(adapter_pg_text(pg, 0, 2)) >= SNAPSHOT_NAME)
		rc = bus_fail(err, BUS_EIO, "PostgreSQL: '%.40s' ends in a snapshot of a strange name",
			      bus_buf_cstr(&text));
	if (!rc) {
		bus_buf_reset(&text);
		bus_buf_printf(&text, "%s\n%s\n%s\n%s\n%s", s->system, c->conf.connection, c->feed,
			       c->conf.slot, adapter_pg_text(pg, 0, 1));
		adapter_change_name(c, s, bus_buf_str(&text));
		snprintf(snapshot, SNAPSHOT_NAME, "%s", adapter_pg_text(pg, 0, 2));
	}
	bus_buf_release(&text);
	return rc;
}

enum bus_err adapter_change_pg_snapshot(struct adapter_change *c, struct change_stream *out,
					struct bus_error *err)
{
	struct adapter_pg *walsender = NULL, *pg = NULL;
	char snapshot[SNAPSHOT_NAME];
	enum bus_err rc = adapter_change_open(c, false, &pg, err);

	*out = (struct change_stream){ 0 };
	/* First of all: what cannot be followed now must not fill the server's disk. */
	if (!rc)
		rc = drop_slot(c, pg, err);
	if (!rc)
		rc = adapter_change_check(c, pg, err);
	if (!rc)
		rc = adapter_change_open(c, true, &walsender, err);
	if (!rc)
		rc = make_slot(c, walsender, out, snapshot, err);
	if (!rc)
		rc = adapter_change_keep(c, out, write_table, &(struct reading){ pg, snapshot }, err);
	adapter_pg_close(&walsender);
	adapter_pg_close(&pg);
	return rc;
}
