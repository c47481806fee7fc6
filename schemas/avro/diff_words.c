/* The codes of changes and their sentences. */
#include "schemas/avro/diff_impl.h"

struct form {
	const char *code;
	struct schema_sentence what;
	struct schema_sentence warning; /* NULL: none */
};

#define MEANING_EN                                                                                           \
	": the stored numbers stay the same, what they mean does not; old records would be read wrongly."
#define MEANING_ID ": angka yang tersimpan tetap sama, artinya berubah; rekaman lama akan terbaca salah."

static const struct form forms[] = {
	[DIFF_FIELD_ADDED] = { "field_added", { "{at} was added: {now}", "{at} ditambahkan: {now}" }, { 0 } },
	[DIFF_FIELD_REMOVED] = { "field_removed",
				 { "{at} was removed: {was}", "{at} dihapus: {was}" },
				 { 0 } },
	[DIFF_FIELD_RENAMED] = { "field_renamed",
				 { "{at}: '{was}' is now called '{now}' (the old name is its alias)",
				   "{at}: '{was}' sekarang bernama '{now}' (nama lama menjadi alias)" },
				 { 0 } },
	[DIFF_FIELDS_REORDERED] = { "fields_reordered",
				    { "{at}: the fields are in another order", "{at}: urutan kolom berubah" },
				    { 0 } },
	[DIFF_TYPE_CHANGED] = { "type_changed",
				{ "{at}: {was} became {now}", "{at}: {was} menjadi {now}" },
				{ 0 } },
	[DIFF_MADE_OPTIONAL] = { "made_optional",
				 { "{at} may now be empty (null)", "{at} sekarang boleh kosong (null)" },
				 { 0 } },
	[DIFF_MADE_REQUIRED] = { "made_required",
				 { "{at} may no longer be empty (null)",
				   "{at} tidak boleh lagi kosong (null)" },
				 { 0 } },
	[DIFF_BRANCH_ADDED] = { "branch_added",
				{ "{at} may now also be {now}", "{at} sekarang boleh juga {now}" },
				{ 0 } },
	[DIFF_BRANCH_REMOVED] = { "branch_removed",
				  { "{at} may no longer be {was}", "{at} tidak boleh lagi {was}" },
				  { 0 } },
	[DIFF_BRANCHES_REORDERED] = { "branches_reordered",
				      { "{at}: the union's order was {was} and is {now}",
					"{at}: urutan union tadinya {was}, sekarang {now}" },
				      { 0 } },
	[DIFF_SYMBOLS_ADDED] = { "symbols_added",
				 { "{at}: symbols added: {what}", "{at}: simbol ditambahkan: {what}" },
				 { 0 } },
	[DIFF_SYMBOLS_REMOVED] = { "symbols_removed",
				   { "{at}: symbols removed: {what}", "{at}: simbol dihapus: {what}" },
				   { 0 } },
	[DIFF_SYMBOLS_REORDERED] = { "symbols_reordered",
				     { "{at}: the symbols are in another order",
				       "{at}: urutan simbol berubah" },
				     { 0 } },
	[DIFF_NAME_CHANGED] = { "name_changed",
				{ "{at}: the type {was} is now called {now}",
				  "{at}: tipe {was} sekarang bernama {now}" },
				{ 0 } },
	[DIFF_SIZE_CHANGED] = { "size_changed",
				{ "{at}: {was} bytes became {now}", "{at}: {was} byte menjadi {now}" },
				{ 0 } },
	[DIFF_LOGICAL_CHANGED] = { "logical_changed",
				   { "{at}: {was} became {now}", "{at}: {was} menjadi {now}" },
				   { MEANING_EN, MEANING_ID } },
	[DIFF_SCALE_CHANGED] = { "scale_changed",
				 { "{at}: {was} became {now}", "{at}: {was} menjadi {now}" },
				 { ": amounts written before would be read with the decimal point elsewhere.",
				   ": jumlah yang ditulis sebelumnya akan terbaca dengan koma bergeser." } },
	[DIFF_PRECISION_LOWERED] = { "precision_lowered",
				     { "{at}: {was} became {now}", "{at}: {was} menjadi {now}" },
				     { ": amounts written before may have more digits than are allowed now.",
				       ": jumlah yang ditulis sebelumnya mungkin lebih panjang dari yang "
				       "diperbolehkan sekarang." } },
	[DIFF_PRECISION_RAISED] = { "precision_raised",
				    { "{at}: {was} became {now}", "{at}: {was} menjadi {now}" },
				    { 0 } },
	[DIFF_DEFAULT_ADDED] = { "default_added",
				 { "{at} has a default now: {now}",
				   "{at} sekarang punya nilai bawaan: {now}" },
				 { 0 } },
	[DIFF_DEFAULT_REMOVED] = { "default_removed",
				   { "{at} has no default any more: {was}",
				     "{at} tidak lagi punya nilai bawaan: {was}" },
				   { "; records of versions without it can no longer be read.",
				     "; rekaman dari versi tanpa kolom itu tidak lagi terbaca." } },
	[DIFF_DEFAULT_CHANGED] = { "default_changed",
				   { "{at}: the default was {was} and is {now}",
				     "{at}: nilai bawaan tadinya {was}, sekarang {now}" },
				   { "; where nothing was written, readers will see another value.",
				     "; di mana tidak ada yang ditulis, pembaca akan melihat nilai lain." } },
	[DIFF_DOC_ADDED] = { "doc_added", { "{at} is described now", "{at} sekarang diterangkan" }, { 0 } },
	[DIFF_DOC_REMOVED] = { "doc_removed",
			       { "{at} is no longer described", "{at} tidak lagi diterangkan" },
			       { ": who finds it cannot know what it means.",
				 ": yang menemukannya tidak dapat tahu artinya." } },
	[DIFF_DOC_CHANGED] = { "doc_changed",
			       { "{at} is described differently: {now}", "{at} diterangkan lain: {now}" },
			       { 0 } },
	[DIFF_ALIAS_ADDED] = { "alias_added",
			       { "{at} has the alias {what} now", "{at} sekarang punya alias {what}" },
			       { 0 } },
	[DIFF_ALIAS_REMOVED] = { "alias_removed",
				 { "{at} lost its alias {what}", "{at} kehilangan alias {what}" },
				 { ": what was written under that name is no longer found.",
				   ": yang ditulis dengan nama itu tidak lagi ditemukan." } },
	[DIFF_CLASS_ADDED] = { "class_added",
			       { "{at} has a class of personal data now: {now}",
				 "{at} sekarang punya golongan data pribadi: {now}" },
			       { 0 } },
	[DIFF_CLASS_REMOVED] = { "class_removed",
				 { "{at} has no class of personal data any more (it was {was})",
				   "{at} tidak lagi punya golongan data pribadi (tadinya {was})" },
				 { ": nothing says how it is to be protected.",
				   ": tidak ada yang menyatakan cara melindunginya." } },
	[DIFF_CLASS_LOWERED] = { "class_lowered",
				 { "{at}: the class of personal data fell from {was} to {now}",
				   "{at}: golongan data pribadi turun dari {was} ke {now}" },
				 { ": it will be shown where it was hidden; the owner of the data must "
				   "agree.",
				   ": akan tampil di tempat yang dahulu disembunyikan; pemilik data harus "
				   "setuju." } },
	[DIFF_CLASS_RAISED] = { "class_raised",
				{ "{at}: the class of personal data rose from {was} to {now}",
				  "{at}: golongan data pribadi naik dari {was} ke {now}" },
				{ 0 } },
	[DIFF_KEY_CHANGED] = { "key_changed",
			       { "{at}: the key (x_kunci) was {was} and is {now}",
				 "{at}: kunci (x_kunci) tadinya {was}, sekarang {now}" },
			       { ": what is in the topic stays under the old key; use a new topic.",
				 ": yang ada di topik tetap memakai kunci lama; gunakan topik baru." } },
	[DIFF_TOPIC_CHANGED] = { "topic_changed",
				 { "{at}: the topic (x_topik) was {was} and is {now}",
				   "{at}: topik (x_topik) tadinya {was}, sekarang {now}" },
				 { ": consumers of the old topic see nothing new.",
				   ": pemakai topik lama tidak melihat yang baru." } },
	[DIFF_KIND_CHANGED] = { "kind_changed",
				{ "{at}: the kind (x_jenis) was {was} and is {now}",
				  "{at}: jenis (x_jenis) tadinya {was}, sekarang {now}" },
				{ ": the topic that is there does not change by itself; use a new one.",
				  ": topik yang ada tidak berubah sendiri; gunakan topik baru." } },
	[DIFF_PROPERTY_ADDED] = { "property_added",
				  { "{at} has {what} now: {now}", "{at} sekarang punya {what}: {now}" },
				  { 0 } },
	[DIFF_PROPERTY_REMOVED] = { "property_removed",
				    { "{at} has no {what} any more: {was}",
				      "{at} tidak lagi punya {what}: {was}" },
				    { 0 } },
	[DIFF_PROPERTY_CHANGED] = { "property_changed",
				    { "{at}: {what} was {was} and is {now}",
				      "{at}: {what} tadinya {was}, sekarang {now}" },
				    { 0 } },
};

static const struct schema_sentence stop = { ".", "." };
static const struct schema_sentence with_default = { ", default {what}.", ", nilai bawaan {what}." };
static const struct schema_sentence without_default = { ", without a default.", ", tanpa nilai bawaan." };

static const char *keep(struct schema_differ *d, const char *text)
{
	return text ? bus_arena_dup(d->out->memory, text, strlen(text)) : NULL;
}

static const char *pointer(struct schema_differ *d, int side, bool whole)
{
	struct bus_buf text = { 0 };
	const char *copy = NULL;
	const struct schema_step *step = d->step;

	if (step && step->kind == SCHEMA_STEP_FIELD && !step->field[side])
		return NULL;
	if (schema_place_pointer(d->schema[side], step, side, whole, &text))
		copy = keep(d, bus_buf_cstr(&text));
	bus_buf_release(&text);
	return copy;
}

void schema_diff_note(struct schema_differ *d, enum schema_diff_code code, bool whole, const char *what,
		      const char *was, const char *now)
{
	const struct form *form = &forms[code];
	struct bus_arena *arena = d->out->memory;
	struct schema_change c = { .code = form->code, .warning = form->warning.en != NULL };
	struct schema_sentence end = c.warning ? form->warning : stop;
	struct bus_buf path = { 0 };
	const char *text = what;

	if (d->out->cut || d->out->n == SCHEMA_CHANGES_MAX) {
		d->out->cut = true;
		return;
	}
	schema_place_path(d->step, 1, &path);
	c.path = keep(d, bus_buf_cstr(&path));
	bus_buf_release(&path);
	c.old_place = pointer(d, 0, whole);
	c.new_place = pointer(d, 1, whole);
	c.what = keep(d, what);
	c.was = keep(d, was);
	c.now = keep(d, now);
	if (code == DIFF_FIELD_ADDED)
		end = what ? with_default : without_default;
	if (c.path) {
		const struct schema_word word[] = {
			{ "at", schema_words_at(arena, c.path) },
			{ "what", SCHEMA_SAME(text) },
			{ "was", SCHEMA_SAME(was) },
			{ "now", SCHEMA_SAME(now) },
		};

		c.sentence =
		    schema_words_join(arena, schema_words_fill(arena, form->what, word, BUS_LEN(word)),
				      schema_words_fill(arena, end, word, BUS_LEN(word)));
	}
	if (c.sentence.en && c.sentence.id)
		d->out->change[d->out->n++] = c;
	else
		d->out->cut = true;
}
