#include "adapters/seen.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xxhash.h>

#define FIRST_CAPACITY ((size_t)1024)
#define PAGE ((size_t)4096)
#define LOOK 128		/* places between two looks: 8 MB at most */
#define LARGE ((size_t)1 << 18) /* entries from which a table is only doubled */

/* Open addressing with linear probing; capacity is a power of two and never more than seven eighths full,
 * so that a probe always ends. An entry whose key is 0,0 is free. */
struct adapter_seen {
	char *dir;
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

/* A zeroed table in a file that has no name any more. The space is allocated before it is mapped: a full
 * disk is then an error here and not a signal at some later store. */
static enum bus_err map_table(const char *dir, size_t size, char **out, struct bus_error *err)
{
	char *path = bus_xasprintf("%s/.titian-seen-XXXXXX", dir);
	enum bus_err rc = BUS_OK;
	void *p = MAP_FAILED;
	int fd, why;

	*out = NULL;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		rc = bus_fail(err, errno == ENOSPC || errno == EDQUOT ? BUS_EFULL : BUS_EIO,
			      "cannot create a temporary file in '%s': %m", dir);
		goto out;
	}
	(void)unlink(path);
	do {
		why = posix_fallocate(fd, 0, (off_t)size);
	} while (why == EINTR);
	if (why != 0) {
		errno = why;
		rc = bus_fail(err, why == ENOSPC || why == EDQUOT || why == EFBIG ? BUS_EFULL : BUS_EIO,
			      "cannot allocate %zu bytes for a temporary file in '%s': %m", size, dir);
		goto out;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED) {
		rc = bus_fail(err, BUS_EIO, "cannot map a temporary file in '%s': %m", dir);
		goto out;
	}
	*out = p;
out:
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

static enum bus_err make(const char *dir, size_t entry, struct adapter_seen **out, struct bus_error *err)
{
	char *table;
	enum bus_err rc = map_table(dir, FIRST_CAPACITY * entry, &table, err);

	*out = NULL;
	if (rc != BUS_OK)
		return rc;
	*out = bus_xcalloc(1, sizeof(**out));
	**out = (struct adapter_seen){
		.dir = bus_xstrdup(dir), .table = table, .entry = entry, .capacity = FIRST_CAPACITY
	};
	return BUS_OK;
}

enum bus_err adapter_seen_new(const char *dir, struct adapter_seen **out, struct bus_error *err)
{
	return make(dir, sizeof(struct adapter_seen_entry), out, err);
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
 * soon is still the kernel's. other: a table that is not in the list, of `size` bytes; NULL: none. */
static void touch(struct adapter_seen_budget *b, char *other, size_t size)
{
	if (!b || ++b->touched < LOOK)
		return;
	b->touched = 0;
	if (shared_pages(b) - b->before <= b->pages)
		return;
	for (struct adapter_seen *s = b->first; s; s = s->next)
		(void)madvise(s->table, s->capacity * s->entry, MADV_DONTNEED);
	if (other)
		(void)madvise(other, size, MADV_DONTNEED);
}

void adapter_seen_free(struct adapter_seen **s)
{
	if (!*s)
		return;
	adapter_seen_share(*s, NULL);
	munmap((*s)->table, (*s)->capacity * (*s)->entry);
	free((*s)->dir);
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

static struct adapter_seen_entry *at(char *table, size_t entry, size_t i)
{
	return (struct adapter_seen_entry *)(void *)(table + i * entry);
}

static bool is_free(const struct adapter_seen_entry *e)
{
	return (e->key[0] | e->key[1]) == 0;
}

/* The key's entry, or the free one where it belongs. */
static struct adapter_seen_entry *place(char *table, size_t entry, size_t capacity, const uint64_t key[2])
{
	size_t i = key[0] & (capacity - 1);
	struct adapter_seen_entry *e;

	while (!is_free(e = at(table, entry, i)) && (e->key[0] != key[0] || e->key[1] != key[1]))
		i = (i + 1) & (capacity - 1);
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

static enum bus_err grow(struct adapter_seen *s, struct bus_error *err)
{
	size_t capacity = s->capacity * (s->capacity < LARGE ? 4 : 2);
	char *bigger;
	enum bus_err rc = map_table(s->dir, capacity * s->entry, &bigger, err);

	if (rc != BUS_OK)
		return rc;
	for (size_t i = 0; i < s->capacity; i++) {
		const struct adapter_seen_entry *e = at(s->table, s->entry, i);

		if (is_free(e))
			continue;
		memcpy(place(bigger, s->entry, capacity, e->key), e, s->entry);
		touch(s->budget, bigger, capacity * s->entry);
	}
	munmap(s->table, s->capacity * s->entry);
	s->table = bigger;
	s->capacity = capacity;
	return BUS_OK;
}

enum bus_err adapter_seen_put(struct adapter_seen *s, struct bus_str key, struct adapter_seen_entry **out,
			      bool *fresh, struct bus_error *err)
{
	struct adapter_seen_entry *e;
	uint64_t k[2];

	fingerprint(key, k);
	touch(s->budget, NULL, 0);
	e = place(s->table, s->entry, s->capacity, k);
	*fresh = is_free(e);
	if (*fresh) {
		if ((s->count + 1) * 8 > s->capacity * 7) {
			enum bus_err rc = grow(s, err);

			if (rc != BUS_OK)
				return rc;
			e = place(s->table, s->entry, s->capacity, k);
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
	touch(s->budget, NULL, 0);
	e = place(s->table, s->entry, s->capacity, k);
	return is_free(e) ? NULL : e;
}

uint64_t adapter_fingerprint(struct bus_str bytes)
{
	return XXH3_64bits(bytes.n > 0 ? bytes.p : "", bytes.n);
}
