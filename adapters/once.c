#include "adapters/once.h"

#include <sys/mman.h>

#include "adapters/seen.h"

#define FIRST_CAPACITY ((size_t)4096)
#define LARGE ((size_t)1 << 18) /* entries from which a table is only doubled */

struct entry {
	uint64_t key[2]; /* 0, 0: free */
};

/* Open addressing with linear probing, never more than seven eighths full. */
struct adapter_once {
	char *dir;
	struct entry *entry;
	size_t capacity, count;
};

static enum bus_err make_table(const char *dir, size_t capacity, struct entry **out, struct bus_error *err)
{
	void *p;
	enum bus_err rc = adapter_seen_memory(dir, capacity * sizeof(**out), &p, err);

	*out = p;
	return rc;
}

enum bus_err adapter_once_new(const char *dir, struct adapter_once **out, struct bus_error *err)
{
	struct entry *entry;
	enum bus_err rc = make_table(dir, FIRST_CAPACITY, &entry, err);

	*out = NULL;
	if (rc != BUS_OK)
		return rc;
	*out = bus_xcalloc(1, sizeof(**out));
	(*out)->dir = bus_xstrdup(dir);
	(*out)->entry = entry;
	(*out)->capacity = FIRST_CAPACITY;
	return BUS_OK;
}

void adapter_once_free(struct adapter_once **o)
{
	if (!*o)
		return;
	munmap((*o)->entry, (*o)->capacity * sizeof(struct entry));
	free((*o)->dir);
	free(*o);
	*o = NULL;
}

static struct entry *place(struct entry *entry, size_t capacity, const uint64_t key[2])
{
	size_t i = key[0] & (capacity - 1);

	while ((entry[i].key[0] | entry[i].key[1]) != 0 &&
	       (entry[i].key[0] != key[0] || entry[i].key[1] != key[1]))
		i = (i + 1) & (capacity - 1);
	return &entry[i];
}

static enum bus_err grow(struct adapter_once *o, struct bus_error *err)
{
	size_t capacity = o->capacity * (o->capacity < LARGE ? 4 : 2);
	struct entry *bigger;
	enum bus_err rc = make_table(o->dir, capacity, &bigger, err);

	if (rc != BUS_OK)
		return rc;
	for (size_t i = 0; i < o->capacity; i++)
		if ((o->entry[i].key[0] | o->entry[i].key[1]) != 0)
			*place(bigger, capacity, o->entry[i].key) = o->entry[i];
	munmap(o->entry, o->capacity * sizeof(*o->entry));
	o->entry = bigger;
	o->capacity = capacity;
	return BUS_OK;
}

enum bus_err adapter_once_put(struct adapter_once *o, struct bus_str text, bool *fresh, struct bus_error *err)
{
	uint64_t key[2];
	struct entry *e;

	if ((o->count + 1) * 8 > o->capacity * 7) {
		enum bus_err rc = grow(o, err);

		if (rc != BUS_OK)
			return rc;
	}
	adapter_seen_key(text, key);
	e = place(o->entry, o->capacity, key);
	*fresh = (e->key[0] | e->key[1]) == 0;
	if (*fresh) {
		e->key[0] = key[0];
		e->key[1] = key[1];
		o->count++;
	}
	return BUS_OK;
}
