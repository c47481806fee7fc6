/* schemas/avro/words.h - sentences about schemas, each in English and Indonesian; types as people write them.
 * Thread: any. */
#ifndef SCHEMAS_AVRO_WORDS_H
#define SCHEMAS_AVRO_WORDS_H

#include "bus/arena.h"
#include "bus/json_out.h"
#include "schemas/avro/schema.h"

#define SCHEMA_WORDS_MAX 200 /* bytes of one value in a sentence; a longer one ends in "..." */

struct schema_sentence {
	const char *en, *id;
};

/* What stands for "{name}" in a sentence; texts NULL: nothing. */
struct schema_word {
	const char *name;
	struct schema_sentence text;
};

#define SCHEMA_SAME(text)                                                                                    \
	{                                                                                                    \
		(text), (text)                                                                               \
	}

/* The sentence filled in; texts in the arena, NULL when it is full. */
struct schema_sentence schema_words_fill(struct bus_arena *arena, struct schema_sentence form,
					 const struct schema_word *word, size_t n);
/* One after the other. */
struct schema_sentence schema_words_join(struct bus_arena *arena, struct schema_sentence a,
					 struct schema_sentence b);
/* "field 'a.b'", "kolom 'a.b'"; "the schema", "skema" for an empty path. Texts in the arena. */
struct schema_sentence schema_words_at(struct bus_arena *arena, const char *path);

/* Writes {"en": ..., "id": ...} as members of the open object. */
void schema_words_put(struct bus_json_out *j, struct schema_sentence sentence);

/* Appends "string", "int:date", "bytes:decimal(12,2)", "null | string", "array<Orang>", "fixed(16) Sidik". */
void schema_words_type(const struct schema_node *node, struct bus_buf *out);
/* Appends the value as JSON, cut at SCHEMA_WORDS_MAX. */
void schema_words_json(const struct bus_json *v, struct bus_buf *out);
const char *schema_logical_name(enum schema_logical logical); /* "date"; NULL: none */

#endif
