#include "adapters/files.h"

#include "bus/wire.h"

struct file {
	uint64_t id;
	struct adapter_known *known;
};

struct adapter_files {
	struct file *file; /* by number - 1 */
	uint32_t n, cap;
	uint32_t *slot;	  /* open addressing by id; 0: free */
	uint32_t n_slots; /* a power of two, more than n */
	uint32_t last;	  /* number asked for last: records of one file stand together */
	int64_t order;
};

struct adapter_files *adapter_files_new(void)
{
	struct adapter_files *f = bus_xcalloc(1, sizeof(*f));

	f->n_slots = 64;
	f->slot = bus_xcalloc(f->n_slots, sizeof(*f->slot));
	return f;
}

void adapter_files_free(struct adapter_files **fp)
{
	struct adapter_files *f = *fp;

	if (!f)
		return;
	for (uint32_t i = 0; i < f->n; i++) {
		struct adapter_known *k = f->file[i].known;

		while (k) {
			struct adapter_known *next = k->next;

			free(k->feed);
			free(k);
			k = next;
		}
	}
	free(f->file);
	free(f->slot);
	free(f);
	*fp = NULL;
}

static bool parse_hex(struct bus_str s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n != BUS_WIRE_FILE_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

/* The id is part of a SHA-256: its low bits are as good as a hash. */
static uint32_t *slot_of(struct adapter_files *f, uint64_t id)
{
	uint32_t i = (uint32_t)id & (f->n_slots - 1);

	while (f->slot[i] != 0 && f->file[f->slot[i] - 1].id != id)
		i = (i + 1) & (f->n_slots - 1);
	return &f->slot[i];
}

static void grow(struct adapter_files *f)
{
	free(f->slot);
	f->n_slots *= 2;
	f->slot = bus_xcalloc(f->n_slots, sizeof(*f->slot));
	for (uint32_t i = 0; i < f->n; i++)
		*slot_of(f, f->file[i].id) = i + 1;
}

uint32_t adapter_files_number(struct adapter_files *f, struct bus_str hex16)
{
	uint32_t *slot;
	uint64_t id;

	if (!parse_hex(hex16, &id))
		return 0;
	if (f->last > 0 && f->file[f->last - 1].id == id)
		return f->last;
	slot = slot_of(f, id);
	if (*slot == 0) {
		if (f->n == f->cap) {
			f->cap = f->cap ? 2 * f->cap : 16;
			f->file = bus_xrealloc(f->file, f->cap * sizeof(*f->file));
		}
		f->file[f->n++] = (struct file){ .id = id };
		*slot = f->n;
		f->last = f->n;
		if (2 * f->n > f->n_slots)
			grow(f);
		return f->last;
	}
	f->last = *slot;
	return f->last;
}

struct adapter_known *adapter_files_known(struct adapter_files *f, uint32_t number, const char *feed)
{
	struct file *file = &f->file[number - 1];
	struct adapter_known *k;

	for (k = file->known; k; k = k->next)
		if (strcmp(k->feed, feed) == 0)
			return k;
	k = bus_xcalloc(1, sizeof(*k));
	k->feed = bus_xstrdup(feed);
	k->held = -1;
	k->next = file->known;
	file->known = k;
	return k;
}

int64_t adapter_files_last_order(const struct adapter_files *f)
{
	return f->order;
}

void adapter_files_note_order(struct adapter_files *f, int64_t order)
{
	if (order > f->order)
		f->order = order;
}

int64_t adapter_files_order(const struct adapter_files *f, uint32_t number)
{
	int64_t order = 0;

	if (number == 0)
		return 0;
	for (const struct adapter_known *k = f->file[number - 1].known; k; k = k->next)
		if (k->recorded && k->past.order > order)
			order = k->past.order;
	return order;
}

void adapter_files_note_undone(struct adapter_files *f, const char *feed, struct bus_str hex, int64_t order)
{
	bool again = hex.n > 0 && hex.p[0] == '+';
	size_t step = BUS_WIRE_FILE_LEN + 1;

	for (size_t at = again; at + BUS_WIRE_FILE_LEN <= hex.n; at += step) {
		uint32_t number = adapter_files_number(f, (struct bus_str){ hex.p + at, BUS_WIRE_FILE_LEN });
		struct adapter_known *known;
		int64_t *last;

		if (number == 0)
			return;
		known = adapter_files_known(f, number, feed);
		last = again ? &known->again : &known->undone;
		if (order > *last)
			*last = order;
	}
}

bool adapter_files_undone(const struct adapter_known *known)
{
	return known->undone > known->past.order && known->undone > known->again;
}

bool adapter_files_newest(const struct adapter_files *f, const struct adapter_known *known)
{
	for (uint32_t i = 0; i < f->n; i++)
		for (const struct adapter_known *k = f->file[i].known; k; k = k->next)
			if (k->recorded && strcmp(k->feed, known->feed) == 0 && k->past.order > known->past.order)
				return false;
	return true;
}
