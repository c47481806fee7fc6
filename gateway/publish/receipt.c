#include "bus/json_out.h"
#include "gateway/publish/impl.h"
#include "gateway/serve/api.h"
#include "gateway/serve/problem.h"

static void put_refused(struct bus_json_out *j, const struct gw_publish_record *r, bool english)
{
	const struct gw_problem_kind *k = gw_problem_find(r->problem);

	bus_json_object(j);
	bus_json_key(j, "status");
	bus_json_put_int(j, k->status);
	bus_json_text_member(j, "code", r->problem);
	bus_json_text_member(j, "title", english ? k->en : k->id);
	bus_json_some_text_member(j, "pointer", r->pointer);
	if (r->line > 0) {
		bus_json_key(j, "line");
		bus_json_put_int(j, r->line);
	}
	bus_json_some_text_member(j, "detail", r->detail);
	bus_json_object_end(j);
}

/* The usual record, written by hand: a request may have thousands. */
static void put_accepted(struct bus_json_out *j, const struct gw_publish_record *r)
{
	char text[64], *p = text + sizeof(text);
	uint64_t v = (uint64_t)r->offset;

	*--p = '}';
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	p -= 10;
	memcpy(p, ",\"offset\":", 10);
	v = (uint64_t)r->placed;
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	p -= 13;
	memcpy(p, "{\"partition\":", 13);
	bus_json_put_raw(j, (struct bus_str){ p, (size_t)(text + sizeof(text) - p) });
}

void gw_publish_receipt(const struct gw_publish_batch *b, bool english, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	if (b->n_refused == b->n) { /* as a problem document too */
		const struct gw_problem_kind *k = gw_problem_find("publish-refused");

		bus_json_text_member(&j, "type", "/problems/publish-refused");
		bus_json_text_member(&j, "title", english ? k->en : k->id);
		bus_json_key(&j, "status");
		bus_json_put_int(&j, k->status);
		bus_json_text_member(&j, "code", k->code);
	}
	bus_json_text_member(&j, "topic", b->topic);
	if (b->schema_id > 0) {
		bus_json_key(&j, "schema_id");
		bus_json_put_int(&j, b->schema_id);
	}
	bus_json_key(&j, "accepted");
	bus_json_put_int(&j, (int64_t)(b->n - b->n_refused));
	bus_json_key(&j, "refused");
	bus_json_put_int(&j, (int64_t)b->n_refused);
	bus_json_key(&j, "records");
	bus_json_array(&j);
	for (size_t i = 0; i < b->n; i++)
		if (b->record[i].problem)
			put_refused(&j, &b->record[i], english);
		else
			put_accepted(&j, &b->record[i]);
	bus_json_array_end(&j);
	bus_json_object_end(&j);
}
