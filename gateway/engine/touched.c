/* Keys of a view that waits as a whole, as bits. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "gateway/engine/core.h"

#define BYTES ((size_t)1 << 20) /* with 1,000,000 keys one in eight others is taken for one of them */

void gw_touched_begin(struct gw_live *v)
{
	if (v->touched || v->def->full || v->def->pub.internal)
		return;
	v->touched = bus_xcalloc(1, BYTES);
	for (size_t i = 0; i < v->dirty.n; i++)
		gw_touched_add(v, gw_keys_at(&v->dirty, i));
}

void gw_touched_all(struct gw_live *v)
{
	gw_touched_begin(v);
	if (v->touched)
		memset(v->touched, 0xff, BYTES);
	v->touched_whole = true;
}

void gw_touched_end(struct gw_live *v)
{
	free(v->touched);
	v->touched = NULL;
	v->touched_whole = false;
}

void gw_touched_add(struct gw_live *v, struct bus_str key)
{
	uint64_t h = XXH3_64bits(key.p, key.n) % (BYTES * 8);

	v->touched[h / 8] |= (uint8_t)(1 << (h % 8));
}

bool gw_touched_has(const struct gw_live *v, struct bus_str key)
{
	uint64_t h = XXH3_64bits(key.p, key.n) % (BYTES * 8);

	return v->touched && (v->touched[h / 8] >> (h % 8) & 1);
}
