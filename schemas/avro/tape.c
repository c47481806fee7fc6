/* The cells of a datum: one growing array, bounded by the datum. */
#include "bus/buf.h"
#include "bus/utf8.h"
#include "schemas/avro/machine.h"

#define DEPTH_DEFAULT 64
#define DEPTH_MOST 1000
#define ITEMS_DEFAULT 1000000
#define BYTES_DEFAULT ((int64_t)16 * 1024 * 1024)

#define PROBES 32
#define FEW 8 /* entries of a map: each key is compared with each */

struct schema_reader *schema_reader_new(const struct schema_limits *limits)
{
	struct schema_limits l = limits ? *limits : (struct schema_limits){ 0 };
	struct schema_reader *r;

	if (l.depth <= 0)
		l.depth = DEPTH_DEFAULT;
	if (l.depth > DEPTH_MOST)
		l.depth = DEPTH_MOST;
	if (l.items <= 0)
		l.items = ITEMS_DEFAULT;
	if (l.bytes <= 0)
		l.bytes = BYTES_DEFAULT;
	if (l.bytes > INT32_MAX)
		l.bytes = INT32_MAX;
	r = bus_xcalloc(1, sizeof(*r) + (size_t)l.depth * sizeof(r->frame[0]));
	r->limits = l;
	return r;
}

void schema_reader_free(struct schema_reader **r)
{
	if (*r) {
		free((*r)->cell);
		bus_arena_free(&(*r)->text);
		free((*r)->slot);
		free((*r)->level);
		free(*r);
	}
	*r = NULL;
}

void schema_reader_allow_rest(struct schema_reader *r)
{
	r->rest = true;
}

size_t schema_reader_used(const struct schema_reader *r)
{
	return r->used;
}

bool schema_tape_grow(struct schema_reader *r, size_t n)
{
	size_t cap = r->cap;

	if (n > r->most || r->n > r->most - n)
		return false;
	/* One large datum does not hold its memory for ever. */
	if (r->n == 0 && cap > SCHEMA_CELLS_KEPT) {
		free(r->cell);
		r->cell = NULL;
		cap = 0;
	}
	cap = cap > 32 ? 2 * cap : 64;
	if (cap < r->n + n)
		cap = r->n + n;
	r->cell = bus_xrealloc(r->cell, cap * sizeof(*r->cell));
	r->cap = cap;
	return true;
}

bool schema_tape_extend(struct schema_reader *r, struct schema_frame *f, size_t used, size_t more)
{
	size_t cap = f->cap;

	if (used + more <= cap)
		return true;
	if (f->block + cap == r->n) {
		more -= cap - used;
		if (!schema_tape_alloc(r, more))
			return false;
		f->cap += more;
		return true;
	}
	cap = 2 * cap > used + more ? 2 * cap : used + more;
	if (!schema_tape_alloc(r, cap))
		return false;
	memcpy(&r->cell[r->n - cap], &r->cell[f->block], used * sizeof(*r->cell));
	f->block = r->n - cap;
	f->cap = cap;
	return true;
}

static bool same_key(const struct schema_cell *a, const struct schema_cell *b)
{
	return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

static uint64_t hash_key(const struct schema_cell *key)
{
	uint64_t h = key->n;
	uint64_t word;
	size_t i = 0;

	for (; key->n - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, key->p + i, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	for (; i < key->n; i++)
		h = (h ^ (unsigned char)key->p[i]) * UINT64_C(0xff51afd7ed558ccd);
	return h ^ (h >> 32);
}

/* True: no key is there twice, for certain. */
static bool all_differ(struct schema_reader *r, const struct schema_cell *entry, size_t n)
{
	size_t size = 64;

	if (n <= FEW) {
		for (size_t i = 1; i < n; i++)
			for (size_t k = 0; k < i; k++)
				if (same_key(&entry[2 * i], &entry[2 * k]))
					return false;
		return true;
	}
	while (size < 2 * n)
		size *= 2;
	if (size > r->n_slots) {
		r->slot = bus_xrealloc(r->slot, size * sizeof(*r->slot));
		r->n_slots = size;
	}
	memset(r->slot, 0xff, size * sizeof(*r->slot));
	for (size_t i = 0; i < n; i++) {
		size_t at = (size_t)hash_key(&entry[2 * i]) & (size - 1);
		int probes = 0;

		while (r->slot[at] != UINT32_MAX) {
			/* Keys made to collide do not make us slow: they are sorted. */
			if (same_key(&entry[2 * i], &entry[2 * (size_t)r->slot[at]]) || ++probes > PROBES)
				return false;
			at = (at + 1) & (size - 1);
		}
		r->slot[at] = (uint32_t)i;
	}
	return true;
}

/* By key, then by place. */
static int compare_entries(const void *x, const void *y, void *ctx)
{
	const struct schema_cell *entry = ctx;
	uint32_t i = *(const uint32_t *)x;
	uint32_t k = *(const uint32_t *)y;
	const struct schema_cell *a = &entry[2 * (size_t)i];
	const struct schema_cell *b = &entry[2 * (size_t)k];
	int d = a->n != b->n ? (a->n > b->n) - (a->n < b->n) : memcmp(a->p, b->p, a->n);

	return d != 0 ? d : (i > k) - (i < k);
}

size_t schema_tape_unique(struct schema_reader *r, size_t block, size_t n)
{
	struct schema_cell *entry = &r->cell[block];
	uint32_t *order;
	size_t kept = 0;

	if (all_differ(r, entry, n))
		return n;
	order = bus_xmalloc(n * sizeof(*order));
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, n, sizeof(*order), compare_entries, entry);
	for (size_t i = 1, first = 0; i < n; i++) {
		if (!same_key(&entry[2 * (size_t)order[i]], &entry[2 * (size_t)order[first]])) {
			first = i;
			continue;
		}
		entry[2 * (size_t)order[first] + 1] = entry[2 * (size_t)order[i] + 1];
		entry[2 * (size_t)order[i]].branch = 1; /* to be left out */
	}
	for (size_t i = 0; i < n; i++) {
		if (entry[2 * i].branch)
			continue;
		entry[2 * kept] = entry[2 * i];
		entry[2 * kept + 1] = entry[2 * i + 1];
		kept++;
	}
	free(order);
	return kept;
}

/* Bytes that begin a character and could have gone on: they become one U+FFFD, as in Java. */
static size_t broken_len(const char *p, size_t n)
{
	size_t want = bus_utf8_want((unsigned char)p[0]);
	size_t len = 1;

	while (len < want && len < n) {
		unsigned char c = (unsigned char)p[len];
		unsigned char lead = (unsigned char)p[0];

		if ((c & 0xc0) != 0x80)
			break;
		if (len == 1 && ((lead == 0xe0 && c < 0xa0) || (lead == 0xed && c > 0x9f) ||
				 (lead == 0xf0 && c < 0x90) || (lead == 0xf4 && c > 0x8f)))
			break;
		len++;
	}
	return len;
}

struct bus_str schema_tape_text(struct schema_reader *r, struct bus_str bytes)
{
	struct bus_buf b = { 0 };
	size_t i = bus_utf8_ok(bytes.p, bytes.n);

	if (i == bytes.n)
		return bytes;
	bus_buf_put(&b, bytes.p, i);
	while (i < bytes.n) {
		size_t ok;

		bus_buf_put(&b, "\xef\xbf\xbd", 3);
		i += broken_len(bytes.p + i, bytes.n - i);
		ok = bus_utf8_ok(bytes.p + i, bytes.n - i);
		bus_buf_put(&b, bytes.p + i, ok);
		i += ok;
	}
	if (!r->text)
		r->text = bus_arena_new(0); /* bounded by the datum: three bytes for one */
	bytes = (struct bus_str){ bus_arena_dup(r->text, b.p, b.n), b.n };
	bus_buf_release(&b);
	return bytes;
}
