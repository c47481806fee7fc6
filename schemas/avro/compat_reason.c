/* The reasons of a judgement: Avro Java's words, and where each really is. */
#include <stdio.h>

#include "schemas/avro/compat_impl.h"

/* Goes down a step of the place; returns what schema_compat_leave() needs. */
size_t schema_compat_enter(struct schema_compat *c, const char *step)
{
	size_t before = c->place.n;

	bus_buf_putc(&c->place, '/');
	bus_buf_puts(&c->place, step);
	return before;
}

size_t schema_compat_enter_index(struct schema_compat *c, size_t i)
{
	char step[24];

	snprintf(step, sizeof(step), "%zu", i);
	return schema_compat_enter(c, step);
}

void schema_compat_leave(struct schema_compat *c, size_t before)
{
	c->place.n = before;
}

void schema_compat_give_up(struct schema_compat *c, const char *message)
{
	if (c->given_up)
		return;
	c->given_up = true;
	c->exception = (struct schema_reason){
		.type = "EXCEPTION",
		.location = "",
		.message = bus_arena_dup(c->arena, message, strlen(message)),
	};
	if (!c->exception.message)
		c->exception.message = "the schemas differ in too many places to be compared";
}

/* Zeroed memory for reasons; NULL: over the limit, and given up. */
static void *reason_memory(struct schema_compat *c, size_t n)
{
	void *p = bus_arena_zalloc(c->arena, n);

	if (!p)
		schema_compat_give_up(c, "the schemas differ in too many places to be compared");
	return p;
}

static void add(struct schema_compat *c, struct schema_compat_result *to, const struct schema_reason *reason)
{
	to->ok = false;
	if (to->n == SCHEMA_REASONS_MAX)
		return;
	/* Nobody else has this list yet; it is shared only once the pair is judged. */
	if ((to->n & (to->n - 1)) == 0) {
		const struct schema_reason **more = reason_memory(c, (2 * to->n + 1) * sizeof(*more));

		if (!more)
			return;
		if (to->n > 0)
			memcpy(more, to->reason, to->n * sizeof(*more));
		to->reason = more;
	}
	to->reason[to->n++] = reason;
}

void schema_compat_merge(struct schema_compat *c, struct schema_compat_result *to,
			 const struct schema_compat_result *from)
{
	to->ok &= from->ok;
	for (size_t i = 0; i < from->n; i++)
		add(c, to, from->reason[i]);
}

/* The way down outlives the walk in a copy. */
static const struct schema_step *copy_steps(struct schema_compat *c, const struct schema_step *from)
{
	const struct schema_step *first = NULL;
	const struct schema_step **to = &first;

	for (; from; from = from->up) {
		struct schema_step *copy = reason_memory(c, sizeof(*copy));

		if (!copy)
			return NULL;
		*copy = *from;
		copy->up = NULL;
		*to = copy;
		to = &copy->up;
	}
	return first;
}

/* What avro/explain.c needs beside Java's words. */
static const struct schema_reason_place *place_of(struct schema_compat *c, const struct schema_node *r,
						  const struct schema_node *w)
{
	struct schema_reason_place *place = reason_memory(c, sizeof(*place));

	if (!place)
		return NULL;
	*place = (struct schema_reason_place){ copy_steps(c, c->step), { r, w }, NULL };
	if (r->type == SCHEMA_RECORD && c->step && c->step->kind == SCHEMA_STEP_FIELD && !c->step->field[1])
		place->missing = c->step->field[0];
	return place;
}

/* Takes message. The reason, to be completed; NULL: there are enough. */
struct schema_reason *schema_compat_fail(struct schema_compat *c, struct schema_compat_result *to,
					 const char *type, const struct schema_node *r,
					 const struct schema_node *w, char *message)
{
	size_t n = strlen(message);
	struct schema_reason *reason = NULL;
	char *copy;

	to->ok = false;
	if (to->n < SCHEMA_REASONS_MAX)
		reason = reason_memory(c, sizeof(*reason));
	/* One block: the place, then the message. */
	copy = reason ? reason_memory(c, c->place.n + n + 3) : NULL;
	if (copy) {
		*reason = (struct schema_reason){ .type = type,
						  .location = copy,
						  .message = copy + c->place.n + 2 };
		copy[0] = '/';
		if (c->place.n > 0)
			memcpy(copy, c->place.p, c->place.n);
		memcpy(copy + c->place.n + 2, message, n);
		if (c->places)
			reason->place = place_of(c, r, w);
		add(c, to, reason);
	}
	free(message);
	return copy ? reason : NULL;
}

void schema_verdict_release(struct schema_verdict *why)
{
	free(why->reason);
	bus_arena_free(&why->memory);
	*why = (struct schema_verdict){ 0 };
}
