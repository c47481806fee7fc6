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
const char *const gw_hook_states[3] = { "validating", "active", "suspended" };
const char *const gw_hook_reasons[7] = { "",	       "asked",	     "failing", "gone", "not-granted",
					 "parameters", "key-revoked" };

/* --- writing ----------------------------------------------------------------------------------------- */

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
	bus_json_int_member(j, "rate", s->rate);
	bus_json_int_member(j, "max_batch", s->max_batch);
}

void gw_hook_pos_show(const struct gw_hook_pos *p, struct bus_json_out *j)
{
	bus_json_text_member(j, "state", gw_hook_states[p->state]);
	bus_json_text_member(j, "reason", gw_hook_reasons[p->reason][0] ? gw_hook_reasons[p->reason] : NULL);
	bus_json_text_member(j, "cursor", p->cursor[0] ? p->cursor : NULL);
	bus_json_int_member(j, "delivered", p->delivered);
	bus_json_int_member(j, "failures", p->failures);
	put_time(j, "failing_since", p->failing_since);
	put_time(j, "next_try", p->failures > 0 && p->state != GW_HOOK_SUSPENDED ? p->next : 0);
	bus_json_key(j, "last");
	bus_json_object(j);
	put_time(j, "at", p->last_at);
	bus_json_int_member(j, "status", p->last_status);
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
	bus_json_text_member(&j, "key_id", s->key_id);
	bus_json_int_member(&j, "created", s->created);
	bus_json_bool_member(&j, "suspended", s->suspended);
	bus_json_int_member(&j, "version", s->version);
	bus_json_int_member(&j, "epoch", s->epoch);
	bus_json_int_member(&j, "round", s->round);
	bus_json_text_member(&j, "from", s->from);
	bus_json_bool_member(&j, "anew", s->anew);
	bus_json_key(&j, "secrets");
	bus_json_array(&j);
	for (size_t i = 0; i < s->n_secrets; i++) {
		bus_hex(s->secret[i].key, BUS_KEY_LEN, hex);
		bus_json_object(&j);
		bus_json_text_member(&j, "key", hex);
		bus_json_int_member(&j, "until", s->secret[i].until);
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
	bus_json_int_member(&j, "epoch", p->epoch);
	bus_json_int_member(&j, "round", p->round);
	bus_json_text_member(&j, "cursor", p->cursor);
	bus_json_bool_member(&j, "reset", p->reset);
	bus_json_text_member(&j, "state", gw_hook_states[p->state]);
	bus_json_text_member(&j, "reason", gw_hook_reasons[p->reason]);
	bus_json_int_member(&j, "failures", p->failures);
	bus_json_int_member(&j, "failing_since", p->failing_since);
	bus_json_int_member(&j, "next", p->next);
	bus_json_int_member(&j, "last_at", p->last_at);
	bus_json_int_member(&j, "last_status", p->last_status);
	bus_json_text_member(&j, "last_why", p->last_why);
	bus_json_int_member(&j, "allowed_rate", p->allowed_rate);
	bus_json_int_member(&j, "delivered", p->delivered);
	bus_json_object_end(&j);
}
