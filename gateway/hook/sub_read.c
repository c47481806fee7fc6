/* Records of the topic, read back. */
#include <stdio.h>

#include "gateway/hook/sub.h"

static int word_of(const char *const *word, size_t n, struct bus_str text)
{
	for (size_t i = 0; i < n; i++)
		if (bus_str_is(text, word[i]))
			return (int)i;
	return -1;
}

/* Members of a record; the first that is not as it should be makes all of it bad. */
struct from {
	const struct bus_json *object;
	bool bad;
};

static struct bus_str take_text(struct from *f, const char *name)
{
	const struct bus_json *v = bus_json_get(f->object, name);

	if (v && v->type == BUS_JSON_STRING && !memchr(v->text.p, '\0', v->text.n))
		return v->text;
	f->bad = true;
	return BUS_STR("");
}

static char *take_copy(struct from *f, const char *name, bool may_lack)
{
	const struct bus_json *v = bus_json_get(f->object, name);
	struct bus_str text;

	if (may_lack && v && v->type == BUS_JSON_NULL)
		return NULL;
	text = take_text(f, name);
	return bus_xstrndup(text.p, text.n);
}

static void take_into(struct from *f, const char *name, char *out, size_t n)
{
	struct bus_str text = take_text(f, name);

	if (text.n >= n) {
		f->bad = true;
		return;
	}
	memcpy(out, text.p, text.n);
	out[text.n] = '\0';
}

static int64_t take_int(struct from *f, const char *name)
{
	const struct bus_json *v = bus_json_get(f->object, name);
	int64_t n = 0;

	if (!v || bus_json_int(v, &n))
		f->bad = true;
	return n;
}

static bool take_bool(struct from *f, const char *name)
{
	const struct bus_json *v = bus_json_get(f->object, name);

	if (!v || (v->type != BUS_JSON_TRUE && v->type != BUS_JSON_FALSE))
		f->bad = true;
	return v && v->type == BUS_JSON_TRUE;
}

static int take_word(struct from *f, const char *name, const char *const *word, size_t n)
{
	int i = word_of(word, n, take_text(f, name));

	f->bad |= i < 0;
	return i < 0 ? 0 : i;
}

static bool hex_read(struct bus_str text, uint8_t out[BUS_KEY_LEN])
{
	if (text.n != 2 * BUS_KEY_LEN)
		return false;
	for (size_t i = 0; i < BUS_KEY_LEN; i++) {
		char two[3] = { text.p[2 * i], text.p[2 * i + 1], '\0' };
		char *end;

		out[i] = (uint8_t)strtoul(two, &end, 16);
		if (end != two + 2)
			return false;
	}
	return true;
}

static void take_filters(struct from *f, struct gw_hook_sub *s)
{
	const struct bus_json *list = bus_json_get(f->object, "filter");

	if (!list || list->type != BUS_JSON_OBJECT || list->n > GW_HOOK_FILTERS_MAX) {
		f->bad = true;
		return;
	}
	for (const struct bus_json *v = list->first; v; v = v->next) {
		f->bad |= v->type != BUS_JSON_STRING;
		s->filter[s->n_filters].column = bus_xstrndup(v->name.p, v->name.n);
		s->filter[s->n_filters++].value = bus_xstrndup(v->text.p, v->text.n);
	}
}

static void take_secrets(struct from *f, struct gw_hook_sub *s)
{
	const struct bus_json *list = bus_json_get(f->object, "secrets");

	if (!list || list->type != BUS_JSON_ARRAY || list->n < 1 || list->n > GW_HOOK_SECRETS) {
		f->bad = true;
		return;
	}
	for (const struct bus_json *v = list->first; v; v = v->next) {
		struct from one = { .object = v };
		struct gw_hook_secret *secret = &s->secret[s->n_secrets++];

		f->bad |= v->type != BUS_JSON_OBJECT || !hex_read(take_text(&one, "key"), secret->key);
		secret->until = take_int(&one, "until");
		f->bad |= one.bad;
	}
}

/* The object of a text, in the arena. */
static enum bus_err object_of(struct bus_str text, struct bus_arena *arena, struct from *out,
			      struct bus_error *err)
{
	struct bus_json *j = NULL;

	if (bus_json_parse(text, NULL, arena, &j, NULL) || j->type != BUS_JSON_OBJECT)
		return bus_fail(err, BUS_EDATA, "not a webhook's record");
	*out = (struct from){ .object = j };
	return BUS_OK;
}

static enum bus_err verdict(const struct from *f, struct bus_error *err)
{
	return f->bad ? bus_fail(err, BUS_EDATA, "not a webhook's record") : BUS_OK;
}

enum bus_err gw_hook_sub_read(struct bus_str text, struct gw_hook_sub **out, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(256 * 1024);
	struct gw_hook_sub *s = NULL;
	struct from f;
	enum bus_err rc = object_of(text, arena, &f, err);

	*out = NULL;
	if (rc)
		goto out;
	s = gw_hook_sub_new();
	take_into(&f, "id", s->id, sizeof(s->id));
	take_into(&f, "reader", s->reader, sizeof(s->reader));
	if (bus_json_get(f.object, "key_id"))
		take_into(&f, "key_id", s->key_id, sizeof(s->key_id));
	s->view = take_copy(&f, "view", false);
	s->url = take_copy(&f, "url", false);
	s->select = take_copy(&f, "select", true);
	s->date = take_copy(&f, "per_tanggal", true);
	take_filters(&f, s);
	s->format = (enum gw_hook_format)take_word(&f, "format", gw_hook_formats, BUS_LEN(gw_hook_formats));
	s->signature = (enum gw_hook_signature)take_word(&f, "signature", gw_hook_signatures,
							 BUS_LEN(gw_hook_signatures));
	take_secrets(&f, s);
	s->rate = take_int(&f, "rate");
	s->max_batch = take_int(&f, "max_batch");
	s->created = take_int(&f, "created");
	s->suspended = take_bool(&f, "suspended");
	s->version = take_int(&f, "version");
	s->epoch = take_int(&f, "epoch");
	s->round = take_int(&f, "round");
	take_into(&f, "from", s->from, sizeof(s->from));
	s->anew = take_bool(&f, "anew");
	rc = verdict(&f, err);
out:
	if (rc)
		gw_hook_sub_unref(&s);
	*out = s;
	bus_arena_free(&arena);
	return rc;
}

enum bus_err gw_hook_pos_read(struct bus_str text, struct gw_hook_pos *out, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(64 * 1024);
	struct from f;
	enum bus_err rc = object_of(text, arena, &f, err);

	*out = (struct gw_hook_pos){ 0 };
	if (rc)
		goto out;
	out->epoch = take_int(&f, "epoch");
	out->round = take_int(&f, "round");
	take_into(&f, "cursor", out->cursor, sizeof(out->cursor));
	out->reset = take_bool(&f, "reset");
	out->state = (enum gw_hook_state)take_word(&f, "state", gw_hook_states, BUS_LEN(gw_hook_states));
	out->reason = (enum gw_hook_reason)take_word(&f, "reason", gw_hook_reasons, BUS_LEN(gw_hook_reasons));
	out->failures = take_int(&f, "failures");
	out->failing_since = take_int(&f, "failing_since");
	out->next = take_int(&f, "next");
	out->last_at = take_int(&f, "last_at");
	out->last_status = take_int(&f, "last_status");
	take_into(&f, "last_why", out->last_why, sizeof(out->last_why));
	out->allowed_rate = take_int(&f, "allowed_rate");
	out->delivered = take_int(&f, "delivered");
	rc = verdict(&f, err);
out:
	bus_arena_free(&arena);
	return rc;
}
