/* Runs a compiled program on one row (or on one item of a list in it). This is the adapter's inner loop. */
#include "adapters/map_impl.h"

static void bad(struct adapter_map *m, struct map_slot *s, enum map_why why)
{
	s->state = MAP_BAD;
	s->why = (uint8_t)why;
	m->some_bad = true;
}

static char *room(struct adapter_map *m, struct map_slot *s, size_t n)
{
	char *p = bus_arena_alloc(m->row, n);

	if (!p) {
		m->too_big = true;
		bad(m, s, MAP_WHY_RANGE);
	}
	return p;
}

/* ---- where values begin ---- */

static void take_text(struct map_slot *s, struct bus_str text, const struct map_texts *nulls)
{
	if (text.n > 0 && ((unsigned char)text.p[0] <= ' ' || text.p[0] == '\xc2' ||
			   (unsigned char)text.p[text.n - 1] <= ' ' || text.p[text.n - 1] == '\xa0'))
		text = adapter_map_trim(text);
	s->text = text;
	s->state = text.n == 0 || (nulls && adapter_map_texts_have(nulls, text)) ? MAP_NOTHING : MAP_GOOD;
}

static void take_cell(struct adapter_map *m, struct map_slot *s, const struct adapter_cell *cell,
		      const struct map_texts *nulls, bool amount)
{
	switch (cell->kind) {
	case ADAPTER_MISSING:
	case ADAPTER_NULL:
		break;
	case ADAPTER_NUMBER:
		s->number = true;
		take_text(s, cell->text, nulls);
		if (cell->rounded && !amount && s->state == MAP_GOOD)
			bad(m, s, MAP_WHY_ROUNDED);
		break;
	case ADAPTER_TEXT:
		take_text(s, cell->text, nulls);
		break;
	case ADAPTER_TREE:
		if (cell->tree && cell->tree->type == BUS_JSON_TRUE)
			take_text(s, BUS_STR("true"), nulls);
		else if (cell->tree && cell->tree->type == BUS_JSON_FALSE)
			take_text(s, BUS_STR("false"), nulls);
		else
			bad(m, s, MAP_WHY_TREE);
		break;
	case ADAPTER_BROKEN:
		bad(m, s, (enum map_why)(MAP_WHY_CELL_ERROR + (int)cell->broken));
		break;
	}
}

static void take_json(struct adapter_map *m, struct map_slot *s, const struct bus_json *v,
		      const struct map_texts *nulls)
{
	struct adapter_cell cell = { .kind = ADAPTER_TREE, .tree = v };

	if (!v || v->type == BUS_JSON_NULL)
		cell.kind = ADAPTER_MISSING;
	else if (v->type == BUS_JSON_STRING)
		cell = (struct adapter_cell){ .kind = ADAPTER_TEXT, .text = v->text };
	else if (v->type == BUS_JSON_NUMBER)
		cell = (struct adapter_cell){ .kind = ADAPTER_NUMBER, .text = v->text };
	take_cell(m, s, &cell, nulls, false);
}

static const struct bus_json *follow(const struct bus_json *v, const struct map_path *p)
{
	for (size_t i = 0; v && i < p->n; i++)
		v = v->type == BUS_JSON_OBJECT ? bus_json_get(v, p->name[i]) : NULL;
	return v;
}

/* Parts that are nothing count as empty; when all are, so is the whole. */
static void join(struct adapter_map *m, struct map_slot *s, const struct map_parts *p,
		 const struct map_slot *slot)
{
	size_t n = p->with.n * (p->n - 1);
	bool some = false;
	char *to;

	for (size_t i = 0; i < p->n; i++) {
		if (slot[p->slot[i]].state == MAP_GOOD) {
			n += slot[p->slot[i]].text.n;
			some = true;
		}
	}
	if (!some)
		return;
	if (p->n == 1) {
		s->text = slot[p->slot[0]].text;
		s->state = MAP_GOOD;
		return;
	}
	to = room(m, s, n + 1);
	if (!to)
		return;
	s->text = (struct bus_str){ to, n };
	for (size_t i = 0; i < p->n; i++) {
		const struct map_slot *part = &slot[p->slot[i]];

		if (i > 0 && p->with.n > 0) {
			memcpy(to, p->with.p, p->with.n);
			to += p->with.n;
		}
		if (part->state == MAP_GOOD) {
			memcpy(to, part->text.p, part->text.n);
			to += part->text.n;
		}
	}
	s->state = MAP_GOOD;
}

static size_t cache_place(struct bus_str v)
{
	uint64_t a = 0, b = 0;

	memcpy(&a, v.p, v.n < 8 ? v.n : 8);
	if (v.n > 8)
		memcpy(&b, v.p + v.n - 8, 8);
	a = (a ^ (b * 0x9e3779b97f4a7c15u) ^ v.n) * 0xd6e8feb86659fd93u;
	return (size_t)(a >> 32) & (MAP_CACHE - 1);
}

/* A family's rows stand together, a tax payer's too: the last pseudonyms are worth remembering. */
static void pseudonym(struct adapter_map *m, struct map_slot *s, const struct map_parts *p,
		      const struct map_slot *slot)
{
	struct map_cache_entry *e = NULL;
	char hex[BUS_PSEUDONYM_LEN + 1];
	char *to;

	join(m, s, p, slot);
	if (s->state != MAP_GOOD)
		return;
	to = room(m, s, BUS_PSEUDONYM_LEN);
	if (!to)
		return;
	if (s->text.n <= MAP_CACHE_VALUE) {
		e = &p->cache[cache_place(s->text)];
		if (e->len == s->text.n && memcmp(e->value, s->text.p, s->text.n) == 0) {
			memcpy(to, e->hex, BUS_PSEUDONYM_LEN);
			s->text = (struct bus_str){ to, BUS_PSEUDONYM_LEN };
			return;
		}
	}
	bus_pseudonym_make(m->pseudonym, p->domain, s->text, hex);
	memcpy(to, hex, BUS_PSEUDONYM_LEN);
	if (e) {
		e->len = (uint8_t)s->text.n;
		memcpy(e->value, s->text.p, s->text.n);
		memcpy(e->hex, hex, BUS_PSEUDONYM_LEN);
	}
	s->text = (struct bus_str){ to, BUS_PSEUDONYM_LEN };
}

static void each(struct adapter_map *m, struct map_slot *s, const struct map_each *e,
		 const struct adapter_row *row, const struct bus_json *item)
{
	const struct bus_json *list = NULL;
	struct map_slot *to;

	if (e->cell) {
		const struct adapter_cell *cell = &row->cell[e->column];

		if (cell->kind == ADAPTER_MISSING || cell->kind == ADAPTER_NULL)
			return;
		if (cell->kind == ADAPTER_TREE)
			list = cell->tree;
	} else {
		list = follow(item, e->path);
		if (!list || list->type == BUS_JSON_NULL)
			return;
	}
	if (!list || list->type != BUS_JSON_ARRAY) {
		bad(m, s, MAP_WHY_LIST);
		return;
	}
	if (list->n > MAP_ITEMS_MAX) {
		bad(m, s, MAP_WHY_MANY);
		return;
	}
	to = (struct map_slot *)(void *)room(m, s, (list->n * e->item->n_slots + 1) * sizeof(*to));
	if (!to)
		return;
	s->state = MAP_GOOD;
	s->items = (struct map_items){ to, list->n };
	for (const struct bus_json *v = list->first; v; v = v->next, to += e->item->n_slots) {
		bool outer = m->some_bad, item_bad = e->record && v->type != BUS_JSON_OBJECT;

		adapter_map_run(m, e->item, to, NULL, v);
		for (size_t i = 0; i < e->item->n_strict; i++)
			item_bad |= to[e->item->strict[i]].state == MAP_BAD;
		if (!e->record && to[e->scalar].state != MAP_GOOD)
			item_bad = true;
		m->some_bad = outer; /* an item's own trouble is the list's, or nobody's */
		if (item_bad)
			s->state = MAP_BAD;
	}
	if (s->state == MAP_BAD)
		bad(m, s, MAP_WHY_ITEM);
}

/* ---- conversions ---- */

static void set_text(struct map_slot *s, char *p, size_t n)
{
	s->text = (struct bus_str){ p, n };
	if (n == 0)
		s->state = MAP_NOTHING;
}

static void clean(struct adapter_map *m, struct map_slot *s)
{
	char *to;

	if (!adapter_map_clean_needed(s->text))
		return;
	to = room(m, s, s->text.n);
	if (to)
		set_text(s, to, adapter_map_clean(s->text, to));
}

static void letters(struct adapter_map *m, struct map_slot *s, bool upper)
{
	char *to = room(m, s, s->text.n);

	if (to)
		set_text(s, to, adapter_map_case(s->text, upper, to));
}

static void strip(struct map_slot *s, struct bus_str prefix)
{
	if (s->text.n < prefix.n || memcmp(s->text.p, prefix.p, prefix.n) != 0)
		return;
	s->text = adapter_map_trim((struct bus_str){ s->text.p + prefix.n, s->text.n - prefix.n });
	if (s->text.n == 0)
		s->state = MAP_NOTHING;
}

static void remove_all(struct adapter_map *m, struct map_slot *s, struct bus_str what)
{
	size_t n = 0;
	char *to;

	if (!memmem(s->text.p, s->text.n, what.p, what.n))
		return;
	to = room(m, s, s->text.n);
	if (!to)
		return;
	for (size_t i = 0; i < s->text.n;) {
		if (s->text.n - i >= what.n && memcmp(s->text.p + i, what.p, what.n) == 0)
			i += what.n;
		else
			to[n++] = s->text.p[i++];
	}
	set_text(s, to, n);
}

static enum map_why digits(struct bus_str s, size_t least, size_t most)
{
	if (s.n < least || s.n > most)
		return MAP_WHY_LENGTH;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return MAP_WHY_DIGITS;
	return MAP_WHY_NONE;
}

static enum map_why words(struct map_slot *s, const struct map_words *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (adapter_map_same_word(s->text, w->pair[i].word)) {
			s->text = w->pair[i].gives;
			return MAP_WHY_NONE;
		}
	}
	return MAP_WHY_WORD;
}

/* The day in WIB on which the code was used. */
static int64_t day_of(const struct map_slot *on, bool time)
{
	int64_t ms;

	if (on->state != MAP_GOOD)
		return MAP_NO_DAY;
	if (!time)
		return on->whole;
	ms = on->whole + WIB_MS;
	return ms / DAY_MS - (ms % DAY_MS < 0);
}

static enum map_why lookup(struct adapter_map *m, struct map_slot *slot, struct map_slot *s,
			   const struct map_lookup *l)
{
	const struct map_slot *on = l->outer ? &m->slot[l->on] : &slot[l->on];
	struct bus_str gives;
	enum map_why why = adapter_map_ref_find(l, s->text, l->dated ? day_of(on, l->time) : MAP_NO_DAY,
						&gives, &s->alt, &s->translated);

	if (why != MAP_WHY_NONE)
		return why;
	if (l->give) {
		s->text = gives;
		if (gives.n == 0)
			s->state = MAP_NOTHING;
	}
	return MAP_WHY_NONE;
}

static enum map_why identifier(struct adapter_map *m, struct map_slot *s, const struct map_id *id)
{
	char *to = room(m, s, (size_t)id->digits + 1);
	enum map_why doubt, why;

	if (!to)
		return MAP_WHY_NONE;
	why = adapter_map_id(id, s->text, s->number, to, &s->text.n, &doubt);
	if (why != MAP_WHY_NONE)
		return why;
	s->text.p = to;
	s->doubt = (uint8_t)doubt;
	m->some_doubt |= doubt != MAP_WHY_NONE;
	return MAP_WHY_NONE;
}

static enum map_why decimal(struct adapter_map *m, struct map_slot *s, char mark)
{
	char *to = room(m, s, MAP_DECIMAL_MAX);
	enum map_why why;

	if (!to)
		return MAP_WHY_NONE;
	why = adapter_map_decimal(s->text, mark, s->number, to, &s->text.n);
	s->text.p = to;
	return why;
}

static const struct map_texts *texts_of(const struct map_op *op)
{
	return op->arg;
}

static void convert(struct adapter_map *m, const struct map_op *op, struct map_slot *slot)
{
	struct map_slot *s = &slot[op->slot];
	enum map_why why = MAP_WHY_NONE;
	int64_t days = 0;
	char sex = 'L';

	switch ((enum map_op_kind)op->kind) {
	case MAP_OP_CLEAN:
		clean(m, s);
		return;
	case MAP_OP_UPPER:
	case MAP_OP_LOWER:
		letters(m, s, op->kind == MAP_OP_UPPER);
		return;
	case MAP_OP_STRIP:
		strip(s, texts_of(op)->text[0]);
		return;
	case MAP_OP_REMOVE:
		remove_all(m, s, texts_of(op)->text[0]);
		return;
	case MAP_OP_NULLS:
		if (adapter_map_texts_have(texts_of(op), s->text))
			s->state = MAP_NOTHING;
		return;
	case MAP_OP_CUT:
		why = adapter_map_cut(s->text, op->from, op->to, &s->text);
		break;
	case MAP_OP_DIGITS:
		why = digits(s->text, op->from, op->to);
		break;
	case MAP_OP_NIK:
		why = adapter_map_nik(s->text, m->century, &days, &sex);
		break;
	case MAP_OP_NIK_DATE:
		why = adapter_map_nik(s->text, m->century, &days, &sex);
		s->whole = days;
		break;
	case MAP_OP_NIK_SEX:
		why = adapter_map_nik(s->text, m->century, &days, &sex);
		s->text = sex == 'P' ? BUS_STR("P") : BUS_STR("L");
		break;
	case MAP_OP_DATE:
		why = adapter_map_date_read(op->arg, s->text, &days, &s->alt);
		s->whole = days;
		break;
	case MAP_OP_TIME:
		why = adapter_map_time_read(op->arg, s->text, &days, &s->alt);
		s->whole = days;
		break;
	case MAP_OP_WHOLE:
		why = adapter_map_whole(s->text, &days);
		s->whole = days;
		break;
	case MAP_OP_RUPIAH:
		why = s->number ? adapter_map_rupiah_number(s->text, &days)
				: adapter_map_rupiah(s->text, &days);
		s->whole = days;
		break;
	case MAP_OP_DECIMAL:
		why = decimal(m, s, (char)op->from);
		break;
	case MAP_OP_ID:
		why = identifier(m, s, op->arg);
		break;
	case MAP_OP_WORDS:
		why = words(s, op->arg);
		break;
	case MAP_OP_LOOKUP:
		why = lookup(m, slot, s, op->arg);
		break;
	default:
		__builtin_unreachable();
	}
	if (why != MAP_WHY_NONE)
		bad(m, s, why);
}

static void begin(struct adapter_map *m, const struct map_op *op, struct map_slot *slot,
		  const struct adapter_row *row, const struct bus_json *item)
{
	struct map_slot *s = &slot[op->slot];
	const struct map_parts *p = op->arg;

	*s = (struct map_slot){ .state = MAP_NOTHING };
	switch ((enum map_op_kind)op->kind) {
	case MAP_OP_CELL:
		take_cell(m, s, &row->cell[op->column], op->nulls, op->amount);
		break;
	case MAP_OP_MEMBER:
		take_json(m, s, follow(item, op->arg), op->nulls);
		break;
	case MAP_OP_ITEM:
		take_json(m, s, item, op->nulls);
		break;
	case MAP_OP_COPY:
		if (slot[op->other].state == MAP_GOOD)
			*s = slot[op->other];
		break;
	case MAP_OP_CONST:
		s->state = MAP_GOOD;
		s->text = texts_of(op)->text[0];
		break;
	case MAP_OP_JOIN:
		join(m, s, p, slot);
		break;
	case MAP_OP_FIRST:
		for (size_t i = 0; i < p->n && s->state != MAP_GOOD; i++)
			if (slot[p->slot[i]].state == MAP_GOOD)
				*s = slot[p->slot[i]];
		break;
	case MAP_OP_PSEUDONYM:
		pseudonym(m, s, p, slot);
		break;
	case MAP_OP_EACH:
		each(m, s, op->arg, row, item);
		break;
	default:
		__builtin_unreachable();
	}
}

void adapter_map_run(struct adapter_map *m, const struct map_program *p, struct map_slot *slot,
		     const struct adapter_row *row, const struct bus_json *item)
{
	for (const struct map_op *op = p->op, *end = op + p->n_ops; op < end; op++) {
		if (op->kind < MAP_OP_CONVERSIONS)
			begin(m, op, slot, row, item);
		else if (slot[op->slot].state == MAP_GOOD)
			convert(m, op, slot);
	}
}
