/* A folder of vectors: its files, lines and counts. */
#include "tests/support/vectors.h"

#include <errno.h>
#include <stdarg.h>
#include <zlib.h>

#define LINE_MAX_BYTES ((size_t)64 * 1024 * 1024)

const struct vectors_set vectors_set[VECTORS_SETS] = {
	{ "canonical", vectors_canonical },
	{ "invalid_schemas", vectors_invalid },
	{ "encode", vectors_encode },
	{ "encode_errors", vectors_encode_error },
	{ "resolve", vectors_resolve },
	{ "compat", vectors_compat },
	{ "compat_chain", vectors_chain },
	{ "malformed_binary", vectors_malformed },
	{ "ocf", vectors_ocf },
	{ "single_object", vectors_single_object },
};

bool vectors_differ(struct vectors_case *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	return false;
}

struct bus_str vectors_text(const struct vectors_case *c, const char *name)
{
	const struct bus_json *v = bus_json_get(c->line, name);

	return v && (v->type == BUS_JSON_STRING || v->type == BUS_JSON_NUMBER) ? v->text
									       : (struct bus_str){ "", 0 };
}

bool vectors_is(const struct vectors_case *c, const char *name, const char *value)
{
	return bus_str_is(vectors_text(c, name), value);
}

void vectors_hex(struct bus_str hex, struct bus_buf *out)
{
	bus_buf_reset(out);
	for (size_t i = 0; i + 1 < hex.n; i += 2) {
		char pair[3] = { hex.p[i], hex.p[i + 1], '\0' };

		bus_buf_putc(out, (char)strtol(pair, NULL, 16));
	}
}

struct schema *vectors_schema(struct vectors_case *c, struct bus_str text)
{
	struct bus_error err = { 0 };
	struct schema *s = NULL;

	if (schema_parse(text, SCHEMA_LENIENT, NULL, 0, &s, &err) != BUS_OK)
		(void)vectors_differ(c, "schema refused: %s", err.text);
	return s;
}

/* One line without its end, of any length; false at the end of the file. */
static bool read_line(gzFile f, struct bus_buf *line)
{
	bus_buf_reset(line);
	while (line->n < LINE_MAX_BYTES) {
		bus_buf_reserve(line, 65536);
		if (!gzgets(f, line->p + line->n, 65536))
			return line->n > 0;
		line->n += strlen(line->p + line->n);
		if (line->p[line->n - 1] == '\n') {
			line->n--;
			return true;
		}
	}
	return true;
}

static gzFile open_set(const char *folder, const char *name)
{
	static const char *const ending[] = { "jsonl", "jsonl.gz" };
	gzFile f = NULL;

	for (size_t i = 0; i < BUS_LEN(ending) && !f; i++) {
		char *path = bus_xasprintf("%s/%s.%s", folder, name, ending[i]);

		f = gzopen(path, "rb"); /* reads plain files too */
		free(path);
	}
	return f;
}

/* Why the oracles do not agree on a case; false when they do. What one of them said beside Avro Java's answer
 * is in `contested`; `expect` marks where the rules leave two answers, of one kind a category. */
static bool disagreement(const struct vectors_case *c, struct bus_buf *kind)
{
	static const char *const open[] = { "java_accepts", "policy", "lenient_ok" };
	static const char *const noted[] = { "java-lenient", "utf-name", "does not notice" };
	const struct bus_json *contested = bus_json_get(c->line, "contested");
	struct bus_str category = vectors_text(c, "category");
	struct bus_str note = vectors_text(c, "note");

	for (const struct bus_json *v = contested ? contested->first : NULL; v; v = v->next)
		bus_buf_printf(kind, "%s%.*s", kind->n > 0 ? "; " : "", (int)v->text.n, v->text.p);
	for (size_t i = 0; i < BUS_LEN(open); i++)
		if (vectors_is(c, "expect", open[i]))
			bus_buf_printf(kind, "%s: %.*s", open[i], (int)category.n, category.p);
	for (size_t i = 0; i < BUS_LEN(noted) && kind->n == 0; i++)
		if (note.n > 0 && memmem(note.p, note.n, noted[i], strlen(noted[i])))
			bus_buf_printf(kind, "%.*s", (int)note.n, note.p);
	return kind->n > 0;
}

static void count_kind(struct vectors_oracles *o, const char *set, const char *text)
{
	for (size_t i = 0; i < o->n_kinds; i++)
		if (strcmp(o->kind[i].set, set) == 0 && strcmp(o->kind[i].text, text) == 0) {
			o->kind[i].cases++;
			return;
		}
	o->kind = bus_xrealloc(o->kind, (o->n_kinds + 1) * sizeof(*o->kind));
	o->kind[o->n_kinds++] = (struct vectors_kind){ set, bus_xstrdup(text), 1 };
}

void vectors_oracles_release(struct vectors_oracles *o)
{
	for (size_t i = 0; i < o->n_kinds; i++)
		free(o->kind[i].text);
	free(o->kind);
	*o = (struct vectors_oracles){ 0 };
}

static void note_disagreement(struct vectors_oracles *o, const struct vectors_case *c, const char *set,
			      const char *side, struct bus_buf *kind)
{
	struct bus_str id = vectors_text(c, "id");
	struct bus_str why = vectors_text(c, "why");
	char *text = bus_xasprintf("%s (%s)", side, bus_buf_cstr(kind));

	count_kind(o, set, text);
	if (o->each)
		fprintf(o->each, "%s\t%.*s\t%s\t%s\t%.*s\n", set, (int)id.n, id.p, side, kind->p, (int)why.n,
			why.p);
	free(text);
}

static void run_case(struct vectors_case *c, const struct vectors_set *set, FILE *out,
		     struct vectors_oracles *oracles, struct vectors_count *count)
{
	struct bus_str id = vectors_text(c, "id");
	struct bus_buf kind = { 0 };
	bool equal = set->run(c);

	count->cases++;
	if (equal) {
		count->equal++;
	} else {
		count->different++;
		fprintf(out, "%s %.*s: %s\n", set->name, (int)id.n, id.p, c->why);
	}
	if (disagreement(c, &kind)) {
		count->contested++;
		if (oracles)
			note_disagreement(oracles, c, set->name,
					  !equal       ? "DIFFERENT"
					  : c->ours[0] ? c->ours
						       : "as Avro Java",
					  &kind);
	}
	bus_buf_release(&kind);
}

bool vectors_run(const char *folder, const struct vectors_set *set, FILE *out,
		 struct vectors_oracles *oracles, struct vectors_count *count)
{
	const struct bus_json_limits limits = { .text = LINE_MAX_BYTES };
	struct bus_arena *arena = bus_arena_new(0);
	gzFile f = open_set(folder, set->name);
	struct bus_buf text = { 0 };
	size_t number = 0;

	*count = (struct vectors_count){ 0 };
	while (f && read_line(f, &text)) {
		struct vectors_case c = { .folder = folder };
		struct bus_error err = { 0 };
		struct bus_json *line;

		number++;
		bus_arena_reset(arena);
		if (text.n == 0)
			continue;
		if (bus_json_parse(bus_buf_str(&text), &limits, arena, &line, &err) == BUS_OK) {
			c.line = line;
			run_case(&c, set, out, oracles, count);
			continue;
		}
		count->cases++;
		count->different++;
		fprintf(out, "%s: line %zu is no JSON: %s\n", set->name, number, err.text);
	}
	bus_buf_release(&text);
	bus_arena_free(&arena);
	if (f)
		gzclose(f);
	return f != NULL;
}
