/* What became of a batch, as bytes: in the topic of answers, and remembered by key. A place is a partition and the
 * distance to the last offset of that partition: two or three bytes a record. */
#include "bus/arena.h"
#include "gateway/publish/claims.h"
#include "gateway/publish/impl.h"
#include "gateway/serve/problem.h"
#include "schemas/avro/write.h"

#define NEAR 256 /* partitions whose last offset is kept */
#define TEXT_MAX 600
#define LONG ((size_t)16 * 1024) /* beyond, only codes: answers are remembered for long */

struct places {
	int64_t last[NEAR];
};

static void put_text(struct bus_buf *out, const char *text)
{
	struct bus_str s = text ? bus_str(text) : (struct bus_str){ 0 };

	if (s.n > TEXT_MAX)
		s.n = TEXT_MAX;
	schema_put_text(out, s);
}

void gw_claims_put_answer(struct bus_buf *out, const struct gw_publish_batch *b)
{
	const size_t begin = out->n;
	struct places at = { 0 };

	bus_buf_putc(out, b->keyed ? 'R' : 'T');
	bus_buf_put(out, b->key, GW_PUBLISH_KEY_LEN);
	bus_buf_put(out, b->print, GW_PUBLISH_KEY_LEN);
	bus_buf_put(out, b->incarnation, GW_PUBLISH_KEY_LEN);
	schema_put_long(out, (int64_t)b->n);
	schema_put_long(out, b->schema_id);
	for (size_t i = 0; i < b->n; i++) {
		const struct gw_publish_record *r = &b->record[i];
		int64_t *last;

		if (r->problem) {
			schema_put_long(out, -1);
			put_text(out, r->problem);
			put_text(out, out->n - begin < LONG ? r->pointer : NULL);
			put_text(out, out->n - begin < LONG ? r->detail : NULL);
			schema_put_long(out, r->line);
			continue;
		}
		last = &at.last[r->placed % NEAR];
		schema_put_long(out, r->placed);
		schema_put_long(out, r->offset - *last);
		*last = r->offset;
	}
}

static bool get_long(struct bus_str *s, int64_t *out)
{
	uint64_t z = 0;

	for (int shift = 0; shift < 64 && s->n > 0; shift += 7) {
		unsigned char c = (unsigned char)*s->p++;

		s->n--;
		z |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80)) {
			*out = (int64_t)(z >> 1) ^ -(int64_t)(z & 1);
			return true;
		}
	}
	return false;
}

static bool get_text(struct bus_str *s, struct gw_publish_batch *b, const char **out)
{
	int64_t n;

	if (!get_long(s, &n) || n < 0 || n > TEXT_MAX || (size_t)n > s->n)
		return false;
	*out = n > 0 ? bus_arena_dup(b->arena, s->p, (size_t)n) : NULL;
	s->p += n;
	s->n -= (size_t)n;
	return n == 0 || *out;
}

static bool get_record(struct bus_str *s, struct gw_publish_batch *b, struct places *at,
		       struct gw_publish_record *r)
{
	const char *code;
	int64_t partition, distance, line;
	int64_t *last;

	if (!get_long(s, &partition) || partition < -1 || partition > INT32_MAX)
		return false;
	if (partition < 0) {
		if (!get_text(s, b, &code) || !code || !get_text(s, b, &r->pointer) ||
		    !get_text(s, b, &r->detail) || !get_long(s, &line) || !gw_problem_find(code))
			return false;
		r->problem = gw_problem_find(code)->code;
		r->line = (uint32_t)line;
		b->n_refused++;
		return true;
	}
	last = &at->last[partition % NEAR];
	if (!get_long(s, &distance) || __builtin_add_overflow(*last, distance, last))
		return false;
	r->placed = (int32_t)partition;
	r->offset = *last;
	return true;
}

bool gw_claims_get_answer(struct bus_str answer, struct gw_publish_batch *b)
{
	struct places at = { 0 };
	int64_t n, id;

	if (!get_long(&answer, &n) || n < 1 || n > GW_PUBLISH_RECORDS_MAX || !get_long(&answer, &id))
		return false;
	b->schema_id = (int32_t)id;
	b->n = b->n_refused = 0;
	while (b->n < (size_t)n) {
		struct gw_publish_record *r = gw_publish_add(b);

		if (!r || !get_record(&answer, b, &at, r))
			return false;
	}
	return answer.n == 0;
}
