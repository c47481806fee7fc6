#include "schemas/avro/explain.h"

#include "schemas/avro/compat_impl.h"

#define STEPS_MAX 1000 /* causes of causes looked at, for one of Java's reasons */

enum { NEW_READS, OLD_READS };

/* Each for a new reader of old records and for an old reader of new ones. */
struct form {
	const char *reason, *code;
	struct schema_sentence what[2], mend[2];
};

#define MEND_KEEP_TYPE_EN "Keep {writer}, or add a new field with a default for the new type."
#define MEND_KEEP_TYPE_ID                                                                                    \
	"Pertahankan {writer}, atau tambahkan kolom baru dengan nilai bawaan untuk tipe baru."

static const struct form forms[] = {
	{ "READER_FIELD_MISSING_DEFAULT_VALUE",
	  "field_without_default",
	  { { "{at} is new and has no default", "{at} baru dan tidak punya nilai bawaan" },
	    { "{at} is gone and had no default", "{at} dihapus dan tadinya tidak punya nilai bawaan" } },
	  { { "Give it a default, for example type [\"null\", ...] with \"default\": null.",
	      "Beri nilai bawaan, misalnya tipe [\"null\", ...] dengan \"default\": null." },
	    { "Keep it; or first register a version in which it has a default, move every consumer there, "
	      "then "
	      "remove it.",
	      "Pertahankan; atau daftarkan dahulu versi yang memberinya nilai bawaan, pindahkan semua "
	      "pemakai ke "
	      "versi itu, baru hapus." } } },
	{ "TYPE_MISMATCH",
	  "type_mismatch",
	  { { "{at} was {writer} and is now {reader}", "{at} tadinya {writer} dan sekarang {reader}" },
	    { "{at} was {reader} and is now {writer}", "{at} tadinya {reader} dan sekarang {writer}" } },
	  { { MEND_KEEP_TYPE_EN, MEND_KEEP_TYPE_ID },
	    { "Keep {reader}, or add a new field with a default for the new type.",
	      "Pertahankan {reader}, atau tambahkan kolom baru dengan nilai bawaan untuk tipe baru." } } },
	{ "MISSING_UNION_BRANCH",
	  "union_branch_missing",
	  { { "{at} could hold {writer} and now takes only {reader}",
	      "{at} dahulu boleh berisi {writer} dan sekarang hanya {reader}" },
	    { "{at} may now hold {writer}, before it took only {reader}",
	      "{at} sekarang boleh berisi {writer}, dahulu hanya {reader}" } },
	  { { "Keep {writer} in the union.", "Pertahankan {writer} dalam union." },
	    { "Add {writer} to the union in a version that every consumer has before anyone writes it.",
	      "Tambahkan {writer} ke union dalam versi yang sudah dipakai semua pemakai sebelum ada yang "
	      "menulisnya." } } },
	{ "MISSING_ENUM_SYMBOLS",
	  "enum_symbols_missing",
	  { { "{at} no longer has the symbols {message}", "{at} tidak lagi punya simbol {message}" },
	    { "{at} has new symbols {message}", "{at} punya simbol baru {message}" } },
	  { { "Keep the symbols, or give the enum a \"default\" that stands for unknown ones.",
	      "Pertahankan simbolnya, atau beri enum \"default\" untuk simbol yang tidak dikenal." },
	    { "First register a version whose enum has a \"default\", move every consumer there, then add "
	      "the "
	      "symbols.",
	      "Daftarkan dahulu versi yang enum-nya punya \"default\", pindahkan semua pemakai ke versi itu, "
	      "baru "
	      "tambahkan simbolnya." } } },
	{ "FIXED_SIZE_MISMATCH",
	  "fixed_size_mismatch",
	  { { "{at} was {writer} and is now {reader}", "{at} tadinya {writer} dan sekarang {reader}" },
	    { "{at} was {reader} and is now {writer}", "{at} tadinya {reader} dan sekarang {writer}" } },
	  { { "Keep the size; a fixed of another size is another type: give it a new name and a new field.",
	      "Pertahankan ukurannya; fixed berukuran lain adalah tipe lain: beri nama baru dan kolom "
	      "baru." },
	    { "Keep the size; a fixed of another size is another type: give it a new name and a new field.",
	      "Pertahankan ukurannya; fixed berukuran lain adalah tipe lain: beri nama baru dan kolom "
	      "baru." } } },
	{ "NAME_MISMATCH",
	  "name_mismatch",
	  { { "{at}: the type {writer_name} is now called {reader_name}",
	      "{at}: tipe {writer_name} sekarang bernama {reader_name}" },
	    { "{at}: the type {reader_name} is now called {writer_name}",
	      "{at}: tipe {reader_name} sekarang bernama {writer_name}" } },
	  { { "Add \"aliases\": [\"{writer_name}\"] to {reader_name}.",
	      "Tambahkan \"aliases\": [\"{writer_name}\"] pada {reader_name}." },
	    { "Keep the name {reader_name}: consumers that are there already know no alias of it.",
	      "Pertahankan nama {reader_name}: pemakai yang sudah ada tidak mengenal aliasnya." } } },
	{ "EXCEPTION",
	  "not_comparable",
	  { { "The schemas cannot be compared ({message})", "Skema tidak dapat dibandingkan ({message})" },
	    { "The schemas cannot be compared ({message})", "Skema tidak dapat dibandingkan ({message})" } },
	  { { "Let each field have one name and no alias that another field has; split a very large schema.",
	      "Pastikan tiap kolom punya satu nama dan tidak ada alias yang dipakai kolom lain; pecah skema "
	      "yang "
	      "sangat besar." },
	    { "Let each field have one name and no alias that another field has; split a very large schema.",
	      "Pastikan tiap kolom punya satu nama dan tidak ada alias yang dipakai kolom lain; pecah skema "
	      "yang "
	      "sangat besar." } } },
};

static const struct schema_sentence consequence[2] = {
	{ ": consumers on the new schema cannot read records written under the old one.",
	  ": pemakai skema baru tidak dapat membaca rekaman yang ditulis dengan skema lama." },
	{ ": consumers still on the old schema cannot read records written under the new one.",
	  ": pemakai yang masih memakai skema lama tidak dapat membaca rekaman yang ditulis dengan skema "
	  "baru." },
};

/* Mends that fit better than the form's. */
static const struct schema_sentence mend_optional = { "Keep it optional: [\"null\", ...].",
						      "Biarkan boleh kosong: [\"null\", ...]." };
static const struct schema_sentence mend_readers_first = {
	"Move every consumer to the new schema before anyone writes with it: it reads both.",
	"Pindahkan semua pemakai ke skema baru sebelum ada yang menulis dengannya: skema baru membaca "
	"keduanya."
};
static const struct schema_sentence hint_rename[2] = {
	{ " If it is '{name}' under a new name, add \"aliases\": [\"{name}\"].",
	  " Jika ini '{name}' dengan nama baru, tambahkan \"aliases\": [\"{name}\"]." },
	{ " If it is now called '{name}', old consumers cannot know: keep the old name.",
	  " Jika sekarang bernama '{name}', pemakai lama tidak dapat mengetahuinya: pertahankan nama lama." },
};

/* The only field of the writer's record that the reader's lacks, if it has the missing field's type: perhaps
 * it is the same one under another name. */
static const char *other_name(const struct schema_reason_place *place)
{
	const struct schema_node *reader = place->node[0], *writer = place->node[1];
	const struct schema_field *found = NULL;

	for (size_t i = 0; i < writer->n; i++) {
		if (schema_field_find(reader, writer->field[i].name, NULL))
			continue;
		if (found)
			return NULL;
		found = &writer->field[i];
	}
	return found && found->type->type == place->missing->type->type ? found->name : NULL;
}

static bool is(const struct form *form, const char *code)
{
	return strcmp(form->code, code) == 0;
}

static struct schema_sentence choose_mend(const struct form *form, const struct schema_reason_place *place,
					  int who)
{
	const struct schema_node *r = place ? place->node[0] : NULL, *w = place ? place->node[1] : NULL;

	if (!is(form, "type_mismatch") || !place)
		return form->mend[who];
	if (who == NEW_READS)
		return w->type == SCHEMA_NULL ? mend_optional : form->mend[who];
	return w->type == SCHEMA_NULL || schema_promotes(r->type, w->type) ? mend_readers_first
									   : form->mend[who];
}

/* The sentences; false: no memory left. */
static bool tell(struct schema_explanation *e, const struct form *form, const struct schema_reason *r,
		 struct schema_finding *f)
{
	struct bus_arena *arena = e->verdict.memory;
	const struct schema_reason_place *place = r->place;
	const int who = e->reader_is_new ? NEW_READS : OLD_READS;
	const char *other = place && place->missing ? other_name(place) : NULL;
	const struct schema_word named = { "name", SCHEMA_SAME(other) };
	const struct schema_word word[] = {
		{ "at", schema_words_at(arena, f->path) },
		{ "reader", SCHEMA_SAME(f->reader_has) },
		{ "writer", SCHEMA_SAME(f->writer_has) },
		{ "reader_name", SCHEMA_SAME(place ? place->node[0]->name : NULL) },
		{ "writer_name", SCHEMA_SAME(place ? place->node[1]->name : NULL) },
		{ "message", SCHEMA_SAME(r->message) },
	};

	f->what = schema_words_join(arena, schema_words_fill(arena, form->what[who], word, BUS_LEN(word)),
				    consequence[who]);
	f->mend = schema_words_fill(arena, choose_mend(form, place, who), word, BUS_LEN(word));
	if (other)
		f->mend =
		    schema_words_join(arena, f->mend, schema_words_fill(arena, hint_rename[who], &named, 1));
	return f->what.en && f->what.id && f->mend.en && f->mend.id;
}

static const char *keep(struct schema_explanation *e, struct bus_buf *text)
{
	return bus_arena_dup(e->verdict.memory, bus_buf_cstr(text), text->n);
}

static void find_place(struct schema_explanation *e, const struct schema_reason_place *place,
		       struct schema_finding *f)
{
	struct bus_buf text = { 0 };

	schema_place_path(place->step, 0, &text);
	f->path = keep(e, &text);
	bus_buf_reset(&text);
	if (schema_place_pointer(e->reader, place->step, 0, place->missing, &text))
		f->reader_place = keep(e, &text);
	bus_buf_reset(&text);
	if (schema_place_pointer(e->writer, place->step, 1, false, &text))
		f->writer_place = keep(e, &text);
	bus_buf_reset(&text);
	schema_words_type(place->missing ? place->missing->type : place->node[0], &text);
	f->reader_has = keep(e, &text);
	bus_buf_reset(&text);
	schema_words_type(place->node[1], &text);
	if (!place->missing)
		f->writer_has = keep(e, &text);
	bus_buf_release(&text);
}

/* Types that are met in many places give the same reason again and again. */
static bool told(const struct schema_explanation *e, const struct schema_reason *r)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->finding[i].own == r)
			return true;
	return false;
}

/* budget: reasons still looked at; causes that are shared could be reached in more ways than can be walked.
 */
static void add(struct schema_explanation *e, const struct schema_reason *r, const struct schema_reason *java,
		size_t *budget)
{
	struct schema_finding *f = &e->finding[e->n];
	const struct form *form = forms;

	if (*budget == 0)
		return;
	--*budget;
	/* Only what the branch lacks: that is the fault, not the union. */
	for (size_t i = 0; i < r->n_causes && e->n < SCHEMA_REASONS_MAX; i++)
		add(e, r->cause[i], java, budget);
	if (r->n_causes > 0 || e->n == SCHEMA_REASONS_MAX || told(e, r))
		return;
	while (strcmp(form->reason, r->type) != 0)
		form++;
	*f = (struct schema_finding){
		.code = form->code, .reason = r->type, .path = "", .java = java, .own = r
	};
	if (r->place)
		find_place(e, r->place, f);
	if (f->path && tell(e, form, r, f))
		e->n++;
}

bool schema_explain(const struct schema *reader, const struct schema *writer, bool reader_is_new,
		    struct schema_explanation *out)
{
	*out =
	    (struct schema_explanation){ .reader_is_new = reader_is_new, .reader = reader, .writer = writer };
	out->ok = schema_judge(reader, writer, true, &out->verdict);
	if (!out->ok)
		out->finding = bus_xcalloc(SCHEMA_REASONS_MAX, sizeof(*out->finding));
	for (size_t i = 0; i < out->verdict.n_reasons; i++) {
		size_t budget = STEPS_MAX;

		add(out, &out->verdict.reason[i], &out->verdict.reason[i], &budget);
	}
	return out->ok;
}

void schema_explanation_release(struct schema_explanation *e)
{
	free(e->finding);
	schema_verdict_release(&e->verdict);
	*e = (struct schema_explanation){ 0 };
}

void schema_explanation_put(struct bus_json_out *j, const struct schema_explanation *e)
{
	bus_json_array(j);
	for (size_t i = 0; i < e->n; i++) {
		const struct schema_finding *f = &e->finding[i];

		bus_json_object(j);
		bus_json_text_member(j, "code", f->code);
		bus_json_text_member(j, "reason", f->reason);
		bus_json_text_member(j, "breaks", e->reader_is_new ? "new_reader" : "old_reader");
		bus_json_text_member(j, "path", f->path);
		bus_json_text_member(j, "old", e->reader_is_new ? f->writer_place : f->reader_place);
		bus_json_text_member(j, "new", e->reader_is_new ? f->reader_place : f->writer_place);
		bus_json_text_member(j, "old_has", e->reader_is_new ? f->writer_has : f->reader_has);
		bus_json_text_member(j, "new_has", e->reader_is_new ? f->reader_has : f->writer_has);
		schema_words_put(j, f->what);
		bus_json_key(j, "mend");
		bus_json_object(j);
		schema_words_put(j, f->mend);
		bus_json_object_end(j);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}
