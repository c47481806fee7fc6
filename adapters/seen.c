#include "adapters/seen.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xxhash.h>

#include "bus/buf.h"

#define FIRST_CAPACITY ((size_t)1024)
#define PAGE ((size_t)4096)
#define LOOK 128		/* places between two looks: 8 MB at most */
#define LARGE ((size_t)1 << 16) /* entries from which a table grows by a quarter only */

/* Open addressing with linear probing, never more than four fifths full, so that a probe always ends. A key's home
 * is its part of the table's length, so that a table that grows keeps its order and is spread where it lies: memory
 * that is touched for the first time is what a large table costs. An entry whose key is 0,0 is free. */
struct adapter_seen {
	int fd; /* of the file, which has no name any more */
	char *table;
	size_t entry; /* bytes of one */
	size_t capacity;
	size_t count;
	struct adapter_seen_budget *budget;
	struct adapter_seen *next; /* of those that share it */
};

struct adapter_seen_budget {
	long pages;	  /* of all its tables together */
	long before;	  /* of other files, when it was made */
	int statm;	  /* /proc/self/statm */
	unsigned touched; /* places looked at since the last look at statm */
	struct adapter_seen *first;
};

static bool no_room(int why)
{
	return why == ENOSPC || why == EDQUOT || why == EFBIG;
}

/* The space is allocated before it is mapped: a full disk is then an error here and not a signal at some later
 * store. What is new is zero. */
static enum bus_err map_table(struct adapter_seen *s, size_t capacity, struct bus_error *err)
{
	size_t before = s->table ? s->capacity * s->entry : 0, size = capacity * s->entry;
	char *table;
	int why;

	do {
		why = posix_fallocate(s->fd, (off_t)before, (off_t)(size - before));
	} while (why == EINTR);
	if (why != 0) {
		errno = why;
		return bus_fail(err, no_room(why) ? BUS_EFULL : BUS_EIO,
				"cannot allocate %zu bytes for a temporary file: %m", size - before);
	}
	table = before > 0 ? mremap(s->table, before, size, MREMAP_MAYMOVE)
			   : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (table == MAP_FAILED)
		return bus_fail(err, BUS_EIO, "cannot map a temporary file: %m");
	s->table = table;
	s->capacity = capacity;
	return BUS_OK;
}

static enum bus_err make(const char *dir, size_t entry, struct adapter_seen **out, struct bus_error *err)
{
	char *path = bus_xasprintf("%s/.titian-seen-XXXXXX", dir);
	struct adapter_seen *s = bus_xcalloc(1, sizeof(*s));
	enum bus_err rc;

	s->entry = entry;
	s->fd = mkostemp(path, O_CLOEXEC);
	if (s->fd < 0) {
		rc = bus_fail(err, no_room(errno) ? BUS_EFULL : BUS_EIO,
			      "cannot create a temporary file in '%s': %m", dir);
	} else {
		(void)unlink(path);
		rc = map_table(s, FIRST_CAPACITY, err);
	}
	free(path);
	if (rc)
		adapter_seen_free(&s);
	*out = s;
	return rc;
}

enum bus_err adapter_seen_new(const char *dir, struct adapter_seen **out, struct bus_error *err)
{
	return make(dir, sizeof(struct adapter_seen_entry), out, err);
}

enum bus_err adapter_seen_new_unversioned(const char *dir, struct adapter_seen **out, struct bus_error *err)
{
	return make(dir, offsetof(struct adapter_seen_entry, version), out, err);
}

enum bus_err adapter_seen_new_bare(const char *dir, struct adapter_seen **out, struct bus_error *err)
{
	return make(dir, offsetof(struct adapter_seen_entry, content), out, err);
}

/* Pages of mapped files that are in memory now. Counting the places that were touched would not do: the kernel maps up
 * to fifteen neighbours with each. */
static long shared_pages(const struct adapter_seen_budget *b)
{
	char text[128];
	long total, resident, shared;
	ssize_t n = pread(b->statm, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return 0;
	text[n] = '\0';
	return sscanf(text, "%ld %ld %ld", &total, &resident, &shared) == 3 ? shared : 0;
}

struct adapter_seen_budget *adapter_seen_budget_new(size_t bytes)
{
	struct adapter_seen_budget *b = bus_xcalloc(1, sizeof(*b));

	b->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	b->pages = (long)(bytes / PAGE);
	b->before = shared_pages(b);
	return b;
}

void adapter_seen_budget_free(struct adapter_seen_budget **b)
{
	if (!*b)
		return;
	assert(!(*b)->first);
	if ((*b)->statm >= 0)
		close((*b)->statm);
	free(*b);
	*b = NULL;
}

void adapter_seen_share(struct adapter_seen *s, struct adapter_seen_budget *b)
{
	if (s->budget) {
		struct adapter_seen **at = &s->budget->first;

		while (*at != s)
			at = &(*at)->next;
		*at = s->next;
	}
	s->budget = b;
	if (b) {
		s->next = b->first;
		b->first = s;
	}
}

/* One more place. The pages are shared with a file: letting go of them loses nothing, and one that is asked for again
 * soon is still the kernel's. */
static void touch(struct adapter_seen_budget *b)
{
	if (!b || ++b->touched < LOOK)
		return;
	b->touched = 0;
	if (shared_pages(b) - b->before <= b->pages)
		return;
	for (struct adapter_seen *s = b->first; s; s = s->next)
		(void)madvise(s->table, s->capacity * s->entry, MADV_DONTNEED);
}

void adapter_seen_free(struct adapter_seen **s)
{
	if (!*s)
		return;
	adapter_seen_share(*s, NULL);
	if ((*s)->table)
		munmap((*s)->table, (*s)->capacity * (*s)->entry);
	if ((*s)->fd >= 0)
		close((*s)->fd);
	free(*s);
	*s = NULL;
}

void adapter_seen_clear(struct adapter_seen *s)
{
	if (s->count > 0)
		memset(s->table, 0, s->capacity * s->entry);
	s->count = 0;
}

size_t adapter_seen_count(const struct adapter_seen *s)
{
	return s->count;
}

static struct adapter_seen_entry *at(const struct adapter_seen *s, size_t i)
{
	return (struct adapter_seen_entry *)(void *)(s->table + i * s->entry);
}

static bool is_free(const struct adapter_seen_entry *e)
{
	return (e->key[0] | e->key[1]) == 0;
}

static size_t home(const struct adapter_seen *s, const uint64_t key[2])
{
	return (size_t)((unsigned __int128)key[0] * s->capacity >> 64);
}

/* The key's entry, or the free one where it belongs. */
static struct adapter_seen_entry *place(const struct adapter_seen *s, const uint64_t key[2])
{
	size_t i = home(s, key);
	struct adapter_seen_entry *e;

	while (!is_free(e = at(s, i)) && (e->key[0] != key[0] || e->key[1] != key[1]))
		if (++i == s->capacity)
			i = 0;
	return e;
}

static void fingerprint(struct bus_str bytes, uint64_t key[2])
{
	XXH128_hash_t h = XXH3_128bits(bytes.n > 0 ? bytes.p : "", bytes.n);

	key[0] = h.low64;
	key[1] = h.high64;
	if ((key[0] | key[1]) == 0)
		key[1] = 1;
}

/* After a growth: every entry goes to its new home, which is further up, from the last on; so what lies above the one
 * in hand is done, and where it is put it stays. The few for which that does not hold wait until the end: near the
 * table's start, where homes have hardly moved, and those that probe past its end. */
static void spread(struct adapter_seen *s, size_t before)
{
	struct bus_buf late = { 0 };
	char entry[sizeof(struct adapter_seen_entry)];

	for (size_t i = before; i-- > 0;) {
		struct adapter_seen_entry *e = at(s, i);
		size_t to;

		if (is_free(e))
			continue;
		to = home(s, e->key);
		memcpy(entry, e, s->entry);
		memset(e, 0, s->entry);
		while (to >= i && to < s->capacity && !is_free(at(s, to)))
			to++;
		if (to >= i && to < s->capacity)
			memcpy(at(s, to), entry, s->entry);
		else
			bus_buf_put(&late, entry, s->entry);
		touch(s->budget);
	}
	for (size_t i = 0; i < late.n; i += s->entry) {
		uint64_t key[2];

		memcpy(key, late.p + i, sizeof(key));
		memcpy(place(s, key), late.p + i, s->entry);
	}
	bus_buf_release(&late);
}

static enum bus_err grow(struct adapter_seen *s, struct bus_error *err)
{
	size_t before = s->capacity;
	enum bus_err rc = map_table(s, before < LARGE ? before * 4 : before + before / 4, err);

	if (!rc)
		spread(s, before);
	return rc;
}

enum bus_err adapter_seen_put(struct adapter_seen *s, struct bus_str key, struct adapter_seen_entry **out,
			      bool *fresh, struct bus_error *err)
{
	struct adapter_seen_entry *e;
	uint64_t k[2];

	fingerprint(key, k);
	touch(s->budget);
	e = place(s, k);
	*fresh = is_free(e);
	if (*fresh) {
		if ((s->count + 1) * 5 > s->capacity * 4) {
			enum bus_err rc = grow(s, err);

			if (rc != BUS_OK)
				return rc;
			e = place(s, k);
		}
		e->key[0] = k[0];
		e->key[1] = k[1];
		s->count++;
	}
	if (out)
		*out = e;
	return BUS_OK;
}

struct adapter_seen_entry *adapter_seen_get(struct adapter_seen *s, struct bus_str key)
{
	struct adapter_seen_entry *e;
	uint64_t k[2];

	fingerprint(key, k);
	touch(s->budget);
	e = place(s, k);
	return is_free(e) ? NULL : e;
}

uint64_t adapter_fingerprint(struct bus_str bytes)
{
	return XXH3_64bits(bytes.n > 0 ? bytes.p : "", bytes.n);
}
