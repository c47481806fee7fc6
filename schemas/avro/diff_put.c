/* A diff as JSON and as lines of text. */
#include "schemas/avro/diff.h"

const char *schema_diff_level(const struct schema_diff *d)
{
	if (d->backward.ok && d->forward.ok)
		return "FULL";
	return d->backward.ok ? "BACKWARD" : d->forward.ok ? "FORWARD" : "NONE";
}

static void put_direction(struct bus_json_out *j, const char *name, const struct schema_explanation *e)
{
	bus_json_key(j, name);
	bus_json_object(j);
	bus_json_key(j, "compatible");
	bus_json_put_bool(j, e->ok);
	bus_json_key(j, "reasons");
	schema_explanation_put(j, e);
	bus_json_object_end(j);
}

void schema_diff_put(struct bus_json_out *j, const struct schema_diff *d)
{
	bus_json_object(j);
	bus_json_key(j, "identical");
	bus_json_put_bool(j, d->n == 0 && !d->cut);
	bus_json_text_member(j, "level", schema_diff_level(d));
	bus_json_key(j, "changes");
	bus_json_array(j);
	for (size_t i = 0; i < d->n; i++) {
		const struct schema_change *c = &d->change[i];

		bus_json_object(j);
		bus_json_text_member(j, "code", c->code);
		bus_json_key(j, "warning");
		bus_json_put_bool(j, c->warning);
		bus_json_text_member(j, "path", c->path);
		bus_json_text_member(j, "old", c->old_place);
		bus_json_text_member(j, "new", c->new_place);
		bus_json_text_member(j, "what", c->what);
		bus_json_text_member(j, "was", c->was);
		bus_json_text_member(j, "now", c->now);
		schema_words_put(j, c->sentence);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
	if (d->cut) {
		bus_json_key(j, "cut");
		bus_json_put_bool(j, true);
	}
	put_direction(j, "backward", &d->backward);
	put_direction(j, "forward", &d->forward);
	bus_json_object_end(j);
}

static void say_reasons(const struct schema_explanation *e, bool indonesian, struct bus_buf *out)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct schema_finding *f = &e->finding[i];

		bus_buf_printf(out, "x %s\n    %s\n", indonesian ? f->what.id : f->what.en,
			       indonesian ? f->mend.id : f->mend.en);
	}
}

void schema_diff_say(const struct schema_diff *d, bool indonesian, struct bus_buf *out)
{
	for (size_t i = 0; i < d->n; i++)
		bus_buf_printf(out, "%s %s\n", d->change[i].warning ? "!" : " ",
			       indonesian ? d->change[i].sentence.id : d->change[i].sentence.en);
	if (d->cut)
		bus_buf_printf(out, "  %s\n",
			       indonesian ? "(perubahan lain tidak ditampilkan)"
					  : "(further changes left out)");
	say_reasons(&d->backward, indonesian, out);
	say_reasons(&d->forward, indonesian, out);
}
