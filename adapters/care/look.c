/* What can be seen of quarantine: list, show, history. */
#include <inttypes.h>
#include <stdio.h>

#include "adapters/advice.h"
#include "adapters/care/table.h"
#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/json_out.h"
#include "bus/proc.h"

#define CLASSES_MAX 256
#define SHOWN 50 /* without --limit */
#define ROW_MEMORY ((size_t)8 * 1024 * 1024)

struct tally { /* --count: one class of one feed */
	char feed[96], class[64];
	uint64_t open, published, discarded;
};

struct looking {
	struct adapter_care *care;
	uint64_t chosen, shown;
	struct tally *tally;
	size_t n_tallies;
	struct bus_buf out;
};

static void put_str(struct bus_json_out *j, const char *name, struct bus_str s)
{
	bus_json_key(j, name);
	if (s.n > 0)
		bus_json_put_str(j, s);
	else
		bus_json_put_null(j);
}

void adapter_care_put_row(struct bus_json_out *j, const struct adapter_kept *k)
{
	char time[32];

	put_str(j, "id", k->id);
	put_str(j, "umpan", k->feed);
	put_str(j, "berkas", k->file);
	bus_json_int_member(j, "baris", k->line);
	put_str(j, "kolom", k->field);
	put_str(j, "kelas", k->class);
	put_str(j, "keterangan", k->detail);
	bus_json_text_member(j, "waktu", bus_clock_iso_wib(k->time_ms, time, sizeof(time)));
	bus_json_text_member(j, "keadaan", adapter_row_state_name(k->state));
	put_str(j, "tindakan", k->what);
	if (k->what.n == 0)
		return;
	put_str(j, "oleh", k->who);
	put_str(j, "alasan", k->why);
	put_str(j, "perintah", k->order);
	bus_json_text_member(j, "waktu_tindakan", bus_clock_iso_wib(k->act_ms, time, sizeof(time)));
}

static void print_json(struct looking *l, const struct adapter_kept *k)
{
	struct bus_json_out j = { .buf = &l->out };

	bus_buf_reset(&l->out);
	bus_json_object(&j);
	adapter_care_put_row(&j, k);
	bus_json_object_end(&j);
	puts(bus_buf_cstr(&l->out));
}

/* "2026-11-23 08:30", of 16 characters. */
static const char *minute(int64_t ms, char *out)
{
	char iso[32];

	bus_clock_iso_wib(ms, iso, sizeof(iso));
	snprintf(out, 17, "%.10s %.5s", iso, iso + 11);
	return out;
}

#define STR(s) (int)(s).n, (s).p ? (s).p : ""

static enum bus_err list_row(void *ctx, const struct adapter_kept *k, struct bus_error *err)
{
	struct looking *l = ctx;
	char time[17];

	(void)err;
	if (!adapter_care_chosen(l->care, k))
		return BUS_OK;
	l->chosen++;
	if (l->shown >= (l->care->args->limit < 0 ? SHOWN : (uint64_t)l->care->args->limit))
		return BUS_OK;
	l->shown++;
	if (l->care->args->json) {
		print_json(l, k);
		return BUS_OK;
	}
	printf("%-24.*s %s  %-18.*s %.*s", STR(k->id), minute(k->time_ms, time), STR(k->class), STR(k->file));
	if (k->field.n > 0)
		printf(", %.*s", STR(k->field));
	if (k->state != ADAPTER_ROW_OPEN || k->what.n > 0)
		printf("  [%s: %.*s]", adapter_row_state_name(k->state), STR(k->what));
	putchar('\n');
	return BUS_OK;
}

static bool is(const char *a, struct bus_str b)
{
	return bus_str_is(b, a);
}

static enum bus_err count_row(void *ctx, const struct adapter_kept *k, struct bus_error *err)
{
	struct looking *l = ctx;
	struct tally *t = NULL;

	if (!adapter_care_chosen(l->care, k))
		return BUS_OK;
	for (size_t i = 0; i < l->n_tallies && !t; i++)
		if (is(l->tally[i].feed, k->feed) && is(l->tally[i].class, k->class))
			t = &l->tally[i];
	if (!t && l->n_tallies == CLASSES_MAX)
		return bus_fail(err, BUS_ETOOBIG, "more than %d classes of error; choose by --feed",
				CLASSES_MAX);
	if (!t) {
		t = &l->tally[l->n_tallies++];
		snprintf(t->feed, sizeof(t->feed), "%.*s", STR(k->feed));
		snprintf(t->class, sizeof(t->class), "%.*s", STR(k->class));
	}
	t->open += k->state == ADAPTER_ROW_OPEN;
	t->published += k->state == ADAPTER_ROW_PUBLISHED;
	t->discarded += k->state == ADAPTER_ROW_DISCARDED;
	return BUS_OK;
}

static void print_counts(const struct looking *l)
{
	printf("%-26s %-24s %8s %8s %8s\n", "umpan / feed", "kelas / class", "terbuka", "terbit", "dibuang");
	for (size_t i = 0; i < l->n_tallies; i++) {
		const struct tally *t = &l->tally[i];

		printf("%-26s %-24s %8" PRIu64 " %8" PRIu64 " %8" PRIu64 "\n", t->feed, t->class, t->open,
		       t->published, t->discarded);
	}
}

static enum bus_err list(struct looking *l, struct bus_error *err)
{
	const struct adapter_care_args *a = l->care->args;
	enum bus_err rc;

	if (a->csv)
		return adapter_care_table(l->care, err);
	if (a->personal)
		return bus_fail(err, BUS_EINVAL, "list shows values with --csv alone; see also show");
	if (a->count)
		l->tally = bus_xcalloc(CLASSES_MAX, sizeof(*l->tally));
	rc = adapter_care_scan(l->care, false, a->count ? count_row : list_row, l, err);
	if (!rc && a->count)
		print_counts(l);
	else if (!rc && !a->json)
		printf("%s%" PRIu64 " baris / rows%s\n", l->chosen ? "\n" : "", l->chosen,
		       l->chosen > l->shown ? "; --limit N untuk lebih banyak / for more" : "");
	if (!rc && !a->count && !a->json && l->shown > 0)
		printf("titian quarantine show ID: apa yang dapat dilakukan / what can be done\n");
	free(l->tally);
	bus_buf_release(&l->out);
	return rc;
}

/* ---- one row ---- */

static bool named(const struct adapter_care *care, struct bus_str id)
{
	for (size_t i = 0; i < care->args->n_operands; i++)
		if (bus_str_is(id, care->args->operand[i]))
			return true;
	return false;
}

static void print_cells(struct bus_str text, bool personal)
{
	struct bus_arena *arena = bus_arena_new(ROW_MEMORY);
	struct bus_json *tree = NULL;

	if (bus_json_parse(text, NULL, arena, &tree, NULL) != BUS_OK || tree->type != BUS_JSON_OBJECT)
		tree = NULL;
	for (const struct bus_json *v = tree ? tree->first : NULL; v; v = v->next) {
		struct bus_str s = adapter_cells_text(v);

		printf("    %-24.*s %.*s\n", STR(v->name),
		       personal ? (int)s.n
		       : s.n	? 9
				: 0,
		       personal ? s.p : "\u2022\u2022\u2022");
	}
	bus_arena_free(&arena);
}

static void show_sealed(const struct adapter_care *care, const struct adapter_kept *k)
{
	char aad[ADAPTER_REFUSAL_ID + 8];
	struct bus_buf plain = { 0 };
	const uint8_t *key = care->conf->opd_key;
	bool personal = care->args->personal;

	if (k->sealed_cells.n > 0 && key &&
	    bus_open(key, adapter_refusal_cells_aad(k->id, aad), k->sealed_cells, &plain, NULL) == BUS_OK) {
		printf("  kolom / columns\n");
		print_cells(bus_buf_str(&plain), personal);
		if (!personal)
			printf("  isinya dengan / values with: --show-personal\n");
		explicit_bzero(plain.p, plain.cap);
	}
	bus_buf_reset(&plain);
	if (personal && k->sealed_row.n > 0 && key &&
	    bus_open(key, k->id, k->sealed_row, &plain, NULL) == BUS_OK) {
		printf("  baris / row\n    %.*s\n", (int)plain.n, plain.p);
		explicit_bzero(plain.p, plain.cap);
	}
	bus_buf_release(&plain);
}

static void print_act(const struct adapter_kept *k)
{
	char time[17];

	if (k->what.n == 0)
		printf("  %s  ditolak / refused: %.*s%s%.*s\n", minute(k->time_ms, time), STR(k->class),
		       k->detail.n ? ": " : "", STR(k->detail));
	else
		printf("  %s  %.*s -> %s, oleh / by %.*s%s%.*s [%.*s]%s%.*s%s%.*s\n", minute(k->act_ms, time),
		       STR(k->what), adapter_row_state_name(k->state), STR(k->who), k->why.n ? ": " : "",
		       STR(k->why), STR(k->order), k->state == ADAPTER_ROW_OPEN ? ": " : "",
		       k->state == ADAPTER_ROW_OPEN ? (int)k->class.n : 0, k->class.p,
		       k->state == ADAPTER_ROW_OPEN ? ": " : "",
		       k->state == ADAPTER_ROW_OPEN ? (int)k->detail.n : 0, k->detail.p ? k->detail.p : "");
}

static const char *config_name(void)
{
	const char *config = bus_proc_config();

	return config ? config : "adapter.yaml";
}

/* The command that does it, for what is mended or discarded one row at a time. */
static void print_command(const struct adapter_kept *k, enum adapter_advice advice)
{
	bool mend = advice == ADAPTER_ADVICE_VALUE || advice == ADAPTER_ADVICE_KEY;

	printf("    titian quarantine %s --config %s %.*s %s%.*s%s\n", mend ? "mend" : "discard",
	       config_name(), STR(k->id), mend ? "--set '" : "--why '...'",
	       mend ? k->field.n ? (int)k->field.n : 5 : 0, k->field.n ? k->field.p : "KOLOM",
	       mend ? "=...' --redrive" : "");
}

/* Without its mapping (it may have been taken away since) what is known is whether the row is kept. */
static enum bus_err advise_row(void *ctx, const struct adapter_kept *k, struct bus_error *err)
{
	const struct adapter_care *care = ((const struct looking *)ctx)->care;
	struct adapter_map *loaded = NULL;
	const struct adapter_map *map;
	struct bus_buf text = { 0 };
	enum adapter_advice advice;
	char *class, *field;

	(void)err;
	if (!named(care, k->id) || k->state != ADAPTER_ROW_OPEN)
		return BUS_OK;
	if (bus_str_is(k->what, adapter_order_word(ADAPTER_MEND))) {
		printf("  sudah diperbaiki, belum terbit / mended, not published yet\n"
		       "    titian quarantine redrive --config %s %.*s\n",
		       config_name(), STR(k->id));
		return BUS_OK;
	}
	if (adapter_care_map(care, k->feed, &loaded, &map, NULL))
		map = NULL;
	class = bus_xasprintf("%.*s", STR(k->class));
	field = bus_xasprintf("%.*s", STR(k->field));
	advice = adapter_advice_of(map, class, field[0] ? field : NULL, k->sealed_cells.n > 0);
	adapter_advice_text(advice, map && adapter_map_complete(map), "    ", &text);
	printf("  apa yang dapat dilakukan / what can be done (%.*s)\n%s", STR(k->id), bus_buf_cstr(&text));
	if (advice != ADAPTER_ADVICE_SIZE)
		print_command(k, advice);
	bus_buf_release(&text);
	adapter_map_free(&loaded);
	free(field);
	free(class);
	return BUS_OK;
}

static enum bus_err show_row(void *ctx, const struct adapter_kept *k, struct bus_error *err)
{
	struct looking *l = ctx;
	bool history = strcmp(l->care->args->verb, "history") == 0;

	(void)err;
	if (!named(l->care, k->id))
		return BUS_OK;
	l->chosen++;
	if (l->care->args->json) {
		print_json(l, k);
		return BUS_OK;
	}
	if (k->what.n == 0)
		printf("%.*s  %.*s, %.*s, baris / line %" PRId64 "%s%.*s\n", STR(k->id), STR(k->feed),
		       STR(k->file), k->line, k->field.n ? ", kolom / column " : "", STR(k->field));
	print_act(k);
	if (!history)
		show_sealed(l->care, k);
	return BUS_OK;
}

enum bus_err adapter_care_look(struct adapter_care *care, struct bus_error *err)
{
	const struct adapter_care_args *a = care->args;
	struct looking l = { .care = care };
	enum bus_err rc;

	if (strcmp(a->verb, "list") == 0)
		return list(&l, err);
	if (a->n_operands == 0)
		return bus_fail(err, BUS_EINVAL, "%s wants the id of a row, as list shows it", a->verb);
	if (a->personal && !care->conf->opd_key)
		return bus_fail(err, BUS_EINVAL, "--show-personal wants the department's key (key.opd)");
	if (a->personal)
		fprintf(stderr, "titian-adapter: data pribadi pada stdout / personal data on stdout\n");
	rc = adapter_care_scan(care, true, show_row, &l, err);
	if (!rc && !a->json && strcmp(a->verb, "show") == 0) /* by how each stands now */
		rc = adapter_care_scan(care, false, advise_row, &l, err);
	bus_buf_release(&l.out);
	if (!rc && l.chosen == 0)
		return bus_fail(err, BUS_ENOENT, "no such row in quarantine");
	return rc;
}
