#include "gateway/publish/claims.h"

#include "bus/shares.h"

#define LEN GW_PUBLISH_KEY_LEN
#define BUCKETS_FIRST ((size_t)1024)
#define ENTRY_COST 32 /* of malloc, a bucket */

struct incarnation {
	struct incarnation *next; /* heard of before */
	uint8_t id[LEN];
	char *transactional;
	int64_t at_ms; /* heard of last */
	size_t holds;
	bool over;
};

struct entry {
	struct entry *same, *younger, *older; /* in a bucket; by age */
	uint8_t key[LEN], print[LEN];
	int64_t at_ms;
	struct incarnation *holder; /* of HELD */
	enum gw_claim_state state;
	bool history; /* when it was granted: somebody may have committed under it before */
	uint32_t n;   /* of the answer */
	char *answer;
};

struct gw_claims {
	int64_t keep_ms, memory, used;
	struct bus_shares *shares;
	struct entry **bucket;
	size_t mask, n;
	struct entry *oldest, *youngest;
	struct incarnation *of;
	size_t n_of;
};

struct gw_claims *gw_claims_new(int64_t keep_ms, int64_t memory)
{
	struct gw_claims *c = bus_xcalloc(1, sizeof(*c));

	c->keep_ms = keep_ms;
	c->memory = memory;
	c->shares = bus_shares_new();
	c->bucket = bus_xcalloc(BUCKETS_FIRST, sizeof(*c->bucket));
	c->mask = BUCKETS_FIRST - 1;
	return c;
}

static void free_incarnation(struct incarnation *of)
{
	free(of->transactional);
	free(of);
}

void gw_claims_free(struct gw_claims **cp)
{
	struct gw_claims *c = *cp;
	struct incarnation *of;
	struct entry *e;

	*cp = NULL;
	if (!c)
		return;
	while ((e = c->oldest)) {
		c->oldest = e->younger;
		free(e->answer);
		free(e);
	}
	while ((of = c->of)) {
		c->of = of->next;
		free_incarnation(of);
	}
	bus_shares_free(&c->shares);
	free(c->bucket);
	free(c);
}

/* --- entries ------------------------------------------------------------------------------------------------- */

static struct bus_str reader_of(const uint8_t *key)
{
	return (struct bus_str){ (const char *)key, GW_PUBLISH_READER_LEN };
}

/* Keys are hashes already; a reader's all begin alike. */
static size_t bucket_of(const struct gw_claims *c, const uint8_t *key)
{
	uint64_t h;

	memcpy(&h, key + GW_PUBLISH_READER_LEN, sizeof(h));
	return (size_t)h & c->mask;
}

static struct entry *find(const struct gw_claims *c, const uint8_t *key)
{
	struct entry *e = c->bucket[bucket_of(c, key)];

	while (e && memcmp(e->key, key, LEN) != 0)
		e = e->same;
	return e;
}

static void grow(struct gw_claims *c)
{
	size_t n = 2 * (c->mask + 1);

	free(c->bucket);
	c->bucket = bus_xcalloc(n, sizeof(*c->bucket));
	c->mask = n - 1;
	for (struct entry *e = c->oldest; e; e = e->younger) {
		struct entry **to = &c->bucket[bucket_of(c, e->key)];

		e->same = *to;
		*to = e;
	}
}

static void count(struct gw_claims *c, const struct entry *e, int64_t bytes)
{
	c->used += bytes;
	(void)bus_shares_add(c->shares, reader_of(e->key), bytes);
}

static void put_youngest(struct gw_claims *c, struct entry *e)
{
	e->younger = NULL;
	e->older = c->youngest;
	*(c->youngest ? &c->youngest->younger : &c->oldest) = e;
	c->youngest = e;
}

static void take_out(struct gw_claims *c, struct entry *e)
{
	*(e->older ? &e->older->younger : &c->oldest) = e->younger;
	*(e->younger ? &e->younger->older : &c->youngest) = e->older;
}

static struct entry *entry(struct gw_claims *c, const uint8_t *key)
{
	struct entry *e = find(c, key), **to;

	if (e)
		return e;
	if (c->n > c->mask)
		grow(c);
	e = bus_xcalloc(1, sizeof(*e));
	memcpy(e->key, key, LEN);
	to = &c->bucket[bucket_of(c, key)];
	e->same = *to;
	*to = e;
	put_youngest(c, e);
	c->n++;
	count(c, e, (int64_t)sizeof(*e) + ENTRY_COST);
	return e;
}

static void set_answer(struct gw_claims *c, struct entry *e, struct bus_str answer)
{
	count(c, e, (int64_t)answer.n - (int64_t)e->n);
	free(e->answer);
	e->answer = answer.n > 0 ? bus_xstrndup(answer.p, answer.n) : NULL;
	e->n = (uint32_t)answer.n;
}

static void set_holder(struct entry *e, struct incarnation *holder)
{
	if (holder)
		holder->holds++;
	if (e->holder)
		e->holder->holds--;
	e->holder = holder;
}

static void drop(struct gw_claims *c, struct entry *e)
{
	struct entry **at = &c->bucket[bucket_of(c, e->key)];

	while (*at != e)
		at = &(*at)->same;
	*at = e->same;
	take_out(c, e);
	set_answer(c, e, (struct bus_str){ 0 });
	set_holder(e, NULL);
	count(c, e, -((int64_t)sizeof(*e) + ENTRY_COST));
	c->n--;
	free(e);
}

static void forget_incarnations(struct gw_claims *c, int64_t now_ms)
{
	struct incarnation **at = &c->of, *of;

	while ((of = *at)) {
		if (of->holds > 0 || of->at_ms + c->keep_ms > now_ms) {
			at = &of->next;
			continue;
		}
		*at = of->next;
		c->n_of--;
		free_incarnation(of);
	}
}

void gw_claims_sweep(struct gw_claims *c, int64_t now_ms)
{
	for (size_t n = c->n; n > 0 && c->oldest; n--) {
		struct entry *e = c->oldest;

		if (e->at_ms + c->keep_ms > now_ms) {
			/* Granted anew since it was put there: to where it belongs. */
			if (!e->younger || e->at_ms <= e->younger->at_ms)
				break;
			take_out(c, e);
			put_youngest(c, e);
			continue;
		}
		drop(c, e);
	}
	forget_incarnations(c, now_ms);
}

/* --- incarnations -------------------------------------------------------------------------------------------- */

static struct incarnation *known(const struct gw_claims *c, const uint8_t *id)
{
	struct incarnation *of = c->of;

	while (of && memcmp(of->id, id, LEN) != 0)
		of = of->next;
	return of;
}

static struct incarnation *incarnation(struct gw_claims *c, const uint8_t *id, int64_t at_ms)
{
	struct incarnation *of = known(c, id);

	if (!of) {
		of = bus_xcalloc(1, sizeof(*of));
		memcpy(of->id, id, LEN);
		of->next = c->of;
		c->of = of;
		c->n_of++;
	}
	of->at_ms = at_ms;
	return of;
}

void gw_claims_each_open(const struct gw_claims *c, const char *id, gw_claims_fn fn, void *ctx)
{
	for (const struct incarnation *of = c->of; of; of = of->next)
		if (!of->over && of->transactional && strcmp(of->transactional, id) == 0)
			fn(ctx, of->id);
}

bool gw_claims_opened(const struct gw_claims *c, const uint8_t id[LEN])
{
	const struct incarnation *of = known(c, id);

	return of && !of->over && of->transactional;
}

size_t gw_claims_incarnations(const struct gw_claims *c)
{
	return c->n_of;
}

/* --- the log ------------------------------------------------------------------------------------------------- */

static bool free_for(const struct gw_claims *c, const struct entry *e, int64_t at_ms)
{
	return !e || e->state == GW_KEY_FREE || e->at_ms + c->keep_ms <= at_ms ||
	       (e->state == GW_KEY_HELD && e->holder->over);
}

static void claim(struct gw_claims *c, const uint8_t *p, int64_t at_ms, struct gw_claim_event *out)
{
	struct entry *e = find(c, p);
	struct incarnation *holder;

	memcpy(out->key, p, LEN);
	memcpy(out->incarnation, p + 2 * LEN, LEN);
	out->said = GW_CLAIM_CLAIM;
	holder = incarnation(c, out->incarnation, at_ms);
	if (holder->over || !free_for(c, e, at_ms))
		return;
	out->granted = true;
	out->history = e != NULL;
	e = entry(c, p);
	set_answer(c, e, (struct bus_str){ 0 });
	memcpy(e->print, p + LEN, LEN);
	e->at_ms = at_ms;
	e->history = out->history;
	set_holder(e, holder);
	e->state = GW_KEY_HELD;
}

/* Whoever may have committed under it before is not forgotten with it. */
static void give_back(struct gw_claims *c, const uint8_t *p)
{
	struct entry *e = find(c, p);

	if (!e || e->state != GW_KEY_HELD || memcmp(e->holder->id, p + LEN, LEN) != 0)
		return;
	set_holder(e, NULL);
	e->state = GW_KEY_FREE;
	if (!e->history)
		drop(c, e);
}

static void open_incarnation(struct gw_claims *c, const uint8_t *p, struct bus_str id, int64_t at_ms)
{
	struct incarnation *of = incarnation(c, p, at_ms);

	free(of->transactional);
	of->transactional = bus_xstrndup(id.p, id.n);
}

static bool is_ours(struct bus_str id)
{
	const size_t n = strlen(GW_PUBLISH_ID_PREFIX);

	return id.n > n && id.n <= GW_CLAIM_ID_MAX && memcmp(id.p, GW_PUBLISH_ID_PREFIX, n) == 0 &&
	       !memchr(id.p, 0, id.n);
}

void gw_claims_read(struct gw_claims *c, struct bus_str value, int64_t at_ms, struct gw_claim_event *out)
{
	const uint8_t *p = (const uint8_t *)value.p + 1;

	*out = (struct gw_claim_event){ .said = GW_CLAIM_OTHER };
	if (value.n == 1 + 3 * LEN && value.p[0] == 'C')
		claim(c, p, at_ms, out);
	else if (value.n == 1 + 2 * LEN && value.p[0] == 'F')
		give_back(c, p);
	else if (value.n == 1 + LEN && value.p[0] == 'X')
		incarnation(c, p, at_ms)->over = true;
	else if (value.n > 1 + LEN && value.p[0] == 'O' &&
		 is_ours((struct bus_str){ value.p + 1 + LEN, value.n - 1 - LEN }))
		open_incarnation(c, p, (struct bus_str){ value.p + 1 + LEN, value.n - 1 - LEN }, at_ms);
	else
		out->said = GW_CLAIM_BROKEN;
}

bool gw_claims_read_answer(struct gw_claims *c, struct bus_str value, int64_t at_ms, uint8_t key[LEN])
{
	const uint8_t *p = (const uint8_t *)value.p + 1;

	if (value.n < 1 + 3 * LEN || (value.p[0] != 'R' && value.p[0] != 'T'))
		return false;
	memcpy(key, p, LEN);
	if (value.p[0] == 'R')
		gw_claims_done(c, p, p + LEN,
			       (struct bus_str){ value.p + 1 + 3 * LEN, value.n - 1 - 3 * LEN }, at_ms);
	return true;
}

void gw_claims_done(struct gw_claims *c, const uint8_t key[LEN], const uint8_t print[LEN],
		    struct bus_str answer, int64_t at_ms)
{
	struct entry *e = entry(c, key);

	if (e->state == GW_KEY_DONE && e->at_ms + c->keep_ms > at_ms)
		return; /* our own, read back */
	set_answer(c, e, answer);
	memcpy(e->print, print, LEN);
	if (e->state != GW_KEY_HELD) /* a claim's time stays: all reckon with it */
		e->at_ms = at_ms;
	set_holder(e, NULL);
	e->state = GW_KEY_DONE;
}

void gw_claims_look(const struct gw_claims *c, const uint8_t key[LEN], const uint8_t print[LEN],
		    int64_t now_ms, struct gw_claim *out)
{
	const struct entry *e = find(c, key);

	*out = (struct gw_claim){ .state = GW_KEY_FREE };
	if (free_for(c, e, now_ms))
		return;
	out->state = e->state;
	out->same = memcmp(e->print, print, LEN) == 0;
	out->at_ms = e->at_ms;
	out->answer = (struct bus_str){ e->answer, e->n };
	if (e->state == GW_KEY_HELD) {
		out->holder = e->holder->id;
		out->holder_id = e->holder->transactional;
	}
}

const char *gw_claims_full(const struct gw_claims *c, const uint8_t key[LEN])
{
	if (bus_shares_of(c->shares, reader_of(key)) >= c->memory / BUS_SHARE_OF)
		return "idempotency-share";
	return c->used >= c->memory ? "idempotency-full" : NULL;
}

size_t gw_claims_count(const struct gw_claims *c)
{
	return c->n;
}
