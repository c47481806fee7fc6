/* Registering: Confluent's registerOrForward() and register(). */
#include <stdio.h>

#include "schemas/registry/work.h"
#include "schemas/registry/side.h"

static void load(struct schema_work *w)
{
	const struct schema_table *t = schema_store_read(w->r->store);
	const struct schema_subject *s = schema_table_subject(t, w->q->v.subject);
	const struct schema_entry *e = s ? schema_table_entry(s, 0) : NULL;

	schema_table_config_for(t, w->q->v.subject, &w->config);
	w->mode = schema_table_mode_for(t, w->q->v.subject);
	w->new_version = s && s->n_entries > 0 ? s->entry[s->n_entries - 1].version : 0;
	for (size_t i = 0; s && i < s->n_entries; i++) {
		if (!s->entry[i].deleted)
			continue;
		w->deleted = bus_xrealloc(w->deleted, (w->n_deleted + 1) * sizeof(*w->deleted));
		w->deleted[w->n_deleted++] = (struct deleted){ s->entry[i].version, s->entry[i].content->id };
	}
	if (e) {
		const struct schema_version view = schema_table_view(s, e);

		schema_version_copy(&view, &w->latest);
	}
	schema_store_done(w->r->store);
	w->normalize = w->normalize || w->config.normalize > 0;
}

static void release(struct schema_work *w)
{
	schema_config_release(&w->config);
	schema_version_release(&w->latest);
	free(w->deleted);
}

/* Confluent's answer does not say whether the version is new; this header does, for whoever looks. */
static void tell_news(struct bus_http_request *req, const struct schema_version *v, bool is_new)
{
	char text[40];

	snprintf(text, sizeof(text), "%s; version=%d", is_new ? "new" : "known", v->version);
	bus_http_set(req, SCHEMA_NEWS_HEADER, text);
}

/* A descriptor goes back as it came: Confluent's Python client keeps the answer's text as what it may later
 * read, and reads descriptors only. */
static void reply_registered(struct schema_work *w, const struct schema_version *v, bool dated)
{
	struct bus_buf b = schema_version_json(
	    v, &(struct schema_show){ .shape = SCHEMA_SHAPE_REGISTERED, .text = w->q->sent, .dated = dated });

	tell_news(w->req, v, false);
	schema_side_headers(w->r, w->req, v);
	schema_reply(w->req, &b);
}

/* --- is it there already? ---------------------------------------------------------------------------------
 */

/* True: answered with the version that has it, or with why it cannot be parsed. */
static bool known(struct schema_work *w)
{
	struct schema_request q;
	struct schema_version found;
	struct bus_error err;
	bool exact, answered = true;
	enum bus_err rc;

	if (w->q->tags_to_add || w->q->tags_to_remove || w->q->propagate_tags || w->config.default_metadata ||
	    w->config.override_metadata || w->config.default_rule_set || w->config.override_rule_set ||
	    schema_request_empty(w->q))
		return false;
	schema_request_copy(w->q, &q);
	rc = schema_request_parse(w->r, &q, false, w->normalize && !schema_mode_imports(w->mode), &err);
	if (rc != BUS_OK) {
		schema_request_refuse(w->req, &err);
		schema_request_release(&q);
		return true;
	}
	rc = schema_store_find(w->r->store, &q.v, SCHEMA_LIVE, q.version == -1, &found, &exact, NULL);
	schema_request_release(&q);
	if (rc != BUS_OK)
		return false;
	if (w->q->version <= 0 ? w->q->id < 0 || w->q->id == found.id
			       : w->q->id == found.id && w->q->version == found.version)
		reply_registered(w, &found, !exact);
	else
		answered = false;
	schema_version_release(&found);
	return answered;
}

/* --- what it becomes before it is looked at ----------------------------------------------------------------
 */

/* Defaults, what was given (or the version before has), overrides: maybeSetMetadataRuleSet(). */
void schema_request_populate(struct bus_http_request *req, const struct schema_config *c,
			     struct schema_request *q, const struct schema_version *previous, int new_version)
{
	struct bus_arena *arena = bus_http_arena(req);
	const struct schema_metadata *m = q->metadata, *before_m = NULL, *of_m[2] = { NULL, NULL };
	const struct schema_rule_set *s = q->rules, *before_s = NULL, *of_s[2] = { NULL, NULL };
	const char *const json_m[] = { c->default_metadata, c->override_metadata };
	const char *const json_s[] = { c->default_rule_set, c->override_rule_set };
	char number[16];

	if (previous && previous->extra)
		schema_meta_parse(previous->extra, arena, &before_m, &before_s);
	for (int i = 0; i < 2; i++) {
		struct bus_buf b = { 0 };
		const struct schema_metadata *none_m;
		const struct schema_rule_set *none_s;

		if (json_m[i]) {
			bus_buf_printf(&b, "\"metadata\":%s", json_m[i]);
			schema_meta_parse(bus_buf_cstr(&b), arena, &of_m[i], &none_s);
			bus_buf_reset(&b);
		}
		if (json_s[i]) {
			bus_buf_printf(&b, "\"ruleSet\":%s", json_s[i]);
			schema_meta_parse(bus_buf_cstr(&b), arena, &none_m, &of_s[i]);
		}
		bus_buf_release(&b);
	}
	m = schema_metadata_merge(schema_metadata_merge(of_m[0], m ? m : before_m, arena), of_m[1], arena);
	s = schema_rule_set_merge(schema_rule_set_merge(of_s[0], s ? s : before_s, arena), of_s[1], arena);
	if (new_version > 0 && (q->version != 0 || schema_metadata_get(m, SCHEMA_META_VERSION))) {
		snprintf(number, sizeof(number), "%d", new_version);
		m = schema_metadata_set(m, SCHEMA_META_VERSION, bus_arena_dup(arena, number, strlen(number)),
					arena);
	}
	if (!m && !s)
		return;
	q->metadata = m;
	q->rules = s;
	if (q->v.text)
		schema_request_seal(q);
}

/* Without a text of its own it is the version before, with other metadata. */
static bool take_previous(struct schema_work *w)
{
	struct schema_version *v = &w->q->v;
	struct schema_version copy;

	if (!schema_request_empty(w->q))
		return true;
	if (!w->latest.subject || schema_mode_imports(w->mode)) {
		schema_reply_error(w->req, 42201, "Empty schema");
		return false;
	}
	schema_version_copy(&w->latest, &copy);
	copy.id = v->id;
	copy.version = v->version;
	schema_version_release(v);
	*v = copy;
	return true;
}

/* Tags of the version before, as changes to this one. */
static const struct bus_json *tags_before(struct schema_work *w)
{
	struct bus_json *tree = NULL;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	char *text;

	if (!w->latest.subject || schema_store_parse(w->r->store, &w->latest, NULL) != BUS_OK)
		return NULL;
	schema_tags_list(w->latest.schema, NULL, 0, &j);
	text = bus_arena_dup(bus_http_arena(w->req), b.p, b.n);
	if (!text || bus_json_parse((struct bus_str){ text, b.n }, NULL, bus_http_arena(w->req), &tree,
				    NULL) != BUS_OK)
		tree = NULL;
	bus_buf_release(&b);
	return tree && tree->n > 0 ? tree : NULL;
}

static bool change_tags(struct schema_work *w, const struct bus_json *add, const struct bus_json *remove)
{
	struct bus_buf text = { 0 };
	struct bus_error err;
	enum bus_err rc;

	if ((!add && !remove) || strcmp(w->q->v.type, "AVRO") != 0)
		return true;
	/* Places are found in the canonical text. */
	rc = schema_request_parse(w->r, w->q, false, false, &err);
	if (rc == BUS_OK)
		rc = schema_tags_change(w->q->v.text, add, remove, bus_http_arena(w->req), &text, &err);
	if (rc != BUS_OK) {
		bus_buf_release(&text);
		schema_request_refuse(w->req, &err);
		return false;
	}
	free(w->q->v.text);
	w->q->v.text = bus_buf_take(&text, NULL);
	return true;
}

/* --- may it be, and as what?
 * -------------------------------------------------------------------------------- */

static bool compatible(struct schema_work *w)
{
	struct schema_messages why = { 0 };
	struct bus_buf details = { 0 };
	bool ok = schema_mode_imports(w->mode) || w->force ||
		  schema_registry_check(w->r, &w->config, w->q, 0, &why);

	for (size_t i = 0; i < why.n && !ok; i++)
		bus_buf_printf(&details, "%s%s", i ? ", " : "", why.item[i]);
	if (!ok)
		schema_reply_error(
		    w->req, 40901,
		    "Schema being registered is incompatible with an earlier schema for subject "
		    "\"%s\", details: [%s]",
		    w->q->v.subject, bus_buf_cstr(&details));
	bus_buf_release(&details);
	schema_messages_release(&why);
	return ok;
}

/* True: a live version has it already, and was answered. */
static bool answered_with_twin(struct schema_work *w)
{
	struct schema_version found;
	bool exact;

	if (w->q->version != 0 ||
	    schema_store_find(w->r->store, &w->q->v, SCHEMA_LIVE, false, &found, &exact, NULL) != BUS_OK)
		return false;
	if (w->q->id < 0 || w->q->id == found.id) {
		w->q->v.id = found.id;
		w->q->v.version = found.version;
		schema_version_release(&found);
		reply_registered(w, &w->q->v, false);
		return true;
	}
	schema_version_release(&found);
	return false;
}

static bool claim_text(struct schema_work *w)
{
	struct schema_version *v = &w->q->v;
	struct bus_buf what = { 0 };
	struct schema_qualified q = schema_subject_split(v->subject);
	bool ok;

	bus_buf_put(&what, v->guid, SCHEMA_GUID_LEN);
	bus_buf_put(&what, q.context.p, q.context.n);
	ok = schema_writer_claim(w->r->writer, SCHEMA_CLAIM_TEXT, what.p, what.n);
	bus_buf_release(&what);
	return ok;
}

static void write_record(struct schema_work *w)
{
	const struct schema_show show = { .shape = SCHEMA_SHAPE_REGISTERED, .text = w->q->sent };
	struct schema_version *v = &w->q->v;
	struct bus_buf value = { 0 }, answer;

	schema_work_put_context(w);
	schema_work_drop_twins(w);
	v->deleted = false;
	schema_record_schema(v, &value);
	schema_edit_put(w->r, SCHEMA_RECORD_SCHEMA, v->subject, v->version, &value);
	answer = schema_version_json(v, &show);
	tell_news(w->req, v, true);
	schema_writer_commit(w->r->writer, w->req, &answer);
}

static void run(struct schema_work *w)
{
	bool strict = w->q->id < 0 && w->config.validate_new_schemas != 0;
	struct bus_error err;

	if (!schema_work_allowed(w) || !take_previous(w) ||
	    !change_tags(w, w->q->tags_to_add, w->q->tags_to_remove))
		return;
	/* To the latest version, so that its mark is added. */
	if ((w->q->tags_to_add || w->q->tags_to_remove) && w->q->version == 0)
		w->q->version = -1;
	if (!schema_mode_imports(w->mode)) {
		if (w->q->propagate_tags && !change_tags(w, tags_before(w), NULL))
			return;
		schema_request_populate(w->req, &w->config, w->q, w->latest.subject ? &w->latest : NULL,
					w->new_version < INT32_MAX ? w->new_version + 1 : 0);
	}
	if (schema_request_parse(w->r, w->q, strict, w->normalize && !schema_mode_imports(w->mode), &err) !=
	    BUS_OK) {
		schema_request_refuse(w->req, &err);
		return;
	}
	if (!claim_text(w) || answered_with_twin(w) || !schema_work_context_fits(w) || !compatible(w) ||
	    !schema_work_give_version(w) || !schema_work_give_id(w))
		return;
	write_record(w);
}

void schema_edit_register_request(struct schema_registry *r, struct bus_http_request *req,
				  struct schema_request *q, bool normalize, bool force, bool look_first)
{
	struct schema_work w = { .r = r, .req = req, .q = q, .normalize = normalize, .force = force };
	/* What refers to others, or brings its id, depends on more than one can name before it is looked up.
	 */
	bool alone = q->v.n_references > 0 || q->id >= 0;

	if (alone ? !schema_writer_alone(r->writer, req)
		  : !schema_writer_claim(r->writer, SCHEMA_CLAIM_SUBJECT, q->v.subject, strlen(q->v.subject)))
		return;
	load(&w);
	if (!look_first || !known(&w))
		run(&w);
	release(&w);
}

void schema_edit_register(struct schema_registry *r, struct bus_http_request *req)
{
	const char *subject = schema_body_subject(r, req);
	struct schema_request q;

	if (!schema_request_read(req, subject, &q))
		return;
	if (schema_edit_subject_valid(req, subject, false))
		schema_edit_register_request(r, req, &q, schema_body_true(req, "normalize"),
					     schema_body_true(req, "force"), true);
	schema_request_release(&q);
}
