#include "gateway/publish/claims.h"

#define LEN GW_PUBLISH_KEY_LEN
#define BUCKETS_FIRST ((size_t)1024)
#define ENTRY_COST 32 /* of malloc, a bucket */

struct incarnation {
	uint8_t id[LEN];
	char *transactional;
	bool over;
};

struct entry {
	struct entry *same, *younger; /* in a bucket; by age */
	uint8_t key[LEN], print[LEN];
	int64_t at_ms;
	uint32_t holder; /* of HELD: index of incarnation */
	enum gw_claim_state state;
	uint32_t n; /* of the answer */
	char *answer;
};

struct gw_claims {
	int64_t keep_ms, memory, used;
	struct entry **bucket;
	size_t mask, n;
	struct entry *oldest, **youngest;
	struct incarnation *of;
	size_t n_of;
};

struct gw_claims *gw_claims_new(int64_t keep_ms, int64_t memory)
{
	struct gw_claims *c = bus_xcalloc(1, sizeof(*c));

	c->keep_ms = keep_ms;
	c->memory = memory;
	c->bucket = bus_xcalloc(BUCKETS_FIRST, sizeof(*c->bucket));
	c->mask = BUCKETS_FIRST - 1;
	c->youngest = &c->oldest;
	return c;
}

void gw_claims_free(struct gw_claims **cp)
{
	struct gw_claims *c = *cp;
	struct entry *e;

	*cp = NULL;
	if (!c)
		return;
	while ((e = c->oldest)) {
		c->oldest = e->younger;
		free(e->answer);
		free(e);
	}
	for (size_t i = 0; i < c->n_of; i++)
		free(c->of[i].transactional);
	free(c->of);
	free(c->bucket);
	free(c);
}

/* --- entries ------------------------------------------------------------------------------------------------- */

/* Keys are hashes already. */
static size_t bucket_of(const struct gw_claims *c, const uint8_t *key)
{
	uint64_t h;

	memcpy(&h, key, sizeof(h));
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

static void put_last(struct gw_claims *c, struct entry *e)
{
	e->younger = NULL;
	*c->youngest = e;
	c->youngest = &e->younger;
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
	put_last(c, e);
	c->n++;
	c->used += (int64_t)sizeof(*e) + ENTRY_COST;
	return e;
}

static void set_answer(struct gw_claims *c, struct entry *e, struct bus_str answer)
{
	c->used += (int64_t)answer.n - (int64_t)e->n;
	free(e->answer);
	e->answer = answer.n > 0 ? bus_xstrndup(answer.p, answer.n) : NULL;
	e->n = (uint32_t)answer.n;
}

static void drop_oldest(struct gw_claims *c)
{
	struct entry *e = c->oldest, **at = &c->bucket[bucket_of(c, e->key)];

	while (*at != e)
		at = &(*at)->same;
	*at = e->same;
	c->oldest = e->younger;
	if (!c->oldest)
		c->youngest = &c->oldest;
	set_answer(c, e, (struct bus_str){ 0 });
	c->used -= (int64_t)sizeof(*e) + ENTRY_COST;
	c->n--;
	free(e);
}

void gw_claims_sweep(struct gw_claims *c, int64_t now_ms)
{
	for (size_t n = c->n; n > 0 && c->oldest; n--) {
		struct entry *e = c->oldest;

		if (e->at_ms + c->keep_ms > now_ms) {
			/* Granted anew since it was put there: to where it belongs. */
			if (!e->younger || e->at_ms <= e->younger->at_ms)
				return;
			c->oldest = e->younger;
			put_last(c, e);
			continue;
		}
		drop_oldest(c);
	}
}

/* --- incarnations -------------------------------------------------------------------------------------------- */

static uint32_t incarnation(struct gw_claims *c, const uint8_t *id)
{
	for (size_t i = c->n_of; i > 0; i--)
		if (memcmp(c->of[i - 1].id, id, LEN) == 0)
			return (uint32_t)(i - 1);
	c->of = bus_xrealloc(c->of, (c->n_of + 1) * sizeof(*c->of));
	c->of[c->n_of] = (struct incarnation){ 0 };
	memcpy(c->of[c->n_of].id, id, LEN);
	return (uint32_t)c->n_of++;
}

void gw_claims_each_open(const struct gw_claims *c, const char *id, gw_claims_fn fn, void *ctx)
{
	for (size_t i = 0; i < c->n_of; i++)
		if (!c->of[i].over && c->of[i].transactional && strcmp(c->of[i].transactional, id) == 0)
			fn(ctx, c->of[i].id);
}

bool gw_claims_opened(const struct gw_claims *c, const uint8_t id[LEN])
{
	for (size_t i = c->n_of; i > 0; i--)
		if (memcmp(c->of[i - 1].id, id, LEN) == 0)
			return !c->of[i - 1].over && c->of[i - 1].transactional;
	return false;
}

/* --- the log ------------------------------------------------------------------------------------------------- */

static bool free_for(const struct gw_claims *c, const struct entry *e, int64_t at_ms)
{
	return !e || e->state == GW_KEY_FREE || e->at_ms + c->keep_ms <= at_ms ||
	       (e->state == GW_KEY_HELD && c->of[e->holder].over);
}

static void claim(struct gw_claims *c, const uint8_t *p, int64_t at_ms, struct gw_claim_event *out)
{
	struct entry *e = find(c, p);
	uint32_t holder;

	memcpy(out->key, p, LEN);
	memcpy(out->incarnation, p + 2 * LEN, LEN);
	out->said = GW_CLAIM_CLAIM;
	holder = incarnation(c, out->incarnation);
	if (c->of[holder].over || !free_for(c, e, at_ms))
		return;
	out->granted = true;
	out->history = e != NULL;
	e = entry(c, p);
	set_answer(c, e, (struct bus_str){ 0 });
	memcpy(e->print, p + LEN, LEN);
	e->at_ms = at_ms;
	e->holder = holder;
	e->state = GW_KEY_HELD;
}

static void give_back(struct gw_claims *c, const uint8_t *p)
{
	struct entry *e = find(c, p);

	if (e && e->state == GW_KEY_HELD && memcmp(c->of[e->holder].id, p + LEN, LEN) == 0)
		e->state = GW_KEY_FREE;
}

void gw_claims_read(struct gw_claims *c, struct bus_str value, int64_t at_ms, struct gw_claim_event *out)
{
	const uint8_t *p = (const uint8_t *)value.p + 1;
	struct incarnation *of;
	uint32_t i;

	*out = (struct gw_claim_event){ .said = GW_CLAIM_OTHER };
	if (value.n == 1 + 3 * LEN && value.p[0] == 'C') {
		claim(c, p, at_ms, out);
	} else if (value.n == 1 + 2 * LEN && value.p[0] == 'F') {
		give_back(c, p);
	} else if (value.n == 1 + LEN && value.p[0] == 'X') {
		i = incarnation(c, p); /* it may move c->of */
		c->of[i].over = true;
	} else if (value.n > 1 + LEN && value.n <= 1 + LEN + GW_CLAIM_ID_MAX && value.p[0] == 'O') {
		i = incarnation(c, p);
		of = &c->of[i];
		free(of->transactional);
		of->transactional = bus_xstrndup((const char *)p + LEN, value.n - 1 - LEN);
	} else {
		out->said = GW_CLAIM_BROKEN;
	}
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
		out->holder = c->of[e->holder].id;
		out->holder_id = c->of[e->holder].transactional;
	}
}

bool gw_claims_room(const struct gw_claims *c)
{
	return c->used < c->memory;
}

size_t gw_claims_count(const struct gw_claims *c)
{
	return c->n;
}

/* --- records ------------------------------------------------------------------------------------------------- */

void gw_claims_put_open(struct bus_buf *out, const uint8_t *id, const char *transactional)
{
	bus_buf_putc(out, 'O');
	bus_buf_put(out, id, LEN);
	bus_buf_puts(out, transactional);
}

void gw_claims_put_over(struct bus_buf *out, const uint8_t *id)
{
	bus_buf_putc(out, 'X');
	bus_buf_put(out, id, LEN);
}

void gw_claims_put_claim(struct bus_buf *out, const struct gw_publish_batch *b)
{
	bus_buf_putc(out, 'C');
	bus_buf_put(out, b->key, LEN);
	bus_buf_put(out, b->print, LEN);
	bus_buf_put(out, b->incarnation, LEN);
}

void gw_claims_put_back(struct bus_buf *out, const uint8_t *key, const uint8_t *id)
{
	bus_buf_putc(out, 'F');
	bus_buf_put(out, key, LEN);
	bus_buf_put(out, id, LEN);
}
