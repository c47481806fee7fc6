#include "adapters/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xxhash.h>

#define FIRST_CAPACITY ((size_t)1024)
#define LARGE ((size_t)1 << 18) /* entries from which a table is only doubled */

/* Open addressing with linear probing; capacity is a power of two and never more than seven eighths full,
 * so that a probe always ends. An entry whose key is 0,0 is free. */
struct adapter_seen {
	char *dir;
	char *table;
	size_t entry; /* bytes of one */
	size_t capacity;
	size_t count;
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
	**out = (struct adapter_seen){ bus_xstrdup(dir), table, entry, FIRST_CAPACITY, 0 };
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

void adapter_seen_free(struct adapter_seen **s)
{
	if (!*s)
		return;
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

		if (!is_free(e))
			memcpy(place(bigger, s->entry, capacity, e->key), e, s->entry);
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
	e = place(s->table, s->entry, s->capacity, k);
	return is_free(e) ? NULL : e;
}

uint64_t adapter_fingerprint(struct bus_str bytes)
{
	return XXH3_64bits(bytes.n > 0 ? bytes.p : "", bytes.n);
}
