/* A record as JSON: {"topic","key","value","partition","offset","timestamp"}. Values of Avro in Avro's own JSON, as
 * Confluent gives them; where the format is json, plainly, as the rest of this gateway's API. Fields of personal data are
 * masked unless the policy clears them, and so nothing is given as bytes that may have to be masked. */
#include <string.h>

#include "bus/base64.h"
#include "bus/json_out.h"
#include "bus/utf8.h"
#include "gateway/engine/engine.h"
#include "gateway/restproxy/consume.h"
#include "gateway/serve/format.h"
#include "schemas/avro/mask.h"

#define ARENA_MAX ((size_t)64 * 1024 * 1024)
#define JSON_DEPTH 128

static void forget_views(struct gw_rp_text *t)
{
	for (size_t i = 0; i < t->n_views; i++) {
		bus_buf_release(&t->view[i].head);
		schema_unref(&t->view[i].newest);
	}
	t->n_views = 0;
}

void gw_rp_text_release(struct gw_rp_worker *w)
{
	struct gw_rp_text *t = &w->text;

	forget_views(t);
	free(t->view);
	for (size_t i = 0; i < t->n_plans; i++)
		schema_plan_free(&t->plan[i].plan);
	schema_reader_free(&t->reader);
	bus_arena_free(&t->arena);
	*t = (struct gw_rp_text){ 0 };
}

static void look_at(struct gw_rp_worker *w, struct gw_rp_job *job, const char *topic, struct gw_rp_view *v)
{
	struct gw_api *api = w->all->api;
	struct bus_json_out j = { .buf = &v->head };
	struct schema_version version;
	char *subject = bus_xasprintf("%s-value", topic);

	*v = (struct gw_rp_view){ .topic = topic };
	bus_json_object(&j);
	bus_json_text_member(&j, "topic", topic);
	bus_buf_puts(&v->head, ",\"key\":");
	if (gw_access_topic(api->access, job->reader, topic, &v->clear, &v->n_clear))
		for (size_t i = 0; i < v->n_clear; i++)
			v->all_clear |= strcmp(v->clear[i], "*") == 0;
	if (schema_store_version(gw_engine_schemas(api->engine), subject, 0, &version, NULL) == BUS_OK) {
		v->newest = version.schema ? schema_ref(version.schema) : NULL;
		schema_version_release(&version);
	}
	free(subject);
}

void gw_rp_text_begin(struct gw_rp_worker *w, struct gw_rp_job *job)
{
	struct gw_rp_source *s = &w->source;
	struct gw_rp_text *t = &w->text;

	if (!t->reader)
		t->reader = schema_reader_new(NULL);
	if (!t->arena)
		t->arena = bus_arena_new(ARENA_MAX);
	forget_views(t);
	t->view = bus_xrealloc(t->view, (s->n_slots + 1) * sizeof(*t->view));
	for (size_t i = 0; i < s->n_slots; i++) { /* slots of a topic stand side by side */
		if (t->n_views == 0 || strcmp(t->view[t->n_views - 1].topic, s->slot[i].topic) != 0)
			look_at(w, job, s->slot[i].topic, &t->view[t->n_views++]);
		s->slot[i].view = &t->view[t->n_views - 1];
	}
}

/* --- Avro ---------------------------------------------------------------------------------------------------- */

static struct schema_plan *plan_of(struct gw_rp_worker *w, int32_t id, struct bus_error *err)
{
	struct gw_rp_text *t = &w->text;
	struct schema_plan *plan = NULL;
	struct schema *writer = NULL;
	enum bus_err rc;

	if (t->last_plan < t->n_plans && t->plan[t->last_plan].id == id)
		return t->plan[t->last_plan].plan;
	for (size_t i = 0; i < t->n_plans; i++)
		if (t->plan[i].id == id) {
			t->last_plan = i;
			return t->plan[i].plan;
		}
	rc = schema_store_by_id(gw_engine_schemas(w->all->api->engine), id, 0, &writer, err);
	if (rc == BUS_OK)
		rc = schema_cache_plan(w->all->plans, writer, NULL, &plan, err);
	schema_unref(&writer);
	if (rc != BUS_OK)
		return NULL;
	if (t->n_plans == GW_RP_PLANS) { /* the oldest goes */
		schema_plan_free(&t->plan[0].plan);
		memmove(t->plan, t->plan + 1, --t->n_plans * sizeof(t->plan[0]));
	}
	t->plan[t->n_plans].id = id;
	t->plan[t->n_plans].plan = plan;
	t->last_plan = t->n_plans++;
	return plan;
}

/* A framed datum; fields masked by the view. */
static enum bus_err put_avro(struct gw_rp_worker *w, const struct gw_rp_view *v, enum schema_json spelling,
			     struct bus_str framed, struct bus_error *err)
{
	const struct schema_mask_rule rule = { .word = GW_MASK,
					       .unclassed = true,
					       .clear = v->clear,
					       .n_clear = v->n_clear,
					       .also = v->newest ? schema_root(v->newest) : NULL };
	struct bus_json_out j = { .buf = &w->out };
	struct schema_json_sink plain;
	struct schema_mask mask;
	struct schema_plan *plan;
	struct bus_str avro;
	int32_t id = 0;
	enum bus_err rc;

	rc = bus_wire_open(framed, &id, &avro, err);
	if (rc != BUS_OK)
		return rc;
	plan = plan_of(w, id, err);
	if (!plan)
		return BUS_EDATA;
	if (v->all_clear) {
		schema_json_sink_init(&plain, &j, spelling);
		return schema_read(w->text.reader, plan, avro, &plain.sink, err);
	}
	schema_mask_init(&mask, &rule, &j);
	mask.json.spelling = spelling;
	/* A datum that is no record has no fields whose class would say what it is. */
	if (schema_root(schema_plan_reader(plan))->type != SCHEMA_RECORD)
		return bus_fail(err, BUS_EDENIED,
				"a value that is no record is for readers whom all is clear to");
	return schema_read(w->text.reader, plan, avro, &mask.sink, err);
}

/* --- other bytes --------------------------------------------------------------------------------------------- */

static void put_base64(struct gw_rp_worker *w, struct bus_str s)
{
	bus_buf_putc(&w->out, '"');
	bus_base64_put(s, &w->out);
	bus_buf_putc(&w->out, '"');
}

static enum bus_err put_json(struct gw_rp_worker *w, struct bus_str s, struct bus_error *err)
{
	const struct bus_json_limits limits = { .depth = JSON_DEPTH };
	struct bus_json_out j = { .buf = &w->out };
	struct bus_json *tree;
	enum bus_err rc;

	bus_arena_reset(w->text.arena);
	rc = bus_json_parse(s, &limits, w->text.arena, &tree, err);
	if (rc == BUS_OK)
		bus_json_put_tree(&j, tree);
	return rc;
}

/* Keys are text here, and pseudonyms where a person is meant; framed ones are values like others, and masked as they
 * are: whole, where it cannot be told what is in them. */
static void put_key(struct gw_rp_worker *w, const struct gw_rp_view *v, enum gw_rp_format format,
		    struct bus_str key)
{
	struct bus_json_out j = { .buf = &w->out };
	const bool framed = key.p && key.n > 0 && key.p[0] == '\0';
	const size_t before = w->out.n;
	struct bus_error err;
	bool done = false;

	if (!key.p) {
		bus_buf_puts(&w->out, "null");
		return;
	}
	if (framed && format != GW_RP_BINARY)
		done = put_avro(w, v, format == GW_RP_JSON ? SCHEMA_JSON_PLAIN : SCHEMA_JSON_AVRO, key,
				&err) == BUS_OK;
	else if (format == GW_RP_JSON)
		done = put_json(w, key, &err) == BUS_OK;
	if (done)
		return;
	w->out.n = before;
	if (framed && !v->all_clear)
		bus_json_put_text(&j, GW_MASK);
	else if (format == GW_RP_BINARY || bus_utf8_ok(key.p, key.n) < key.n)
		put_base64(w, key);
	else
		bus_json_put_str(&j, key);
}

static enum bus_err put_value(struct gw_rp_worker *w, const struct gw_rp_view *v, enum gw_rp_format format,
			      const struct bus_record *r, struct bus_error *err)
{
	if (r->tombstone) {
		bus_buf_puts(&w->out, "null");
		return BUS_OK;
	}
	if (format == GW_RP_AVRO)
		return put_avro(w, v, SCHEMA_JSON_AVRO, r->value, err);
	if (format == GW_RP_JSON && r->value.n >= 5 && r->value.p[0] == '\0')
		return put_avro(w, v, SCHEMA_JSON_PLAIN, r->value, err);
	if (!v->all_clear)
		return bus_fail(err, BUS_EDENIED, "the value may hold what is masked for this reader");
	if (format == GW_RP_JSON)
		return put_json(w, r->value, err);
	put_base64(w, r->value);
	return BUS_OK;
}

static void put_number(struct bus_buf *out, const char *name, int64_t v)
{
	char text[24], *p = text + sizeof(text);
	uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

	do {
		*--p = (char)('0' + u % 10);
		u /= 10;
	} while (u > 0);
	if (v < 0)
		*--p = '-';
	bus_buf_puts(out, name);
	bus_buf_put(out, p, (size_t)(text + sizeof(text) - p));
}

enum bus_err gw_rp_text_put(struct gw_rp_worker *w, const struct gw_rp_instance *i,
			    const struct bus_record *r, struct bus_error *err)
{
	const struct gw_rp_view *v = w->source.slot[r->slot].view;
	const size_t before = w->out.n;
	enum bus_err rc;

	bus_buf_put(&w->out, v->head.p, v->head.n);
	put_key(w, v, (enum gw_rp_format)i->format, r->key);
	bus_buf_puts(&w->out, ",\"value\":");
	rc = put_value(w, v, (enum gw_rp_format)i->format, r, err);
	if (rc != BUS_OK) {
		w->out.n = before;
		return rc;
	}
	put_number(&w->out, ",\"partition\":", r->partition);
	put_number(&w->out, ",\"offset\":", r->offset);
	put_number(&w->out, ",\"timestamp\":", r->timestamp_ms);
	bus_buf_putc(&w->out, '}');
	return BUS_OK;
}
