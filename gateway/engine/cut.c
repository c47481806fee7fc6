#include "gateway/engine/cut.h"

#define HELD_MAX 2000 /* records of a partition */
#define READ_MAX 2000
#define POLL_MS 50

struct held {
	struct held *next;
	struct bus_record record; /* its bytes and headers follow */
};

struct queue {
	struct held *first, **last;
	size_t n;
	int64_t to;
	bool paused;
};

struct gw_cut {
	struct gw_engine *e;
	struct bus_consumer *inputs;
	struct queue *queue; /* by slot */
	size_t n;
	struct bus_record read[READ_MAX], apply[READ_MAX];
};

struct gw_cut *gw_cut_new(struct gw_engine *e, struct bus_consumer *inputs)
{
	struct gw_cut *c = bus_xcalloc(1, sizeof(*c));

	c->e = e;
	c->inputs = inputs;
	return c;
}

/* Queues for partitions that the engine has got; at first they are to be read up to where they are. */
static void grow(struct gw_cut *c)
{
	c->queue = bus_xrealloc(c->queue, (c->e->n_parts + 1) * sizeof(*c->queue));
	for (; c->n < c->e->n_parts; c->n++)
		c->queue[c->n] = (struct queue){ .to = c->e->part[c->n].next };
}

static void forget(struct queue *q)
{
	struct held *h;

	while ((h = q->first)) {
		q->first = h->next;
		free(h);
	}
	q->n = 0;
}

void gw_cut_free(struct gw_cut **cut)
{
	struct gw_cut *c = *cut;

	if (!c)
		return;
	for (size_t i = 0; i < c->n; i++)
		forget(&c->queue[i]);
	free(c->queue);
	free(c);
	*cut = NULL;
}

void gw_cut_at(struct gw_cut *c, int slot, int64_t offset)
{
	grow(c);
	c->queue[slot].to = offset;
}

static struct bus_str copy(struct bus_str s, char **to)
{
	struct bus_str out = { s.p ? *to : NULL, s.n };

	if (s.n > 0)
		memcpy(*to, s.p, s.n);
	*to += s.n;
	return out;
}

static void hold(struct queue *q, const struct bus_record *r)
{
	size_t n = r->key.n + r->value.n + r->n_headers * sizeof(struct bus_header);
	struct bus_header *header;
	struct held *h;
	char *to;

	for (size_t i = 0; i < r->n_headers; i++)
		n += r->header[i].name.n + r->header[i].value.n;
	h = bus_xmalloc(sizeof(*h) + n);
	h->next = NULL;
	h->record = *r;
	header = (struct bus_header *)(void *)(h + 1);
	to = (char *)(header + r->n_headers);
	h->record.key = copy(r->key, &to);
	h->record.value = copy(r->value, &to);
	h->record.header = header;
	for (size_t i = 0; i < r->n_headers; i++) {
		header[i].name = copy(r->header[i].name, &to);
		header[i].value = copy(r->header[i].value, &to);
	}
	if (q->first)
		*q->last = h;
	else
		q->first = h;
	q->last = &h->next;
	q->n++;
}

static enum bus_err resume(struct gw_cut *c, size_t slot, int64_t from, struct bus_error *err)
{
	const struct gw_part *p = &c->e->part[slot];

	c->queue[slot].paused = false;
	return bus_consumer_assign(c->inputs, p->topic->name, p->partition, from, (int)slot, err);
}

/* Whatever is held and lies before the cut. */
static enum bus_err apply_held(struct gw_cut *c, bool *some, struct bus_error *err)
{
	struct held *taken = NULL, *h;
	enum bus_err rc = BUS_OK;
	size_t n = 0;

	for (size_t i = 0; i < c->n && rc == BUS_OK; i++) {
		struct queue *q = &c->queue[i];
		int64_t from = -1;

		while ((h = q->first) && h->record.offset < q->to && n < READ_MAX) {
			c->apply[n++] = h->record;
			from = h->record.offset + 1;
			q->first = h->next;
			q->n--;
			h->next = taken;
			taken = h;
		}
		if (q->paused && q->n == 0 && from >= 0)
			rc = resume(c, i, from, err);
	}
	*some = n > 0;
	if (rc == BUS_OK && n > 0)
		rc = gw_apply(c->e, c->apply, n, err);
	while ((h = taken)) {
		taken = h->next;
		free(h);
	}
	return rc;
}

/* Nothing before the cut comes from there any more: compaction may have taken the last records before it. */
static bool reached(struct gw_cut *c, size_t slot)
{
	const struct gw_part *p = &c->e->part[slot];
	struct queue *q = &c->queue[slot];
	int64_t at;

	return p->next >= q->to || q->n > 0 ||
	       (bus_consumer_position(c->inputs, p->topic->name, p->partition, &at, NULL) == BUS_OK &&
		at >= q->to);
}

static bool all_reached(struct gw_cut *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (!reached(c, i))
			return false;
	return true;
}

static enum bus_err read_more(struct gw_cut *c, struct bus_error *err)
{
	size_t n = 0, k = 0;
	enum bus_err rc;

	rc = bus_consumer_poll(c->inputs, c->read, READ_MAX, &n, POLL_MS, err);
	for (size_t i = 0; i < n && rc == BUS_OK; i++) {
		struct queue *q = &c->queue[c->read[i].slot];

		if (c->read[i].offset < q->to)
			c->apply[k++] = c->read[i];
		else
			hold(q, &c->read[i]);
	}
	if (rc == BUS_OK && k > 0)
		rc = gw_apply(c->e, c->apply, k, err);
	for (size_t i = 0; i < c->n && rc == BUS_OK; i++) {
		const struct gw_part *p = &c->e->part[i];
		struct queue *q = &c->queue[i];

		if (q->n < HELD_MAX || q->paused)
			continue;
		q->paused = true;
		rc = bus_consumer_unassign(c->inputs, p->topic->name, p->partition, err);
	}
	return rc;
}

enum bus_err gw_cut_reach(struct gw_cut *c, const _Atomic bool *stop, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	bool some;

	grow(c);
	while (rc == BUS_OK) {
		rc = apply_held(c, &some, err);
		if (rc != BUS_OK || some)
			continue;
		if (all_reached(c))
			break;
		if (*stop)
			rc = bus_fail(err, BUS_ESTOPPED, "stopping");
		else
			rc = read_more(c, err);
	}
	for (size_t i = 0; i < c->n && rc == BUS_OK; i++) {
		struct gw_part *p = &c->e->part[i];

		if (p->next >= c->queue[i].to)
			continue;
		p->next = c->queue[i].to; /* of a record that is no more there is no fingerprint */
		p->sum = 0;
		p->moved = true;
	}
	return rc;
}

enum bus_err gw_cut_restart(struct gw_cut *c, int slot, struct bus_error *err)
{
	grow(c);
	forget(&c->queue[slot]);
	return resume(c, (size_t)slot, c->e->part[slot].next, err);
}

enum bus_err gw_cut_let_go(struct gw_cut *c, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	grow(c);
	for (size_t i = 0; i < c->n && rc == BUS_OK; i++)
		if (c->queue[i].n > 0 || c->queue[i].paused)
			rc = gw_cut_restart(c, (int)i, err);
	return rc;
}
