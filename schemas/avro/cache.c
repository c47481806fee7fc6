#include "schemas/avro/cache.h"

#include <pthread.h>

#include "schemas/avro/plan.h"

#define PLANS_DEFAULT 256
#define BYTES_DEFAULT ((size_t)16 * 1024 * 1024)
#define NONE SIZE_MAX

struct entry {
	struct schema_plan *plan;
	size_t next;	 /* in its bucket */
	size_t up, down; /* used more, less recently */
};

struct schema_cache {
	pthread_mutex_t lock; /* guards all below */
	struct entry *entry;
	size_t most, n;
	size_t bytes_most, bytes;
	size_t *bucket;
	size_t n_buckets;   /* a power of two */
	size_t first, last; /* by use */
};

struct schema_cache *schema_cache_new(size_t plans, size_t bytes)
{
	struct schema_cache *c = bus_xcalloc(1, sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	c->most = plans ? plans : PLANS_DEFAULT;
	c->bytes_most = bytes ? bytes : BYTES_DEFAULT;
	c->entry = bus_xcalloc(c->most, sizeof(*c->entry));
	for (c->n_buckets = 16; c->n_buckets < 2 * c->most;)
		c->n_buckets *= 2;
	c->bucket = bus_xmalloc(c->n_buckets * sizeof(*c->bucket));
	memset(c->bucket, 0xff, c->n_buckets * sizeof(*c->bucket));
	c->first = NONE;
	c->last = NONE;
	return c;
}

void schema_cache_free(struct schema_cache **c)
{
	if (!*c)
		return;
	for (size_t i = 0; i < (*c)->n; i++)
		schema_plan_free(&(*c)->entry[i].plan);
	pthread_mutex_destroy(&(*c)->lock);
	free((*c)->entry);
	free((*c)->bucket);
	free(*c);
	*c = NULL;
}

static size_t *bucket_of(struct schema_cache *c, const struct schema *writer, const struct schema *reader)
{
	uint64_t h = ((uint64_t)(uintptr_t)writer * UINT64_C(0x9e3779b97f4a7c15)) ^
		     ((uint64_t)(uintptr_t)reader * UINT64_C(0xc2b2ae3d27d4eb4f));

	return &c->bucket[(size_t)(h ^ (h >> 29)) & (c->n_buckets - 1)];
}

static void unlink_use(struct schema_cache *c, size_t i)
{
	struct entry *e = &c->entry[i];

	*(e->up == NONE ? &c->first : &c->entry[e->up].down) = e->down;
	*(e->down == NONE ? &c->last : &c->entry[e->down].up) = e->up;
}

static void link_first(struct schema_cache *c, size_t i)
{
	c->entry[i].up = NONE;
	c->entry[i].down = c->first;
	*(c->first == NONE ? &c->last : &c->entry[c->first].up) = i;
	c->first = i;
}

/* A reference to the plan, which becomes the most recently used one; NULL: it is not there. */
static struct schema_plan *find(struct schema_cache *c, const struct schema *writer,
				const struct schema *reader)
{
	for (size_t i = *bucket_of(c, writer, reader); i != NONE; i = c->entry[i].next) {
		struct schema_plan *plan = c->entry[i].plan;

		if (plan->writer != writer || plan->reader != reader)
			continue;
		unlink_use(c, i);
		link_first(c, i);
		return schema_plan_ref(plan);
	}
	return NULL;
}

/* What says in its bucket that entry i is there. */
static size_t *link_to(struct schema_cache *c, size_t i)
{
	const struct schema_plan *plan = c->entry[i].plan;
	size_t *at = bucket_of(c, plan->writer, plan->reader);

	while (*at != i)
		at = &c->entry[*at].next;
	return at;
}

/* Lets the least recently used one go; the last entry takes its place. */
static void evict(struct schema_cache *c)
{
	const size_t i = c->last;
	const size_t end = --c->n;
	struct entry *e = &c->entry[i];

	*link_to(c, i) = e->next;
	unlink_use(c, i);
	c->bytes -= schema_plan_bytes(e->plan);
	schema_plan_free(&e->plan);
	if (i == end)
		return;
	*link_to(c, end) = i;
	*e = c->entry[end];
	*(e->up == NONE ? &c->first : &c->entry[e->up].down) = i;
	*(e->down == NONE ? &c->last : &c->entry[e->down].up) = i;
}

/* Takes a reference of its own. */
static void add(struct schema_cache *c, struct schema_plan *plan)
{
	const size_t size = schema_plan_bytes(plan);
	size_t *bucket = bucket_of(c, plan->writer, plan->reader);
	size_t i;

	if (size > c->bytes_most)
		return;
	while (c->n == c->most || c->bytes > c->bytes_most - size)
		evict(c);
	i = c->n++;
	c->entry[i].plan = schema_plan_ref(plan);
	c->entry[i].next = *bucket;
	*bucket = i;
	link_first(c, i);
	c->bytes += size;
}

enum bus_err schema_cache_plan(struct schema_cache *c, struct schema *writer, struct schema *reader,
			       struct schema_plan **out, struct bus_error *err)
{
	struct schema_plan *other;
	enum bus_err rc;

	if (!reader)
		reader = writer;
	pthread_mutex_lock(&c->lock);
	*out = find(c, writer, reader);
	pthread_mutex_unlock(&c->lock);
	if (*out)
		return BUS_OK;
	rc = schema_plan(writer, reader, out, err);
	if (rc != BUS_OK)
		return rc;
	pthread_mutex_lock(&c->lock);
	other = find(c, writer, reader); /* two threads may have compiled it */
	if (!other)
		add(c, *out);
	pthread_mutex_unlock(&c->lock);
	if (other) {
		schema_plan_free(out);
		*out = other;
	}
	return BUS_OK;
}
