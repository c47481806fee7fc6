/* Whose an idempotency key is (gateway/publish/claims.h): gateways that read the same log agree; and by chance, with
 * gateways that die, lag, are fenced and come back, no key is committed twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#include "bus/arena.h"
#include "gateway/publish/claims.h"
#include "gateway/publish/impl.h"

#define LEN GW_PUBLISH_KEY_LEN
#define CLAIM (1 + 3 * (size_t)LEN) /* bytes of a claim, of an answer's head */
#define KEEP 1000000

static int reader; /* of keys that are named now */

static void name(uint8_t out[LEN], int n)
{
	memset(out, 0, LEN);
	memcpy(out + GW_PUBLISH_READER_LEN - sizeof(reader), &reader, sizeof(reader));
	memcpy(out + GW_PUBLISH_READER_LEN, &n, sizeof(n));
	out[LEN - 1] = 1;
}

static struct gw_claim_event say(struct gw_claims *c, char what, int key, int print, int incarnation,
				 int64_t at)
{
	struct gw_publish_batch b = { 0 };
	struct gw_claim_event e;
	struct bus_buf out = { 0 };
	char id[32];

	name(b.key, key);
	name(b.print, print);
	name(b.incarnation, incarnation);
	snprintf(id, sizeof(id), GW_PUBLISH_ID_PREFIX "%d", incarnation % 10);
	if (what == 'C')
		gw_claims_put_claim(&out, &b);
	else if (what == 'F')
		gw_claims_put_back(&out, b.key, b.incarnation);
	else if (what == 'X')
		gw_claims_put_over(&out, b.incarnation);
	else
		gw_claims_put_open(&out, b.incarnation, id);
	gw_claims_read(c, bus_buf_str(&out), at, &e);
	bus_buf_release(&out);
	return e;
}

static enum gw_claim_state state(struct gw_claims *c, int key, int print, int64_t now, bool *same)
{
	uint8_t k[LEN], p[LEN];
	struct gw_claim at;

	name(k, key);
	name(p, print);
	gw_claims_look(c, k, p, now, &at);
	*same = at.same;
	return at.state;
}

static void the_first_claim_is_granted_and_no_other(void **unused)
{
	struct gw_claims *c = gw_claims_new(KEEP, 1 << 20);
	bool same;

	(void)unused;
	say(c, 'O', 0, 0, 1, 10);
	say(c, 'O', 0, 0, 2, 10);
	assert_true(say(c, 'C', 7, 70, 1, 20).granted);
	assert_false(say(c, 'C', 7, 70, 2, 21).granted);
	assert_false(say(c, 'C', 7, 70, 1, 22).granted);
	assert_int_equal(state(c, 7, 70, 30, &same), GW_KEY_HELD);
	assert_true(same);
	assert_int_equal(state(c, 7, 71, 30, &same), GW_KEY_HELD);
	assert_false(same);
	assert_int_equal(state(c, 8, 70, 30, &same), GW_KEY_FREE);
	gw_claims_free(&c);
}

static void a_key_is_free_again_when_given_back_over_or_old(void **unused)
{
	struct gw_claims *c = gw_claims_new(1000, 1 << 20);
	struct gw_claim_event e;
	bool same;

	(void)unused;
	say(c, 'C', 1, 1, 1, 10);
	say(c, 'F', 1, 1, 2, 11); /* not whose it is */
	assert_int_equal(state(c, 1, 1, 12, &same), GW_KEY_HELD);
	say(c, 'F', 1, 1, 1, 12);
	assert_int_equal(state(c, 1, 1, 12, &same), GW_KEY_FREE);
	e = say(c, 'C', 1, 1, 2, 13);
	assert_true(e.granted && !e.history); /* nothing was committed */
	say(c, 'X', 0, 0, 2, 14);
	assert_int_equal(state(c, 1, 1, 15, &same), GW_KEY_FREE);
	assert_false(say(c, 'C', 1, 1, 2, 16).granted); /* of one that is over */
	e = say(c, 'C', 1, 1, 3, 17);
	assert_true(e.granted && e.history);
	assert_int_equal(state(c, 1, 1, 1016, &same), GW_KEY_HELD);
	assert_int_equal(state(c, 1, 1, 1017, &same), GW_KEY_FREE);
	assert_true(say(c, 'C', 1, 1, 1, 1017).granted);
	gw_claims_free(&c);
}

static void an_answer_comes_back_as_it_was_given(void **unused)
{
	struct gw_claims *c = gw_claims_new(1000, 1 << 20);
	struct gw_publish_batch *b = gw_publish_batch_new(NULL, "t", "r"),
				*again = gw_publish_batch_new(NULL, "t", "r");
	struct bus_buf out = { 0 };
	struct gw_claim at;
	uint8_t key[LEN];

	(void)unused;
	name(b->key, 5);
	name(b->print, 6);
	name(b->incarnation, 1);
	b->keyed = true;
	b->schema_id = 12;
	for (int i = 0; i < 300; i++) {
		struct gw_publish_record *r = gw_publish_add(b);

		r->placed = i % 300;
		r->offset = i == 0 ? INT64_MAX / 2 : i * 1000;
		if (i == 9) {
			r->line = 3;
			gw_publish_refuse(b, r, "record-invalid", "/records/9/n", "not an int");
		}
	}
	gw_claims_put_answer(&out, b);
	say(c, 'C', 5, 6, 1, 10);
	assert_true(gw_claims_read_answer(c, bus_buf_str(&out), 500, key));
	assert_memory_equal(key, b->key, LEN);
	gw_claims_look(c, b->key, b->print, 600, &at);
	assert_int_equal(at.state, GW_KEY_DONE);
	assert_int_equal(at.at_ms, 10); /* the claim's: all gateways reckon with it */
	assert_true(gw_claims_get_answer(at.answer, again));
	assert_int_equal(again->n, 300);
	assert_int_equal(again->n_refused, 1);
	assert_int_equal(again->schema_id, 12);
	for (size_t i = 0; i < 300; i++) {
		if (i == 9)
			continue;
		assert_int_equal(again->record[i].placed, b->record[i].placed);
		assert_int_equal(again->record[i].offset, b->record[i].offset);
	}
	assert_string_equal(again->record[9].problem, "record-invalid");
	assert_string_equal(again->record[9].pointer, "/records/9/n");
	assert_string_equal(again->record[9].detail, "not an int");
	for (size_t n = 0; n < out.n - CLAIM; n++) { /* cut off anywhere: no answer, and nothing read beyond */
		struct gw_publish_batch *cut = gw_publish_batch_new(NULL, "t", "r");
		char *copy = bus_xmalloc(n + 1);

		memcpy(copy, out.p + CLAIM, n);
		assert_false(gw_claims_get_answer((struct bus_str){ copy, n }, cut));
		free(copy);
		gw_publish_batch_free(&cut);
		n += n > 100 ? 17 : 0;
	}
	bus_buf_release(&out);
	gw_publish_batch_free(&b);
	gw_publish_batch_free(&again);
	gw_claims_free(&c);
}

static const char *full(const struct gw_claims *c, int of)
{
	uint8_t key[LEN];
	int was = reader;

	reader = of;
	name(key, 12345);
	reader = was;
	return gw_claims_full(c, key);
}

static void what_is_old_is_forgotten_and_memory_is_told(void **unused)
{
	struct gw_claims *c = gw_claims_new(1000, 400 * 1000);

	(void)unused;
	say(c, 'O', 0, 0, 1, 0);
	for (int i = 0; i < 2000; i++)
		say(c, 'C', i, i, 1, i);
	assert_string_equal(full(c, 0), "idempotency-share");
	gw_claims_sweep(c, 2500); /* 1501 and later are not older than a thousand */
	assert_int_equal(gw_claims_count(c), 499);
	assert_null(full(c, 0));
	say(c, 'X', 0, 0, 1, 2500);
	assert_true(say(c, 'C', 1600, 1, 2, 2600).granted); /* younger now, and not where it stood */
	gw_claims_sweep(c, 3500);
	assert_int_equal(gw_claims_count(c), 1);
	gw_claims_free(&c);
}

static void a_reader_has_a_fourth_and_no_more(void **unused)
{
	struct gw_claims *c = gw_claims_new(1000, 400 * 1000);

	(void)unused;
	reader = 1;
	for (int i = 0; !full(c, 1); i++)
		say(c, 'C', i, i, 1, 1);
	assert_in_range(gw_claims_count(c), 500, 1100);
	assert_string_equal(full(c, 1), "idempotency-share");
	assert_null(full(c, 2)); /* who has none is not kept out */
	for (reader = 2; reader <= 4; reader++)
		for (int i = 0; !full(c, reader); i++)
			say(c, 'C', i, i, 1, 1);
	assert_string_equal(full(c, 5), "idempotency-full");
	gw_claims_sweep(c, 1001);
	assert_int_equal(gw_claims_count(c), 0);
	assert_null(full(c, 1));
	reader = 0;
	gw_claims_free(&c);
}

static void what_was_given_back_is_forgotten_unless_somebody_may_have_committed(void **unused)
{
	struct gw_claims *c = gw_claims_new(KEEP, 1 << 20);
	struct gw_claim_event e;

	(void)unused;
	say(c, 'C', 1, 1, 1, 10);
	say(c, 'F', 1, 1, 1, 11);
	assert_int_equal(gw_claims_count(c), 0);
	assert_false(say(c, 'C', 1, 1, 1, 12).history);
	say(c, 'X', 0, 0, 1, 13); /* it may have committed before it was fenced */
	assert_true(say(c, 'C', 1, 1, 2, 14).history);
	say(c, 'F', 1, 1, 2, 15);
	assert_int_equal(gw_claims_count(c), 1);
	e = say(c, 'C', 1, 1, 3, 16);
	assert_true(e.granted && e.history);
	gw_claims_free(&c);
}

static void incarnations_are_forgotten_but_those_that_hold_or_speak(void **unused)
{
	struct gw_claims *c = gw_claims_new(1000, 1 << 20);
	uint8_t id[LEN];

	(void)unused;
	for (int i = 1; i <= 50; i++) {
		say(c, 'O', 0, 0, i, i);
		if (i > 1)
			say(c, 'X', 0, 0, i - 1, i);
	}
	assert_int_equal(gw_claims_incarnations(c), 50);
	say(c, 'O', 0, 0, 50, 900);
	say(c, 'C', 7, 7, 50, 901);
	gw_claims_sweep(c, 1200);
	assert_int_equal(gw_claims_incarnations(c), 1);
	gw_claims_sweep(c, 1900); /* the key it holds is not old yet */
	name(id, 50);
	assert_true(gw_claims_opened(c, id));
	gw_claims_sweep(c, 1901);
	assert_int_equal(gw_claims_incarnations(c), 0);
	gw_claims_free(&c);
}

static void an_id_that_is_not_of_ours_is_not_taken(void **unused)
{
	static const char *const foreign[] = { "keuangan-1", "titian-publish-", "titian-publis", "" };
	struct gw_claims *c = gw_claims_new(1000, 1 << 20);
	uint8_t id[LEN];

	(void)unused;
	name(id, 1);
	for (size_t i = 0; i < BUS_LEN(foreign); i++) {
		struct gw_claim_event e;
		struct bus_buf out = { 0 };

		gw_claims_put_open(&out, id, foreign[i]);
		gw_claims_read(c, bus_buf_str(&out), 1, &e);
		bus_buf_release(&out);
		assert_int_equal(e.said, GW_CLAIM_BROKEN);
		assert_false(gw_claims_opened(c, id));
	}
	gw_claims_free(&c);
}

static struct gw_publish *publish_of(const struct gw_publish_conf *conf)
{
	struct gw_publish *p = bus_xcalloc(1, sizeof(*p));

	p->conf = *conf;
	return p;
}

static void keys_stand_hashed_with_the_citys_key(void **unused)
{
	static const uint8_t one[BUS_KEY_LEN] = { 1 }, two[BUS_KEY_LEN] = { 2 };
	struct gw_publish_conf conf[3];
	struct gw_publish_batch *b[3], *other;
	uint8_t plain[BUS_SHA256_LEN];

	(void)unused;
	memset(conf, 0, sizeof(conf));
	conf[1].city = one;
	conf[2].city = two;
	for (int i = 0; i < 3; i++) {
		struct gw_publish *p = publish_of(&conf[i]);

		b[i] = gw_publish_batch_new(p, "topik", "pembaca");
		gw_publish_set_key(b[i], "kunci-1", BUS_STR("isi"));
		other = gw_publish_batch_new(p, "topik", "pembaca");
		gw_publish_set_key(other, "kunci-2", BUS_STR("isi"));
		assert_memory_equal(other->key, b[i]->key, GW_PUBLISH_READER_LEN); /* his part */
		assert_memory_not_equal(other->key, b[i]->key, LEN);
		assert_memory_equal(other->print, b[i]->print, LEN);
		gw_publish_batch_free(&other);
		for (int k = 0; k < i; k++) {
			assert_memory_not_equal(b[k]->key, b[i]->key, GW_PUBLISH_READER_LEN);
			assert_memory_not_equal(b[k]->key + GW_PUBLISH_READER_LEN, b[i]->key + GW_PUBLISH_READER_LEN,
						LEN - GW_PUBLISH_READER_LEN);
			assert_memory_not_equal(b[k]->print, b[i]->print, LEN);
		}
		bus_sha256("pembaca\0kunci-1", 15, plain);
		assert_memory_not_equal(b[i]->key, plain, LEN);
		free(p);
	}
	for (int i = 0; i < 3; i++)
		gw_publish_batch_free(&b[i]);
}

static void what_is_no_record_of_ours_changes_nothing(void **unused)
{
	struct gw_claims *c = gw_claims_new(1000, 1 << 20);
	char bytes[400];

	(void)unused;
	memset(bytes, 'C', sizeof(bytes));
	for (size_t n = 0; n < sizeof(bytes); n++) {
		struct gw_claim_event e;
		uint8_t key[LEN];

		if (n == CLAIM) /* a claim, indeed */
			continue;
		gw_claims_read(c, (struct bus_str){ bytes, n }, 1, &e);
		assert_int_equal(e.said, GW_CLAIM_BROKEN);
		assert_false(gw_claims_read_answer(c, (struct bus_str){ bytes, n }, 1, key));
	}
	assert_int_equal(gw_claims_count(c), 0);
	gw_claims_free(&c);
}

/* --- by chance ------------------------------------------------------------------------------------------------- */

#define GATEWAYS 3
#define KEYS 6
#define LOG_MAX 4000
#define INCARNATIONS 400

struct line {
	char what;
	int key, incarnation;
};

struct gateway {
	struct gw_claims *claims;
	size_t read, answers_read; /* of the logs */
	int incarnation;	   /* -1: none */
	bool granted[KEYS], history[KEYS], asked[KEYS];
	int over; /* an incarnation that was fenced and is not yet said to be over; -1: none */
};

struct world {
	uint32_t seed;
	struct line log[LOG_MAX], answer[LOG_MAX];
	size_t n, n_answers;
	bool fenced[INCARNATIONS];
	int owner[INCARNATIONS], n_incarnations;
	int committed[KEYS];
	struct gateway g[GATEWAYS];
};

static uint32_t chance(struct world *w, uint32_t n)
{
	w->seed = w->seed * 1664525 + 1013904223;
	return (w->seed >> 8) % n;
}

static void append(struct world *w, char what, int key, int incarnation)
{
	assert_true(w->n < LOG_MAX);
	w->log[w->n++] = (struct line){ what, key, incarnation };
}

static void read_log(struct world *w, struct gateway *g, size_t most)
{
	for (; most > 0 && g->read < w->n; most--, g->read++) {
		const struct line *l = &w->log[g->read];
		struct gw_claim_event e = say(g->claims, l->what, l->key, l->key, l->incarnation, 1);

		if (e.said != GW_CLAIM_CLAIM || l->incarnation != g->incarnation)
			continue;
		g->asked[l->key] = false;
		if (e.granted) {
			g->granted[l->key] = true;
			g->history[l->key] = e.history;
		}
	}
}

static void read_answers(struct world *w, struct gateway *g)
{
	for (; g->answers_read < w->n_answers; g->answers_read++) {
		uint8_t key[LEN];

		name(key, w->answer[g->answers_read].key);
		gw_claims_done(g->claims, key, key, BUS_STR("x"), 1);
	}
}

static void ask(struct world *w, struct gateway *g, int key)
{
	bool same;

	if (g->incarnation < 0 || g->asked[key] || g->granted[key] ||
	    state(g->claims, key, key, 2, &same) != GW_KEY_FREE)
		return;
	g->asked[key] = true;
	append(w, 'C', key, g->incarnation);
}

/* One transaction, or its undoing. */
static void commit(struct world *w, struct gateway *g, int key)
{
	bool same;

	if (!g->granted[key])
		return;
	g->granted[key] = false;
	if (g->history[key]) {
		read_answers(w, g);
		if (state(g->claims, key, key, 2, &same) == GW_KEY_DONE)
			return;
	}
	if (w->fenced[g->incarnation]) /* Kafka's part of it */
		return;
	if (chance(w, 4) == 0) { /* undone */
		append(w, 'F', key, g->incarnation);
		return;
	}
	w->committed[key]++;
	w->answer[w->n_answers++] = (struct line){ 'R', key, g->incarnation };
}

static void fence(struct world *w, struct gateway *g, int incarnation)
{
	w->fenced[incarnation] = true;
	g->over = incarnation;
}

static void open_anew(struct world *w, struct gateway *g, bool died)
{
	int before = g->incarnation;

	if (w->n_incarnations == INCARNATIONS)
		return;
	if (died) {
		gw_claims_free(&g->claims);
		g->claims = gw_claims_new(KEEP, 1 << 20);
		g->read = g->answers_read = 0;
		read_log(w, g, LOG_MAX);
	}
	memset(g->granted, 0, sizeof(g->granted));
	memset(g->asked, 0, sizeof(g->asked));
	for (int i = 0; i < w->n_incarnations; i++) /* opening fences all of this id */
		w->fenced[i] |= w->owner[i] == (int)(g - w->g);
	read_answers(w, g);
	if (before >= 0)
		append(w, 'X', 0, before);
	g->incarnation = w->n_incarnations++;
	w->owner[g->incarnation] = (int)(g - w->g);
	append(w, 'O', 0, g->incarnation);
}

static void step(struct world *w)
{
	struct gateway *g = &w->g[chance(w, GATEWAYS)];
	uint8_t key[LEN], holder[LEN];
	struct gw_claim at;
	int k = (int)chance(w, KEYS), who;

	switch (chance(w, 12)) {
	case 0:
	case 1:
	case 2:
		ask(w, g, k);
		break;
	case 3:
	case 4:
		commit(w, g, k);
		break;
	case 5: /* whoever holds the key does not answer */
		name(key, k);
		gw_claims_look(g->claims, key, key, 2, &at);
		if (at.state == GW_KEY_HELD && g->over < 0) {
			memcpy(holder, at.holder, LEN);
			memcpy(&who, holder, sizeof(who));
			if (who != g->incarnation)
				fence(w, g, who);
		}
		break;
	case 6:
		if (g->over >= 0)
			append(w, 'X', 0, g->over);
		g->over = -1;
		break;
	case 7:
		read_answers(w, g);
		break;
	case 8:
		if (chance(w, 4) == 0)
			open_anew(w, g, chance(w, 2) == 0);
		else if (g->incarnation >= 0 && w->fenced[g->incarnation])
			open_anew(w, g, false);
		break;
	default:
		read_log(w, g, 1 + chance(w, 4));
	}
}

static void no_key_is_committed_twice(void **unused)
{
	struct world *w = bus_xcalloc(1, sizeof(*w));
	int done = 0;

	(void)unused;
	for (uint32_t seed = 1; seed <= 1000; seed++) {
		memset(w, 0, sizeof(*w));
		w->seed = seed * 7919;
		for (int i = 0; i < GATEWAYS; i++) {
			w->g[i] = (struct gateway){ .claims = gw_claims_new(KEEP, 1 << 20),
						    .incarnation = -1,
						    .over = -1 };
			open_anew(w, &w->g[i], false);
		}
		for (int i = 0; i < 400; i++)
			step(w);
		for (int k = 0; k < KEYS; k++) {
			if (w->committed[k] > 1)
				fail_msg("seed %u: key %d is there %d times", seed, k, w->committed[k]);
			done += w->committed[k];
		}
		for (int i = 0; i < GATEWAYS; i++)
			gw_claims_free(&w->g[i].claims);
	}
	assert_true(done > 3000); /* and they are committed, mostly */
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_claim_is_granted_and_no_other),
		cmocka_unit_test(a_key_is_free_again_when_given_back_over_or_old),
		cmocka_unit_test(an_answer_comes_back_as_it_was_given),
		cmocka_unit_test(what_is_old_is_forgotten_and_memory_is_told),
		cmocka_unit_test(a_reader_has_a_fourth_and_no_more),
		cmocka_unit_test(what_was_given_back_is_forgotten_unless_somebody_may_have_committed),
		cmocka_unit_test(incarnations_are_forgotten_but_those_that_hold_or_speak),
		cmocka_unit_test(an_id_that_is_not_of_ours_is_not_taken),
		cmocka_unit_test(keys_stand_hashed_with_the_citys_key),
		cmocka_unit_test(what_is_no_record_of_ours_changes_nothing),
		cmocka_unit_test(no_key_is_committed_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
