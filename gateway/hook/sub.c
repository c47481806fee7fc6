#include "gateway/hook/sub.h"

#include <stdatomic.h>
#include <stdio.h>

#include "bus/clock.h"

void gw_hook_sub_id(char out[GW_HOOK_ID_LEN + 1])
{
	uint8_t bytes[8];

	bus_random(bytes, sizeof(bytes));
	memcpy(out, "wh_", 3);
	bus_hex(bytes, sizeof(bytes), out + 3);
}

struct gw_hook_sub *gw_hook_sub_new(void)
{
	struct gw_hook_sub *s = bus_xcalloc(1, sizeof(*s));

	atomic_init(&s->refs, 1);
	return s;
}

static char *dup(const char *text)
{
	return text ? bus_xstrdup(text) : NULL;
}

struct gw_hook_sub *gw_hook_sub_copy(const struct gw_hook_sub *from)
{
	struct gw_hook_sub *s = bus_xmalloc(sizeof(*s));

	memcpy(s, from, sizeof(*s));
	atomic_init(&s->refs, 1);
	s->view = dup(from->view);
	s->url = dup(from->url);
	s->select = dup(from->select);
	s->date = dup(from->date);
	for (size_t i = 0; i < from->n_filters; i++)
		s->filter[i] =
		    (struct gw_hook_filter){ dup(from->filter[i].column), dup(from->filter[i].value) };
	return s;
}

struct gw_hook_sub *gw_hook_sub_ref(struct gw_hook_sub *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void gw_hook_sub_unref(struct gw_hook_sub **sp)
{
	struct gw_hook_sub *s = *sp;

	*sp = NULL;
	if (!s || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	free(s->view);
	free(s->url);
	free(s->select);
	free(s->date);
	for (size_t i = 0; i < s->n_filters; i++) {
		free(s->filter[i].column);
		free(s->filter[i].value);
	}
	explicit_bzero(s->secret, sizeof(s->secret));
	free(s);
}

void gw_hook_sub_rotate(struct gw_hook_sub *s, int64_t until)
{
	if (s->n_secrets < GW_HOOK_SECRETS)
		s->n_secrets++;
	memmove(&s->secret[1], &s->secret[0], (s->n_secrets - 1) * sizeof(s->secret[0]));
	bus_random(s->secret[0].key, sizeof(s->secret[0].key));
	s->secret[0].until = 0;
	for (size_t i = 1; i < s->n_secrets; i++)
		if (!s->secret[i].until || s->secret[i].until > until)
			s->secret[i].until = until;
}

/* --- words ------------------------------------------------------------------------------------------- */

const char *const gw_hook_formats[4] = { "standard", "cloudevents-binary", "cloudevents-structured",
					 "cloudevents-batch" };
const char *const gw_hook_signatures[2] = { "ed25519", "hmac" };
static const char *const states[] = { "validating", "active", "suspended" };
static const char *const reasons[] = { "", "asked", "failing", "gone", "not-granted", "parameters" };

static int word_of(const char *const *word, size_t n, struct bus_str text)
{
	for (size_t i = 0; i < n; i++)
		if (bus_str_is(text, word[i]))
			return (int)i;
	return -1;
}

/* --- writing ----------------------------------------------------------------------------------------- */

static void put_int(struct bus_json_out *j, const char *name, int64_t v)
{
	bus_json_key(j, name);
	bus_json_put_int(j, v);
}

static void put_bool(struct bus_json_out *j, const char *name, bool v)
{
	bus_json_key(j, name);
	bus_json_put_bool(j, v);
}

static void put_time(struct bus_json_out *j, const char *name, int64_t ms)
{
	char text[40];

	bus_json_text_member(j, name, ms ? bus_clock_iso_wib(ms, text, sizeof(text)) : NULL);
}

void gw_hook_sub_show(const struct gw_hook_sub *s, struct bus_json_out *j)
{
	bus_json_text_member(j, "id", s->id);
	bus_json_text_member(j, "view", s->view);
	bus_json_text_member(j, "url", s->url);
	bus_json_text_member(j, "select", s->select);
	bus_json_text_member(j, "per_tanggal", s->date);
	bus_json_key(j, "filter");
	bus_json_object(j);
	for (size_t i = 0; i < s->n_filters; i++)
		bus_json_text_member(j, s->filter[i].column, s->filter[i].value);
	bus_json_object_end(j);
	bus_json_text_member(j, "format", gw_hook_formats[s->format]);
	bus_json_text_member(j, "signature", gw_hook_signatures[s->signature]);
	put_int(j, "rate", s->rate);
	put_int(j, "max_batch", s->max_batch);
}

void gw_hook_pos_show(const struct gw_hook_pos *p, struct bus_json_out *j)
{
	bus_json_text_member(j, "state", states[p->state]);
	bus_json_text_member(j, "reason", reasons[p->reason][0] ? reasons[p->reason] : NULL);
	bus_json_text_member(j, "cursor", p->cursor[0] ? p->cursor : NULL);
	put_int(j, "delivered", p->delivered);
	put_int(j, "failures", p->failures);
	put_time(j, "failing_since", p->failing_since);
	put_time(j, "next_try", p->failures > 0 && p->state != GW_HOOK_SUSPENDED ? p->next : 0);
	bus_json_key(j, "last");
	bus_json_object(j);
	put_time(j, "at", p->last_at);
	put_int(j, "status", p->last_status);
	bus_json_text_member(j, "why", p->last_why[0] ? p->last_why : NULL);
	bus_json_object_end(j);
}

void gw_hook_sub_write(const struct gw_hook_sub *s, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };
	char hex[2 * BUS_KEY_LEN + 1];

	bus_json_object(&j);
	gw_hook_sub_show(s, &j);
	bus_json_text_member(&j, "reader", s->reader);
	put_int(&j, "created", s->created);
	put_bool(&j, "suspended", s->suspended);
	put_int(&j, "version", s->version);
	put_int(&j, "epoch", s->epoch);
	put_int(&j, "round", s->round);
	bus_json_text_member(&j, "from", s->from);
	put_bool(&j, "anew", s->anew);
	bus_json_key(&j, "secrets");
	bus_json_array(&j);
	for (size_t i = 0; i < s->n_secrets; i++) {
		bus_hex(s->secret[i].key, BUS_KEY_LEN, hex);
		bus_json_object(&j);
		bus_json_text_member(&j, "key", hex);
		put_int(&j, "until", s->secret[i].until);
		bus_json_object_end(&j);
	}
	bus_json_array_end(&j);
	bus_json_object_end(&j);
	explicit_bzero(hex, sizeof(hex));
}

void gw_hook_pos_write(const struct gw_hook_pos *p, struct bus_buf *out)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	put_int(&j, "epoch", p->epoch);
	put_int(&j, "round", p->round);
	bus_json_text_member(&j, "cursor", p->cursor);
	put_bool(&j, "reset", p->reset);
	bus_json_text_member(&j, "state", states[p->state]);
	bus_json_text_member(&j, "reason", reasons[p->reason]);
	put_int(&j, "failures", p->failures);
	put_int(&j, "failing_since", p->failing_since);
	put_int(&j, "next", p->next);
	put_int(&j, "last_at", p->last_at);
	put_int(&j, "last_status", p->last_status);
	bus_json_text_member(&j, "last_why", p->last_why);
	put_int(&j, "allowed_rate", p->allowed_rate);
	put_int(&j, "delivered", p->delivered);
	bus_json_object_end(&j);
}

/* --- reading our own --------------------------------------------------------------------------------- */

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
	out->state = (enum gw_hook_state)take_word(&f, "state", states, BUS_LEN(states));
	out->reason = (enum gw_hook_reason)take_word(&f, "reason", reasons, BUS_LEN(reasons));
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
