/* Consumers of REST Proxy's API as their topic says them (gateway/restproxy/state.h): the rules one by one; and by chance,
 * gateways that lag, lose and die share the partitions of a group so that none is ever held twice, none is passed over, and
 * a compacted log tells the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <regex.h>
#include <stdio.h>

#include "bus/mem.h"
#include "gateway/restproxy/state.h"

#define TOPIC "pku.uji.a.v1"

static struct gw_rp_instance *made(uint8_t id, const char *name)
{
	struct gw_rp_instance *i = gw_rp_instance_new();

	i->id[0] = id;
	i->seq = 1;
	i->write = id;
	i->reader = bus_xstrdup("uji");
	i->group = bus_xstrdup("g");
	i->name = bus_xstrdup(name);
	return i;
}

static enum gw_rp_said say(struct gw_rp_state *s, const struct gw_rp_instance *i)
{
	struct bus_buf key = { 0 }, value = { 0 };
	struct gw_rp_event e;

	gw_rp_put_key('i', i->id, &key);
	gw_rp_put_instance(i, &value);
	gw_rp_state_read(s, bus_buf_str(&key), bus_buf_str(&value), 1000, 1000, &e);
	bus_buf_release(&key);
	bus_buf_release(&value);
	assert_true(e.said != GW_RP_SAID_TAKEN || e.write == i->write);
	return e.said;
}

static void forget(struct gw_rp_state *s, uint8_t id)
{
	uint8_t bytes[GW_RP_ID_LEN] = { id };
	struct bus_buf key = { 0 };
	struct gw_rp_event e;

	gw_rp_put_key('i', bytes, &key);
	gw_rp_state_read(s, bus_buf_str(&key), (struct bus_str){ 0 }, 1000, 1000, &e);
	bus_buf_release(&key);
}

static void subscribe(struct gw_rp_instance *i)
{
	const char *const topic[] = { TOPIC };

	gw_rp_set_names(i, GW_RP_TOPICS, topic, 1);
	i->joined = true;
}

static void what_is_written_is_read(void **unused)
{
	struct gw_rp_instance *i = made(7, "satu"), *back = NULL;
	struct gw_rp_place *place;
	struct bus_buf b = { 0 };

	(void)unused;
	subscribe(i);
	i->answer = i->auto_commit = i->earliest = true;
	i->format = 3;
	i->fetch_min = 100000;
	i->timeout_ms = 11000;
	i->node = UINT64_MAX;
	for (int p = 5; p >= 0; p--) {
		place = gw_rp_hold(i, TOPIC, p);
		place->next = INT64_C(1) << (10 * p);
		place->back = p;
	}
	gw_rp_hold(i, "pku.uji.b.v1", 3)->next = INT64_MAX;
	assert_int_equal(gw_rp_count_held(i), 7);
	gw_rp_put_instance(i, &b);
	assert_int_equal(gw_rp_read_instance(bus_buf_str(&b), &back, NULL), BUS_OK);
	assert_string_equal(back->reader, "uji");
	assert_string_equal(back->group, "g");
	assert_string_equal(back->name, "satu");
	assert_true(back->joined && back->answer && back->auto_commit && back->earliest && !back->gone);
	assert_int_equal(back->seq, 1);
	assert_true(back->node == UINT64_MAX && back->timeout_ms == 11000 && back->fetch_min == 100000);
	assert_int_equal(gw_rp_count_held(back), 7);
	for (int p = 0; p < 6; p++) {
		assert_true(gw_rp_held(back, TOPIC, p)->next == INT64_C(1) << (10 * p));
		assert_true(gw_rp_held(back, TOPIC, p)->back == p);
	}
	assert_null(gw_rp_held(back, TOPIC, 6));
	gw_rp_instance_unref(&back);
	for (size_t n = 0; n < b.n; n++) /* cut anywhere it is none */
		assert_int_equal(gw_rp_read_instance((struct bus_str){ b.p, n }, &back, NULL), BUS_EDATA);
	gw_rp_instance_unref(&i);
	bus_buf_release(&b);
}

static void the_first_of_two_changes_counts(void **unused)
{
	struct gw_rp_state *s = gw_rp_state_new();
	struct gw_rp_instance *i = made(1, "satu"), *a, *b, *c;

	(void)unused;
	assert_int_equal(say(s, i), GW_RP_SAID_TAKEN);
	assert_int_equal(say(s, i), GW_RP_SAID_VOID);
	a = gw_rp_instance_next(i);
	b = gw_rp_instance_next(i);
	assert_true(a->write != b->write);
	assert_int_equal(say(s, a), GW_RP_SAID_TAKEN);
	assert_int_equal(say(s, b), GW_RP_SAID_VOID);
	c = gw_rp_instance_next(a);
	c->gone = true;
	assert_int_equal(say(s, c), GW_RP_SAID_TAKEN);
	gw_rp_instance_unref(&b);
	b = gw_rp_instance_next(c);
	b->gone = false;
	assert_int_equal(say(s, b), GW_RP_SAID_VOID); /* what is over stays so */
	gw_rp_instance_unref(&a);
	gw_rp_instance_unref(&b);
	gw_rp_instance_unref(&c);
	gw_rp_instance_unref(&i);
	gw_rp_state_free(&s);
}

static void a_group_is_one_readers(void **unused)
{
	struct gw_rp_state *s = gw_rp_state_new();
	struct gw_rp_instance *one = made(1, "satu"), *two = made(2, "dua"), *over;

	(void)unused;
	free(two->reader);
	two->reader = bus_xstrdup("lain");
	assert_int_equal(say(s, one), GW_RP_SAID_TAKEN);
	assert_int_equal(say(s, two), GW_RP_SAID_VOID);
	over = gw_rp_instance_next(one);
	over->gone = true;
	assert_int_equal(say(s, over), GW_RP_SAID_TAKEN);
	assert_int_equal(say(s, two), GW_RP_SAID_TAKEN);
	assert_string_equal(gw_rp_state_owner(s, "g"), "lain");
	gw_rp_instance_unref(&one);
	gw_rp_instance_unref(&two);
	gw_rp_instance_unref(&over);
	gw_rp_state_free(&s);
}

static void a_name_is_one_instances_in_its_group(void **unused)
{
	struct gw_rp_state *s = gw_rp_state_new();
	struct gw_rp_instance *one = made(1, "satu"), *two = made(2, "satu"), *over;
	struct gw_rp_found f;

	(void)unused;
	assert_int_equal(say(s, one), GW_RP_SAID_TAKEN);
	assert_int_equal(say(s, two), GW_RP_SAID_VOID);
	free(two->group);
	two->group = bus_xstrdup("h");
	assert_int_equal(say(s, two), GW_RP_SAID_TAKEN);
	over = gw_rp_instance_next(one);
	over->gone = true;
	assert_int_equal(say(s, over), GW_RP_SAID_TAKEN);
	assert_false(gw_rp_state_find(s, "g", "satu", &f));
	assert_null(gw_rp_state_owner(s, "g"));
	gw_rp_instance_unref(&one);
	one = made(3, "satu");
	assert_int_equal(say(s, one), GW_RP_SAID_TAKEN);
	forget(s, 1); /* the old one's end does nothing to the new one */
	assert_true(gw_rp_state_find(s, "g", "satu", &f));
	assert_int_equal(f.i->id[0], 3);
	assert_int_equal(gw_rp_state_count(s, "uji"), 2);
	gw_rp_instance_unref(&over);
	over = gw_rp_instance_next(f.i);
	over->gone = true;
	assert_int_equal(say(s, over), GW_RP_SAID_TAKEN);
	assert_int_equal(gw_rp_state_count(s, NULL),
			 1); /* what is over is its reader's to bear until it is forgotten */
	assert_int_equal(gw_rp_state_count(s, "uji"), 2);
	gw_rp_instance_unref(&f.i);
	gw_rp_instance_unref(&one);
	gw_rp_instance_unref(&two);
	gw_rp_instance_unref(&over);
	gw_rp_state_free(&s);
}

static void what_another_one_holds_cannot_be_taken(void **unused)
{
	struct gw_rp_state *s = gw_rp_state_new();
	struct gw_rp_instance *one = made(1, "satu"), *two = made(2, "dua"), *next;

	(void)unused;
	subscribe(one);
	subscribe(two);
	gw_rp_hold(one, TOPIC, 0);
	assert_int_equal(say(s, one), GW_RP_SAID_TAKEN);
	gw_rp_hold(two, TOPIC, 0);
	assert_int_equal(say(s, two), GW_RP_SAID_VOID);
	gw_rp_hold_nothing(two);
	gw_rp_hold(two, TOPIC, 1);
	assert_int_equal(say(s, two), GW_RP_SAID_TAKEN);
	next = gw_rp_instance_next(one);
	gw_rp_hold_nothing(next);
	assert_int_equal(say(s, next), GW_RP_SAID_TAKEN); /* let go */
	gw_rp_instance_unref(&next);
	next = gw_rp_instance_next(two);
	gw_rp_hold(next, TOPIC, 0);
	assert_int_equal(say(s, next), GW_RP_SAID_TAKEN);
	assert_ptr_equal(gw_rp_state_holder(s, "g", TOPIC, 0), gw_rp_state_holder(s, "g", TOPIC, 1));
	gw_rp_instance_unref(&one);
	one = made(3, "tiga"); /* assigned by itself: shared with nobody, in nobody's way */
	gw_rp_set_names(one, GW_RP_ASSIGNED, NULL, 0);
	gw_rp_hold(one, TOPIC, 0);
	assert_int_equal(say(s, one), GW_RP_SAID_TAKEN);
	assert_int_equal(gw_rp_state_holder(s, "g", TOPIC, 0)->id[0], 2);
	gw_rp_instance_unref(&one);
	gw_rp_instance_unref(&two);
	gw_rp_instance_unref(&next);
	gw_rp_state_free(&s);
}

static void confirm(struct gw_rp_state *s, const struct gw_rp_instance *i, uint64_t seq, bool given)
{
	struct bus_buf key = { 0 }, value = { 0 };
	struct gw_rp_event e;

	gw_rp_put_key('c', i->id, &key);
	gw_rp_put_confirm(seq, given, &value);
	gw_rp_state_read(s, bus_buf_str(&key), bus_buf_str(&value), 1000, 1000, &e);
	assert_int_equal(e.said, GW_RP_SAID_CONFIRM);
	bus_buf_release(&key);
	bus_buf_release(&value);
}

static void an_answer_is_confirmed_by_its_number(void **unused)
{
	struct gw_rp_state *s = gw_rp_state_new();
	struct gw_rp_instance *i = made(1, "satu"), *next;
	struct gw_rp_found f;

	(void)unused;
	i->answer = true;
	assert_int_equal(say(s, i), GW_RP_SAID_TAKEN);
	confirm(s, i, 2, true); /* of one that is not there yet: no word about it */
	assert_true(gw_rp_state_find(s, "g", "satu", &f) && !f.confirmed);
	gw_rp_instance_unref(&f.i);
	confirm(s, i, 1, false);
	confirm(s, i, 1, true); /* the first word counts */
	assert_true(gw_rp_state_find(s, "g", "satu", &f) && f.confirmed && !f.given);
	gw_rp_instance_unref(&f.i);
	next = gw_rp_instance_next(i);
	next->answer = true;
	assert_int_equal(say(s, next), GW_RP_SAID_TAKEN);
	assert_true(gw_rp_state_find(s, "g", "satu", &f) && !f.confirmed);
	gw_rp_instance_unref(&f.i);
	confirm(s, i, 2, true);
	assert_true(gw_rp_state_find(s, "g", "satu", &f) && f.confirmed && f.given);
	gw_rp_instance_unref(&f.i);
	gw_rp_instance_unref(&i);
	gw_rp_instance_unref(&next);
	gw_rp_state_free(&s);
}

static void every_partition_goes_to_one_and_evenly(void **unused)
{
	static const char *const topic[] = { "a", "b", "pku.dinsos.bansos.v1", "pku.disdik.siswa.v1" };
	size_t got[7];

	(void)unused;
	for (size_t n = 1; n <= 7; n++)
		for (size_t t = 0; t < BUS_LEN(topic); t++) {
			memset(got, 0, sizeof(got));
			for (int32_t p = 0; p < 20; p++) {
				assert_true(gw_rp_share(topic[t], p, n) < n);
				got[gw_rp_share(topic[t], p, n)]++;
			}
			for (size_t m = 0; m < n; m++)
				assert_in_range(got[m], 20 / n, 20 / n + 1);
		}
	memset(got, 0, sizeof(got)); /* topics of one partition do not all go to the same */
	for (size_t t = 0; t < BUS_LEN(topic); t++)
		got[gw_rp_share(topic[t], 0, 2)]++;
	assert_true(got[0] > 0 && got[1] > 0);
}

static bool wants(const char *text, const char *topic)
{
	struct gw_rp_instance *i = made(1, "satu");
	struct gw_rp_pattern *p;
	bool yes;

	gw_rp_set_names(i, GW_RP_PATTERN, &text, 1);
	p = gw_rp_instance_pattern(i);
	assert_non_null(p);
	yes = gw_rp_wants(i, p, topic);
	gw_rp_pattern_free(&p);
	gw_rp_instance_unref(&i);
	return yes;
}

static void patterns_are_whole_names_and_bounded(void **unused)
{
	static const char *const bad[] = { "(a", "a{1,255}", "\\1", "(a)\\1", "\\d+",
					   "[",	 "a\\",	     "*a",  "a**",    "(?:a)",
					   "a)", "[b-a]",    "a^b", "a$b",    "[[:alpha:]]" };
	const char *why;
	char *deep = bus_xcalloc(1, GW_RP_PATTERN_MAX + 2);

	(void)unused;
	for (size_t k = 0; k < BUS_LEN(bad); k++) {
		assert_null(gw_rp_pattern_new(bad[k], &why));
		assert_non_null(why);
	}
	memset(deep, '(', GW_RP_PATTERN_MAX + 1);
	assert_null(gw_rp_pattern_new(deep, &why));
	for (int k = 0; k < 60; k++) { /* ((((a)+)+)+: regcomp takes gigabytes */
		deep[k] = '(';
		memcpy(deep + 61 + 2 * k, ")+", 3);
	}
	deep[60] = 'a';
	assert_true(
	    wants(deep, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	assert_false(wants(deep, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
	free(deep);
	assert_true(wants("pku\\.(dinsos|disdik)\\..*", "pku.dinsos.bansos.v1"));
	assert_false(wants("pku\\.(dinsos|disdik)\\..*", "pkuxdinsos.bansos.v1"));
	assert_false(wants("pku\\.(dinsos|disdik)\\..*", "x.pku.dinsos.bansos.v1"));
	assert_false(wants("pku\\.(dinsos|disdik)\\..*", "pku.dinkes.bayi.v1"));
	assert_true(wants("^a|b$", "b") && wants("^pku.*$", "pku.a"));
}

/* Against the C library's, on patterns and names by chance. */
static void patterns_match_as_posix_has_them(void **unused)
{
	static const char *const piece[] = { "a",     "b",     ".",	"[ab]",	  "[^a]",
					     "(a|b)", "(ab|)", "(a*b)", "(b+|a)", "\\." };
	static const char *const times[] = { "", "", "*", "+", "?" };
	uint32_t x = 11, matched = 0;
	char text[128], whole[140], name[8];
	regex_t re;

	(void)unused;
	for (int n = 0; n < 3000; n++) {
		text[0] = name[0] = '\0';
		for (uint32_t k = 0; k < 1 + n % 5U; k++) {
			x = x * 1664525U + 1013904223U;
			strcat(text, piece[(x >> 8) % BUS_LEN(piece)]);
			strcat(text, times[(x >> 16) % BUS_LEN(times)]);
			if ((x >> 24) % 6 == 0 && k + 1 < 1 + n % 5U)
				strcat(text, "|");
		}
		snprintf(whole, sizeof(whole), "^(%s)$", text);
		assert_int_equal(regcomp(&re, whole, REG_EXTENDED | REG_NOSUB), 0);
		for (int m = 0; m < 12; m++) {
			x = x * 1664525U + 1013904223U;
			for (uint32_t k = 0; k <= m / 2U; k++)
				name[k] = k == m / 2U ? '\0' : "ab."[(x >> (8 + 2 * k)) % 3];
			const bool yes = regexec(&re, name, 0, NULL, 0) == 0;

			matched += yes;
			if (wants(text, name) != yes)
				fail_msg("%s: %s", text, name);
		}
		regfree(&re);
	}
	assert_in_range(matched, 3000, 33000);
}

/* --- by chance ----------------------------------------------------------------------------------------------- */

#define NODES 3
#define MEMBERS 5
#define PARTITIONS 6
#define RECORDS_MAX 4000

static uint32_t chance_state;

static uint32_t chance(uint32_t n)
{
	chance_state = chance_state * 1664525U + 1013904223U;
	return (chance_state >> 8) % n;
}

static struct entry {
	uint8_t id;
	struct bus_buf value; /* p NULL: a tombstone */
	bool taken;
} log_of[RECORDS_MAX];
static size_t n_log;

static void append(const struct gw_rp_instance *i)
{
	struct entry *e = &log_of[n_log++];

	*e = (struct entry){ .id = i->id[0] };
	gw_rp_put_instance(i, &e->value);
}

static void fold(struct gw_rp_state *s, struct entry *e)
{
	uint8_t id[GW_RP_ID_LEN] = { e->id };
	struct bus_buf key = { 0 };
	struct gw_rp_event said;

	gw_rp_put_key('i', id, &key);
	gw_rp_state_read(s, bus_buf_str(&key), bus_buf_str(&e->value), 1, 1, &said);
	e->taken = said.said == GW_RP_SAID_TAKEN;
	bus_buf_release(&key);
}

struct tally {
	int held[PARTITIONS], members;
	int64_t next[PARTITIONS];
};

static void count(void *ctx, struct gw_rp_instance *i)
{
	struct tally *t = ctx;

	t->members++;
	for (int p = 0; p < PARTITIONS; p++)
		if (gw_rp_held(i, TOPIC, p)) {
			t->held[p]++;
			t->next[p] = gw_rp_held(i, TOPIC, p)->next;
		}
}

static int64_t done[PARTITIONS]; /* "committed": the place of whoever let it go */

/* A member's request at a node that has read up to somewhere: lets go, takes, reads on. */
static void act(struct gw_rp_state *s, uint8_t id, bool leave)
{
	struct gw_rp_instance *now, *next;
	struct gw_rp_found f;
	char name[8];

	snprintf(name, sizeof(name), "m%d", id);
	if (!gw_rp_state_find(s, "g", name, &f)) {
		now = made((uint8_t)(id + 10 * chance(20)), name);
		subscribe(now);
		append(now);
		gw_rp_instance_unref(&now);
		return;
	}
	next = gw_rp_instance_next(f.i);
	for (int p = 0; p < PARTITIONS && !leave; p++) {
		const struct gw_rp_instance *holder = gw_rp_state_holder(s, "g", TOPIC, p);

		if (!holder && chance(2))
			gw_rp_hold(next, TOPIC, p)->next = done[p];
		else if (holder && memcmp(holder->id, f.i->id, GW_RP_ID_LEN) == 0)
			gw_rp_hold(next, TOPIC, p)->next++;
	}
	if (leave || chance(8) == 0)
		gw_rp_hold_nothing(next);
	next->gone = leave;
	append(next);
	gw_rp_instance_unref(&next);
	gw_rp_instance_unref(&f.i);
}

static void check_one_holder(const struct gw_rp_state *s)
{
	struct tally t = { 0 };

	gw_rp_state_each_in(s, "g", count, &t);
	for (int p = 0; p < PARTITIONS; p++) {
		assert_in_range(t.held[p], 0, 1);
		if (t.held[p])
			done[p] = t.next[p];
	}
}

static void same(const struct gw_rp_state *a, const struct gw_rp_state *b)
{
	struct tally x = { 0 }, y = { 0 };

	gw_rp_state_each_in(a, "g", count, &x);
	gw_rp_state_each_in(b, "g", count, &y);
	assert_memory_equal(&x, &y, sizeof(x));
}

/* The last record of each key of the first n, as they stand; then the rest. Void ones among the last are what must not be
 * compacted: a log is compacted up to where every key's last record was taken. */
static bool compactable(size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool last = true;

		for (size_t k = i + 1; k < n && last; k++)
			last = log_of[k].id != log_of[i].id;
		if (last && !log_of[i].taken)
			return false;
	}
	return true;
}

static void run(uint32_t seed)
{
	struct gw_rp_state *node[NODES], *fresh, *all = gw_rp_state_new();
	size_t read[NODES] = { 0 }, compacted = 0, folded = 0;

	chance_state = seed;
	n_log = 0;
	memset(done, 0, sizeof(done));
	for (int n = 0; n < NODES; n++)
		node[n] = gw_rp_state_new();
	while (n_log < 300) {
		uint32_t n = chance(NODES);

		for (size_t upto = read[n] + chance(4); read[n] < n_log && read[n] < upto; read[n]++)
			fold(node[n], &log_of[read[n]]);
		act(node[n], (uint8_t)(1 + chance(MEMBERS)), chance(12) == 0);
		for (; folded < n_log; folded++) {
			fold(all, &log_of[folded]);
			check_one_holder(all);
		}
	}
	for (int n = 0; n < NODES; n++) {
		for (; read[n] < n_log; read[n]++)
			fold(node[n], &log_of[read[n]]);
		same(node[n], all);
		gw_rp_state_free(&node[n]);
	}
	for (size_t n = n_log; n > 0 && !compacted; n--)
		compacted = compactable(n) ? n : 0;
	fresh = gw_rp_state_new();
	for (size_t i = 0; i < n_log; i++) {
		struct entry e = log_of[i];
		bool kept = i >= compacted;

		if (!kept) {
			kept = true;
			for (size_t k = i + 1; k < compacted; k++)
				kept &= log_of[k].id != log_of[i].id;
		}
		if (kept)
			fold(fresh, &e);
	}
	same(fresh, all);
	gw_rp_state_free(&fresh);
	gw_rp_state_free(&all);
	for (size_t i = 0; i < n_log; i++)
		bus_buf_release(&log_of[i].value);
}

static void gateways_that_lag_never_hold_a_partition_twice(void **unused)
{
	const char *runs = getenv("CONSUMERS_RUNS");

	(void)unused;
	for (uint32_t seed = 1; seed <= (runs ? strtoul(runs, NULL, 10) : 150); seed++)
		run(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(the_first_of_two_changes_counts),
		cmocka_unit_test(a_group_is_one_readers),
		cmocka_unit_test(a_name_is_one_instances_in_its_group),
		cmocka_unit_test(what_another_one_holds_cannot_be_taken),
		cmocka_unit_test(an_answer_is_confirmed_by_its_number),
		cmocka_unit_test(every_partition_goes_to_one_and_evenly),
		cmocka_unit_test(patterns_are_whole_names_and_bounded),
		cmocka_unit_test(patterns_match_as_posix_has_them),
		cmocka_unit_test(gateways_that_lag_never_hold_a_partition_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
