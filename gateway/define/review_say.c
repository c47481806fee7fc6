/* What a check found, as JSON: for `titian view`, for whoever asks over HTTP. */
#include "gateway/define/review.h"
#include "gateway/define/plan.h"
#include "gateway/define/rollup.h"

static void put_two(struct bus_json_out *j, const char *key, const char *id, const char *en)
{
	bus_json_key(j, key);
	bus_json_object(j);
	bus_json_text_member(j, "id", id);
	bus_json_text_member(j, "en", en);
	bus_json_object_end(j);
}

static void put_problems(const struct gw_review *c, struct bus_json_out *j)
{
	bus_json_key(j, "problems");
	bus_json_array(j);
	for (size_t i = 0; i < c->n_problems; i++) {
		const struct gw_problem_found *p = &c->problem[i];

		bus_json_object(j);
		bus_json_text_member(j, "level", p->error ? "error" : "warning");
		bus_json_int_member(j, "line", p->line);
		bus_json_int_member(j, "column", p->column);
		put_two(j, "text", p->id, p->en);
		bus_json_text_member(j, "hint", p->hint);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}

static void put_inputs(const struct gw_review *c, struct bus_json_out *j)
{
	bus_json_key(j, "inputs");
	bus_json_array(j);
	for (size_t i = 0; i < c->def->n_reads; i++) {
		const struct gw_read *r = &c->def->read[i];
		const struct gw_world_table *t = gw_world_find(c->world, r->table);

		bus_json_object(j);
		bus_json_text_member(j, "table", r->table);
		bus_json_text_member(j, "topic", t ? t->topic : NULL);
		bus_json_key(j, "columns");
		bus_json_array(j);
		for (size_t k = 0; k < r->n; k++)
			bus_json_put_text(j, r->column[k]);
		bus_json_array_end(j);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}

static void put_sources(struct bus_json_out *j, const char *key, const struct gw_lineage *l)
{
	bus_json_key(j, key);
	bus_json_array(j);
	for (size_t i = 0; i < l->n; i++) {
		const struct gw_world_table *t = l->source[i].table;
		char class[2] = { t->column[l->source[i].column].pdp, 0 };

		bus_json_object(j);
		bus_json_text_member(j, "table", t->name);
		bus_json_text_member(j, "column", t->column[l->source[i].column].name);
		bus_json_text_member(j, "topic", t->topic);
		bus_json_text_member(j, "pdp", class);
		bus_json_bool_member(j, "summed", l->source[i].summed);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}

static void put_columns(const struct gw_review *c, struct bus_json_out *j)
{
	static const char *const type[] = { "null", "int", "real", "text", "bool", "json" };
	const struct gw_view *v = &c->def->pub;

	bus_json_key(j, "columns");
	bus_json_array(j);
	for (size_t i = 0; i < v->n_columns; i++) {
		struct gw_lineage deep;
		char class[2] = { v->column[i].pdp, 0 };

		gw_lineage_deep(c->world, &c->lineage[i], &deep);
		bus_json_object(j);
		bus_json_text_member(j, "name", v->column[i].name);
		bus_json_text_member(j, "type", type[v->column[i].type]);
		bus_json_text_member(j, "pdp", class);
		bus_json_bool_member(j, "key", i == v->key);
		bus_json_bool_member(j, "computed", c->lineage[i].computed);
		bus_json_bool_member(j, "counted", c->lineage[i].counted);
		bus_json_bool_member(j, "unknown", c->lineage[i].unknown);
		put_sources(j, "sources", &c->lineage[i]);
		put_sources(j, "origins", &deep);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}

static void say_route(const struct gw_route_def *r, bool id, struct bus_buf *out)
{
	if (r->column)
		bus_buf_printf(out,
			       id ? "kunci adalah kolom %s dari baris yang berubah"
				  : "the key is column %s of the changed row",
			       r->column);
	else if (strstr(r->select, " FROM ") || strstr(r->select, "\nFROM "))
		bus_buf_puts(out, id ? "kunci dicari dari baris yang berubah: "
				     : "keys are looked up from the changed row: ");
	else
		bus_buf_puts(out, id ? "kunci dihitung dari baris yang berubah: "
				     : "the key is computed from the changed row: ");
	if (!r->column)
		bus_buf_puts(out, r->select);
}

static void put_trial(const struct gw_review *c, const char *table, struct bus_json_out *j)
{
	for (size_t i = 0; i < c->trial.n && c->tried; i++) {
		const struct gw_trial_table *t = &c->trial.table[i];

		if (strcmp(t->table, table) != 0)
			continue;
		bus_json_key(j, "trial");
		bus_json_object(j);
		bus_json_int_member(j, "changes", t->changes);
		bus_json_int_member(j, "mattered", t->mattered);
		bus_json_int_member(j, "missed", t->missed);
		bus_json_object_end(j);
	}
}

static void put_routes(const struct gw_review *c, struct bus_json_out *j)
{
	struct bus_buf id = { 0 }, en = { 0 };

	bus_json_key(j, "routes");
	bus_json_array(j);
	for (size_t i = 0; i < c->def->n_routes; i++) {
		const struct gw_route_def *r = &c->def->route[i];

		bus_buf_reset(&id);
		bus_buf_reset(&en);
		say_route(r, true, &id);
		say_route(r, false, &en);
		bus_json_object(j);
		bus_json_text_member(j, "table", r->table);
		bus_json_text_member(j, "route", r->column ? r->column : r->select);
		bus_json_bool_member(j, "found", r->line == 0);
		put_two(j, "text", bus_buf_cstr(&id), bus_buf_cstr(&en));
		put_trial(c, r->table, j);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
	bus_buf_release(&id);
	bus_buf_release(&en);
}

/* A roll-up's routes lead nowhere: its groups are found by their own expressions. */
static void put_delta(const struct gw_review *c, struct bus_json_out *j)
{
	bus_json_key(j, "routes");
	bus_json_array(j);
	bus_json_object(j);
	bus_json_text_member(j, "table", c->def->rollup->table);
	put_two(j, "text", "baris lama dikeluarkan dari jumlah kelompoknya, baris baru dimasukkan",
		"its old row is taken out of the sums of its group, its new one put in");
	bus_json_object_end(j);
	bus_json_array_end(j);
}

static void put_step(void *ctx, const struct gw_plan_step *step)
{
	struct bus_json_out *j = ctx;
	struct bus_buf id = { 0 }, en = { 0 };

	gw_plan_say(step, true, &id);
	gw_plan_say(step, false, &en);
	bus_json_object(j);
	bus_json_int_member(j, "depth", step->depth);
	bus_json_bool_member(j, "scan", step->scan);
	put_two(j, "text", bus_buf_cstr(&id), bus_buf_cstr(&en));
	bus_json_text_member(j, "detail", step->detail);
	bus_json_object_end(j);
	bus_buf_release(&id);
	bus_buf_release(&en);
}

static void put_plan(const struct gw_review *c, struct bus_json_out *j)
{
	struct bus_buf sql = { 0 };
	int64_t steps = 0;

	if (c->def->rollup) { /* over its sums, for which a sandbox has had no use so far */
		if (gw_rollup_create(c->db, c->def, &sql, NULL) == BUS_OK)
			(void)!gw_db_exec(c->db, NULL, "%s", bus_buf_cstr(&sql));
		bus_buf_reset(&sql);
		gw_rollup_select_plain(c->def, &sql);
	} else {
		gw_view_select(c->def, &sql);
	}
	bus_buf_printf(&sql, "WHERE \"%s\" = :_key", c->def->pub.column[c->def->pub.key].name);
	bus_json_key(j, "plan");
	bus_json_array(j);
	(void)!gw_plan_read(c->db, bus_buf_cstr(&sql), put_step, j, NULL);
	bus_json_array_end(j);
	bus_buf_release(&sql);
	for (size_t i = 0; i < c->trial.n && c->tried; i++)
		steps = c->trial.table[i].steps > steps ? c->trial.table[i].steps : steps;
	if (!c->def->rollup)
		bus_json_int_member(j, "steps_per_key", steps);
}

static void put_upkeep(const struct gw_review *c, struct bus_json_out *j)
{
	static const struct {
		const char *name, *id, *en;
	} how[] = {
		[GW_PACE_ROW] = { "row", "kunci yang tersentuh dihitung ulang satu per satu",
				  "touched keys are evaluated one by one" },
		[GW_PACE_GROUP] = { "group",
				    "kelompok yang tersentuh dihitung ulang, paling sering sekali sedetik",
				    "touched groups are evaluated, at most once a second" },
		[GW_PACE_TOTAL] = { "total",
				    "kelompok yang tersentuh dihitung ulang, paling sering sekali sedetik; "
				    "boleh membaca seluruh tabel",
				    "touched groups are evaluated, at most once a second; they may read "
				    "whole tables" },
	};
	const struct gw_def *d = c->def;

	bus_json_key(j, "upkeep");
	bus_json_object(j);
	bus_json_text_member(j, "kept_by", d->rollup ? "delta" : how[d->pace].name);
	put_two(j, "text",
		d->rollup ? "jumlahnya ditambah dan dikurangi menurut baris yang berubah" : how[d->pace].id,
		d->rollup ? "its sums are moved by what changed" : how[d->pace].en);
	bus_json_text_member(j, "no_delta", d->rollup ? NULL : d->no_rollup);
	bus_json_text_member(j, "store", d->full ? "full" : "thin");
	put_two(j, "stored",
		d->full ? "baris disimpan sebagai tabel, dapat dibaca tayangan lain"
			: "hanya kunci, sidik dan nomor urut yang disimpan; tidak ada salinan data pribadi",
		d->full ? "rows are kept as a table that other views may read"
			: "only keys, hashes and sequence numbers are kept; no copy of personal data");
	bus_json_object_end(j);
}

void gw_review_put(const struct gw_review *c, struct bus_json_out *j)
{
	bus_json_text_member(j, "view", c->def ? c->def->pub.name : NULL);
	bus_json_bool_member(j, "good", !c->failed);
	put_problems(c, j);
	if (!c->bound)
		return;
	put_inputs(c, j);
	put_columns(c, j);
	(c->def->rollup ? put_delta : put_routes)(c, j);
	put_plan(c, j);
	put_upkeep(c, j);
}
