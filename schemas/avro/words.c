#include "schemas/avro/words.h"

#include "schemas/avro/schema_impl.h"

#define TYPE_DEPTH_MAX 6 /* of arrays and maps in a type's words */

static void put_word(struct bus_buf *out, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	if (n > SCHEMA_WORDS_MAX) {
		n = SCHEMA_WORDS_MAX;
		while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
			n--;
		bus_buf_put(out, text, n);
		text = "...";
		n = 3;
	}
	bus_buf_put(out, text, n);
}

static const char *fill(struct bus_arena *arena, const char *form, bool indonesian,
			const struct schema_word *word, size_t n)
{
	struct bus_buf out = { 0 };
	const char *text;

	for (const char *c = form; *c; c++) {
		size_t i = 0;
		size_t len = *c == '{' ? strcspn(c, "}") - 1 : 0;

		while (i < n && !(strlen(word[i].name) == len && strncmp(word[i].name, c + 1, len) == 0))
			i++;
		if (len == 0 || i == n) {
			bus_buf_putc(&out, *c);
			continue;
		}
		put_word(&out, indonesian ? word[i].text.id : word[i].text.en);
		c += len + 1;
	}
	/* A sentence may begin with a word that is not one's first elsewhere: "field 'a'". */
	if (form[0] == '{' && out.n > 0 && out.p[0] >= 'a' && out.p[0] <= 'z')
		out.p[0] = (char)(out.p[0] - 'a' + 'A');
	text = bus_arena_dup(arena, out.n > 0 ? out.p : "", out.n);
	bus_buf_release(&out);
	return text;
}

struct schema_sentence schema_words_fill(struct bus_arena *arena, struct schema_sentence form,
					 const struct schema_word *word, size_t n)
{
	return (struct schema_sentence){ fill(arena, form.en, false, word, n),
					 fill(arena, form.id, true, word, n) };
}

static const char *join(struct bus_arena *arena, const char *a, const char *b)
{
	size_t n = a ? strlen(a) : 0;
	size_t m = b ? strlen(b) : 0;
	char *text = bus_arena_zalloc(arena, n + m + 1);

	if (text && n > 0)
		memcpy(text, a, n);
	if (text && m > 0)
		memcpy(text + n, b, m);
	return text;
}

struct schema_sentence schema_words_join(struct bus_arena *arena, struct schema_sentence a,
					 struct schema_sentence b)
{
	return (struct schema_sentence){ join(arena, a.en, b.en), join(arena, a.id, b.id) };
}

struct schema_sentence schema_words_at(struct bus_arena *arena, const char *path)
{
	const struct schema_sentence form = { "field '{path}'", "kolom '{path}'" };
	const struct schema_word word = { "path", SCHEMA_SAME(path) };

	if (!path[0])
		return (struct schema_sentence){ "the schema", "skema" };
	return schema_words_fill(arena, form, &word, 1);
}

void schema_words_put(struct bus_json_out *j, struct schema_sentence sentence)
{
	bus_json_key(j, "en");
	bus_json_put_text(j, sentence.en);
	bus_json_key(j, "id");
	bus_json_put_text(j, sentence.id);
}

const char *schema_logical_name(enum schema_logical logical)
{
	static const char *const name[] = {
		[SCHEMA_DATE] = "date",
		[SCHEMA_TIME_MILLIS] = "time-millis",
		[SCHEMA_TIME_MICROS] = "time-micros",
		[SCHEMA_TIMESTAMP_MILLIS] = "timestamp-millis",
		[SCHEMA_TIMESTAMP_MICROS] = "timestamp-micros",
		[SCHEMA_LOCAL_TIMESTAMP_MILLIS] = "local-timestamp-millis",
		[SCHEMA_LOCAL_TIMESTAMP_MICROS] = "local-timestamp-micros",
		[SCHEMA_DECIMAL] = "decimal",
		[SCHEMA_BIG_DECIMAL] = "big-decimal",
		[SCHEMA_UUID] = "uuid",
		[SCHEMA_DURATION] = "duration",
		[SCHEMA_TIMESTAMP_NANOS] = "timestamp-nanos",
		[SCHEMA_LOCAL_TIMESTAMP_NANOS] = "local-timestamp-nanos",
	};

	return (size_t)logical < BUS_LEN(name) ? name[logical] : NULL;
}

static void put_type(const struct schema_node *node, int depth, struct bus_buf *out)
{
	if (depth == TYPE_DEPTH_MAX || out->n > SCHEMA_WORDS_MAX) {
		bus_buf_puts(out, "...");
		return;
	}
	switch (node->type) {
	case SCHEMA_UNION:
		for (size_t i = 0; i < node->n && out->n <= SCHEMA_WORDS_MAX; i++) {
			bus_buf_puts(out, i ? " | " : "");
			put_type(node->branch[i], depth + 1, out);
		}
		return;
	case SCHEMA_ARRAY:
	case SCHEMA_MAP:
		bus_buf_printf(out, "%s<", schema_type_name(node->type));
		put_type(node->item, depth + 1, out);
		bus_buf_putc(out, '>');
		return;
	case SCHEMA_FIXED:
		bus_buf_printf(out, "fixed(%zu) %s", node->size, schema_short_name(node->name));
		break;
	case SCHEMA_RECORD:
	case SCHEMA_ENUM:
		bus_buf_printf(out, "%s %s", schema_type_name(node->type), schema_short_name(node->name));
		return;
	default:
		bus_buf_puts(out, schema_type_name(node->type));
	}
	if (node->logical == SCHEMA_DECIMAL)
		bus_buf_printf(out, ":decimal(%d,%d)", node->precision, node->scale);
	else if (node->logical != SCHEMA_LOGICAL_NONE)
		bus_buf_printf(out, ":%s", schema_logical_name(node->logical));
}

void schema_words_type(const struct schema_node *node, struct bus_buf *out)
{
	struct bus_buf text = { 0 };

	put_type(node, 0, &text);
	bus_buf_put(out, text.p, text.n);
	bus_buf_release(&text);
}

/* Recursion: as deep as the schema's JSON is. What is too long to be shown is not written to its end. */
static void put_json(struct bus_json_out *j, const struct bus_json *v, int depth)
{
	switch (v->type) {
	case BUS_JSON_OBJECT:
	case BUS_JSON_ARRAY:
		if (depth > 16 || j->buf->n > SCHEMA_WORDS_MAX) {
			bus_json_put_text(j, "...");
			break;
		}
		if (v->type == BUS_JSON_OBJECT)
			bus_json_object(j);
		else
			bus_json_array(j);
		for (const struct bus_json *c = v->first; c && j->buf->n <= SCHEMA_WORDS_MAX; c = c->next) {
			if (v->type == BUS_JSON_OBJECT)
				bus_json_key_str(j, c->name);
			put_json(j, c, depth + 1);
		}
		if (v->type == BUS_JSON_OBJECT)
			bus_json_object_end(j);
		else
			bus_json_array_end(j);
		break;
	case BUS_JSON_STRING:
		bus_json_put_str(j, v->text);
		break;
	case BUS_JSON_NUMBER:
		bus_json_put_raw(j, v->text);
		break;
	case BUS_JSON_TRUE:
	case BUS_JSON_FALSE:
		bus_json_put_bool(j, v->type == BUS_JSON_TRUE);
		break;
	default:
		bus_json_put_null(j);
	}
}

void schema_words_json(const struct bus_json *v, struct bus_buf *out)
{
	struct bus_buf text = { 0 };
	struct bus_json_out j = { .buf = &text };

	put_json(&j, v, 0);
	bus_buf_put(out, text.p, text.n < SCHEMA_WORDS_MAX + 20 ? text.n : SCHEMA_WORDS_MAX + 20);
	bus_buf_release(&text);
}
