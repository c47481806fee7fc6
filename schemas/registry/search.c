/* Subjects with what people and tools want to know of them, a page at a time; and which fields fit a search.
 */
#include <errno.h>

#include "bus/clock.h"
#include "schemas/avro/search.h"
#include "schemas/avro/words.h"
#include "schemas/registry/side.h"

#define LIMIT 100
#define LIMIT_MAX 1000
#define HITS_MAX 1000			     /* of one schema in one answer */
#define ANSWER_MAX ((size_t)8 * 1024 * 1024) /* a page ends early at so many bytes, */
#define ANSWER_MS 1000			     /* and after so long */

static const char *query(struct bus_http_request *req, const char *name)
{
	const char *v = bus_http_query(req, name);

	return v && *v != '\0' ? v : NULL;
}

static bool limit_of(struct bus_http_request *req, size_t *limit)
{
	const char *text = query(req, "limit");
	char *end;
	long v;

	*limit = LIMIT;
	if (!text)
		return true;
	errno = 0;
	v = strtol(text, &end, 10);
	if (*end != '\0' || errno != 0 || v < 1) {
		schema_reply_error(req, 400, "'limit' is a whole number from 1 to %d", LIMIT_MAX);
		return false;
	}
	*limit = v > LIMIT_MAX ? LIMIT_MAX : (size_t)v;
	return true;
}

static void put_number(struct bus_json_out *j, const char *name, int64_t v)
{
	bus_json_key(j, name);
	bus_json_put_int(j, v);
}

/* The first name of the sorted list that comes after `after`. */
static size_t first_after(const struct schema_name_list *names, const char *after)
{
	size_t low = 0, high = names->n;

	while (after && low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(names->item[mid], after) <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool full(const struct bus_buf *answer, int64_t until)
{
	return answer->n > ANSWER_MAX || bus_clock_mono_ms() > until;
}

/* --- subjects --------------------------------------------------------------------------------------- */

static void count_use(void *ctx, const struct schema_use *use)
{
	(void)use;
	(*(size_t *)ctx)++;
}

static void put_about(struct bus_json_out *j, const struct schema *schema)
{
	const struct schema_node *root = schema_root(schema);

	bus_json_some_text_member(j, "name", root->name);
	bus_json_some_text_member(j, "doc", root->doc);
	bus_json_some_text_member(j, "topic", schema_property(root->properties, "x_topik"));
	bus_json_some_text_member(j, "producer", schema_property(root->properties, "x_produsen"));
	bus_json_some_text_member(j, "steward", schema_property(root->properties, "x_walidata"));
	if (root->type == SCHEMA_RECORD)
		put_number(j, "fields", (int64_t)root->n);
}

static size_t live_versions(struct schema_registry *r, const char *subject)
{
	const struct schema_subject *s = schema_table_subject(schema_store_read(r->store), subject);
	size_t n = 0;

	for (size_t i = 0; s && i < s->n_entries; i++)
		n += !s->entry[i].deleted;
	schema_store_done(r->store);
	return n;
}

static void put_subject(struct bus_json_out *j, struct schema_registry *r, struct bus_http_request *req,
			const struct schema_version *v)
{
	struct schema_state state;
	size_t uses = 0;

	schema_side_uses(r->side, v->subject, count_use, &uses);
	bus_json_object(j);
	bus_json_some_text_member(j, "subject", v->subject);
	put_number(j, "versions", (int64_t)live_versions(r, v->subject));
	put_number(j, "version", v->version);
	put_number(j, "id", v->id);
	bus_json_some_text_member(j, "schemaType", v->type);
	put_number(j, "registered", v->timestamp_ms);
	bus_json_some_text_member(j, "compatibility",
				  schema_level_name(schema_store_level(r->store, v->subject)));
	if (v->schema)
		put_about(j, v->schema);
	put_number(j, "uses", (int64_t)uses);
	if (schema_side_state(r->side, v->subject, v->version, bus_http_arena(req), &state)) {
		bus_json_key(j, "state");
		schema_state_put(j, &state);
	}
	bus_json_put_members(j, bus_str(v->extra));
	if (schema_body_true(req, "schema"))
		bus_json_some_text_member(j, "schema", v->text);
	bus_json_object_end(j);
}

void schema_search_subjects(void *ctx, struct bus_http_request *req)
{
	const char *prefix = query(req, "subjectPrefix"), *next = NULL;
	struct schema_name_list names = { 0 };
	struct schema_registry *r = ctx;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	int64_t until = bus_clock_mono_ms() + ANSWER_MS;
	size_t limit, n = 0;

	if (!limit_of(req, &limit))
		return;
	schema_store_subjects(r->store, prefix ? prefix : "", SCHEMA_LIVE, &names);
	schema_may_names(req, &names);
	bus_json_object(&j);
	put_number(&j, "total", (int64_t)names.n);
	bus_json_key(&j, "subjects");
	bus_json_array(&j);
	for (size_t i = first_after(&names, query(req, "after")); i < names.n; i++) {
		struct schema_version v;

		if (n == limit || (n > 0 && full(&b, until))) {
			next = names.item[i - 1];
			break;
		}
		if (schema_store_version_once(r->store, names.item[i], SCHEMA_VERSION_LATEST, &v, NULL) !=
		    BUS_OK)
			continue; /* deleted a moment ago */
		put_subject(&j, r, req, &v);
		schema_version_release(&v);
		n++;
	}
	bus_json_array_end(&j);
	bus_json_key(&j, "next");
	bus_json_put_text(&j, next);
	bus_json_object_end(&j);
	schema_name_list_release(&names);
	schema_reply(req, &b);
}

/* --- fields ----------------------------------------------------------------------------------------- */

struct found {
	struct bus_json_out *j;
	const struct schema_version *v;
	size_t n, n_here; /* in all; of this schema */
	bool cut;	  /* a schema had more than are told */
};

static bool put_hit(void *ctx, const struct schema_hit *hit)
{
	struct found *f = ctx;
	struct bus_buf type = { 0 };

	if (f->n_here == HITS_MAX || f->j->buf->n > ANSWER_MAX) {
		f->cut = true;
		return false;
	}
	f->n_here++;
	schema_words_type(hit->field->type, &type);
	bus_json_object(f->j);
	bus_json_some_text_member(f->j, "subject", f->v->subject);
	put_number(f->j, "version", f->v->version);
	put_number(f->j, "id", f->v->id);
	bus_json_some_text_member(f->j, "path", hit->path);
	bus_json_some_text_member(f->j, "type", bus_buf_cstr(&type));
	bus_json_some_text_member(f->j, "pdp", schema_property(hit->field->properties, "x_pdp"));
	bus_json_some_text_member(f->j, "doc", hit->field->doc);
	bus_json_object_end(f->j);
	bus_buf_release(&type);
	f->n++;
	return true;
}

void schema_search_fields(void *ctx, struct bus_http_request *req)
{
	const struct schema_search wanted = {
		.text = query(req, "q"),
		.field = query(req, "field"),
		.type = query(req, "type"),
		.pdp = query(req, "class"),
	};
	const char *prefix = query(req, "subjectPrefix"), *next = NULL;
	struct schema_name_list names = { 0 };
	struct schema_registry *r = ctx;
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };
	struct found found = { .j = &j };
	int64_t until = bus_clock_mono_ms() + ANSWER_MS;
	size_t limit, first;

	if (!limit_of(req, &limit))
		return;
	if (!wanted.text && !wanted.field && !wanted.type && !wanted.pdp) {
		schema_reply_error(req, 400,
				   "Say what to look for: q, field (* stands for anything), type or class");
		return;
	}
	schema_store_subjects(r->store, prefix ? prefix : "", SCHEMA_LIVE, &names);
	schema_may_names(req, &names);
	bus_json_object(&j);
	bus_json_key(&j, "matches");
	bus_json_array(&j);
	first = first_after(&names, query(req, "after"));
	for (size_t i = first; i < names.n; i++) {
		struct schema_version v;

		/* Pages end between subjects. */
		if (found.n >= limit || (i > first && full(&b, until))) {
			next = names.item[i - 1];
			break;
		}
		if (schema_store_version_once(r->store, names.item[i], SCHEMA_VERSION_LATEST, &v, NULL) !=
		    BUS_OK)
			continue;
		found.v = &v;
		found.n_here = 0;
		if (v.schema)
			schema_search(v.schema, &wanted, put_hit, &found);
		schema_version_release(&v);
	}
	bus_json_array_end(&j);
	bus_json_key(&j, "next");
	bus_json_put_text(&j, next);
	if (found.cut) {
		bus_json_key(&j, "cut");
		bus_json_put_bool(&j, true);
	}
	bus_json_object_end(&j);
	schema_name_list_release(&names);
	schema_reply(req, &b);
}
