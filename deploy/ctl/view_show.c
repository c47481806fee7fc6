/* Reports of definitions as people read them. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "deploy/ctl/view.h"

static bool is_true(const struct bus_json *o, const char *name)
{
	const struct bus_json *v = o ? bus_json_get(o, name) : NULL;

	return v && v->type == BUS_JSON_TRUE;
}

/* The member's text in the user's language. */
static struct bus_str said(const struct bus_json *o, const char *name)
{
	return ctl_json_text(o ? bus_json_get(o, name) : NULL, ctl_indonesian() ? "id" : "en");
}

static void put(struct bus_str s)
{
	struct bus_buf line = { 0 };
	char *text = bus_xstrndup(s.p ? s.p : "", s.n);

	ctl_put_line(&line, text);
	fputs(bus_buf_cstr(&line), stdout);
	bus_buf_release(&line);
	free(text);
}

static void head(const char *en, const char *id)
{
	bool terminal = isatty(STDOUT_FILENO);

	printf("\n%s%s%s\n", terminal ? "\033[1m" : "", ctl_say(en, id), terminal ? "\033[0m" : "");
}

static const struct bus_json *list(const struct bus_json *o, const char *name)
{
	const struct bus_json *v = o ? bus_json_get(o, name) : NULL;

	return v ? v->first : NULL;
}

bool ctl_report_good(const struct bus_json *report)
{
	return is_true(report, "good");
}

void ctl_report_problems(const struct bus_json *report, const char *file)
{
	for (const struct bus_json *p = list(report, "problems"); p; p = p->next) {
		struct bus_str level = ctl_json_text(p, "level"), hint = ctl_json_text(p, "hint");
		int64_t line = ctl_json_int(p, "line", 0), column = ctl_json_int(p, "column", 0);

		printf("%s", file);
		if (line > 0)
			printf(":%" PRId64, line);
		if (line > 0 && column > 0)
			printf(":%" PRId64, column);
		printf(": %s: ", bus_str_is(level, "error") ? ctl_say("error", "salah")
							    : ctl_say("warning", "perhatian"));
		put(said(p, "text"));
		putchar('\n');
		for (const char *at = hint.p, *end = hint.p + hint.n; at < end;) {
			const char *eol = memchr(at, '\n', (size_t)(end - at));

			printf("    | ");
			put((struct bus_str){ at, (size_t)((eol ? eol : end) - at) });
			putchar('\n');
			at = eol ? eol + 1 : end;
		}
	}
}

static void show_sources(const struct bus_json *sources)
{
	for (const struct bus_json *s = sources; s; s = s->next) {
		printf("%s", s == sources ? "" : ", ");
		put(ctl_json_text(s, "table"));
		putchar('.');
		put(ctl_json_text(s, "column"));
		printf(" (");
		put(ctl_json_text(s, "pdp"));
		printf("%s)", is_true(s, "summed") ? ctl_say(", summed", ", dijumlah") : "");
	}
}

static bool same_sources(const struct bus_json *a, const struct bus_json *b)
{
	for (; a && b; a = a->next, b = b->next) {
		if (!bus_str_eq(ctl_json_text(a, "table"), ctl_json_text(b, "table")) ||
		    !bus_str_eq(ctl_json_text(a, "column"), ctl_json_text(b, "column")))
			return false;
	}
	return !a && !b;
}

static void show_columns(const struct bus_json *report)
{
	head("Columns, and what they are made of", "Kolom, dan asalnya");
	for (const struct bus_json *c = list(report, "columns"); c; c = c->next) {
		const struct bus_json *sources = list(c, "sources"), *origins = list(c, "origins");

		printf("  ");
		put(ctl_json_text(c, "name"));
		printf(" (");
		put(ctl_json_text(c, "type"));
		printf(", ");
		put(ctl_json_text(c, "pdp"));
		printf("%s) ", is_true(c, "key") ? ctl_say(", key", ", kunci") : "");
		if (sources)
			printf("%s ",
			       is_true(c, "computed") ? ctl_say("computed from", "dihitung dari") : "=");
		show_sources(sources);
		if (is_true(c, "counted"))
			printf("%s", sources ? ctl_say(", and a number of rows", ", dan jumlah baris")
					     : ctl_say("is a number of rows", "adalah jumlah baris"));
		else if (!sources)
			printf("%s",
			       is_true(c, "unknown")
				   ? ctl_say("is made of what cannot be told", "tidak diketahui asalnya")
				   : ctl_say("made of conditions and constants only", "hanya dari syarat dan tetapan"));
		if (origins && !same_sources(sources, origins)) {
			printf("\n      %s ", ctl_say("which come from", "yang berasal dari"));
			show_sources(origins);
		}
		putchar('\n');
	}
}

static void show_inputs(const struct bus_json *report)
{
	const struct bus_json *rows = bus_json_get(report, "rows");

	head("It reads", "Yang dibaca");
	for (const struct bus_json *t = list(report, "inputs"); t; t = t->next) {
		struct bus_str topic = ctl_json_text(t, "topic"), name = ctl_json_text(t, "table");
		char key[80];

		printf("  ");
		put(name);
		printf(" (");
		put(topic.n ? topic : bus_str(ctl_say("a view", "tayangan")));
		putchar(')');
		snprintf(key, sizeof(key), "%.*s", (int)name.n, name.p);
		if (rows && ctl_json_int(rows, key, 0) >= 0)
			printf(ctl_say(", %" PRId64 " rows", ", %" PRId64 " baris"),
			       ctl_json_int(rows, key, 0));
		printf(": ");
		for (const struct bus_json *c = list(t, "columns"); c; c = c->next) {
			put(c->text);
			printf("%s", c->next ? ", " : "");
		}
		putchar('\n');
	}
}

static void show_routes(const struct bus_json *report)
{
	head("How a change finds the keys it touches", "Bagaimana perubahan menemukan kunci yang tersentuh");
	for (const struct bus_json *r = list(report, "routes"); r; r = r->next) {
		const struct bus_json *trial = bus_json_get(r, "trial");

		printf("  ");
		put(ctl_json_text(r, "table"));
		printf(": ");
		put(said(r, "text"));
		if (is_true(r, "found"))
			printf(" [%s]", ctl_say("found in the SELECT", "ditemukan dari SELECT"));
		if (trial)
			printf(ctl_say(" (tried: %" PRId64 " changes, %" PRId64 " mattered, %" PRId64
				       " missed)",
				       " (dicoba: %" PRId64 " perubahan, %" PRId64 " berpengaruh, %" PRId64
				       " terlewat)"),
			       ctl_json_int(trial, "changes", 0), ctl_json_int(trial, "mattered", 0),
			       ctl_json_int(trial, "missed", 0));
		putchar('\n');
	}
	if (!list(report, "routes"))
		printf("  %s\n", ctl_say("none is needed", "tidak perlu"));
}

void ctl_report_explain(const struct bus_json *report)
{
	const struct bus_json *upkeep = bus_json_get(report, "upkeep");

	show_inputs(report);
	show_columns(report);
	show_routes(report);
	head("Evaluating one key", "Menghitung satu kunci");
	for (const struct bus_json *s = list(report, "plan"); s; s = s->next) {
		printf("%*s", (int)(2 + 2 * ctl_json_int(s, "depth", 0)), "");
		put(said(s, "text"));
		putchar('\n');
	}
	if (bus_json_get(report, "steps_per_key"))
		printf(ctl_say("  (%" PRId64 " steps of SQLite's machine over a dozen rows a table)\n",
			       "  (%" PRId64 " langkah mesin SQLite pada selusin baris per tabel)\n"),
		       ctl_json_int(report, "steps_per_key", 0));
	head("How it is kept", "Bagaimana dipelihara");
	printf("  ");
	put(said(upkeep, "text"));
	printf("; ");
	put(said(upkeep, "stored"));
	if (ctl_json_text(upkeep, "no_delta").n) {
		printf("\n  %s: ", ctl_say("not by deltas", "tidak dengan selisih"));
		put(ctl_json_text(upkeep, "no_delta"));
	}
	putchar('\n');
}

/* A number of rows, or that they are too few to be told. */
static const char *rows_of(const struct bus_json *object, const char *key, char out[24])
{
	const struct bus_json *v = bus_json_get(object, key);

	if (v && v->type == BUS_JSON_NULL)
		snprintf(out, 24, "<10");
	else
		snprintf(out, 24, "%" PRId64, ctl_json_int(object, key, 0));
	return out;
}

static void show_column_changes(const struct bus_json *diff)
{
	for (const struct bus_json *c = list(diff, "columns"); c; c = c->next) {
		struct bus_str what = ctl_json_text(c, "what");
		int64_t wrong = ctl_json_int(c, "wrong_type", 0);

		if (bus_str_is(what, "same") && wrong == 0)
			continue;
		printf("  ");
		put(ctl_json_text(c, "name"));
		if (bus_str_is(what, "changed"))
			printf(ctl_say(": differs in %" PRId64 " rows", ": lain pada %" PRId64 " baris"),
			       ctl_json_int(c, "rows", 0));
		else if (bus_str_is(what, "new"))
			printf("%s", ctl_say(": new", ": baru"));
		else if (bus_str_is(what, "gone"))
			printf("%s", ctl_say(": gone", ": hilang"));
		else if (bus_str_is(what, "retyped"))
			printf("%s", ctl_say(": of another type", ": berganti tipe"));
		if (wrong > 0)
			printf(ctl_say("; %" PRId64 " values are not of its type",
				       "; %" PRId64 " nilai bukan tipenya"),
			       wrong);
		putchar('\n');
	}
}

void ctl_report_diff(const struct bus_json *report)
{
	const struct bus_json *diff = bus_json_get(report, "diff");
	struct bus_str failed = ctl_json_text(report, "diff_failed");
	char n[5][24];

	if (!diff) {
		if (failed.n) {
			printf("%s: ", ctl_say("not compared with the running one",
					       "tidak dibandingkan dengan yang berjalan"));
			put(failed);
			putchar('\n');
		}
		return;
	}
	printf(ctl_say("%s rows (now %s): %s added, %s changed, %s removed%s\n",
		       "%s baris (kini %s): %s bertambah, %s berubah, %s hilang%s\n"),
	       rows_of(diff, "rows_now", n[0]), rows_of(diff, "rows_before", n[1]),
	       rows_of(diff, "added", n[2]), rows_of(diff, "changed", n[3]), rows_of(diff, "removed", n[4]),
	       is_true(diff, "complete")
		   ? ""
		   : ctl_say(" so far: the time was over (--ms)", " sejauh ini: waktunya habis (--ms)"));
	show_column_changes(diff);
	if (ctl_json_int(diff, "same_key", 0) > 0)
		printf(ctl_say("  %" PRId64 " rows have a key that another row has\n",
			       "  %" PRId64 " baris berkunci sama dengan baris lain\n"),
		       ctl_json_int(diff, "same_key", 0));
	if (ctl_json_int(diff, "without_key", 0) > 0)
		printf(ctl_say("  %" PRId64 " rows have no key\n", "  %" PRId64 " baris tanpa kunci\n"),
		       ctl_json_int(diff, "without_key", 0));
}

void ctl_report_verdict(const struct bus_json *v)
{
	put(ctl_json_text(v, "view"));
	if (is_true(v, "waits"))
		printf("%s\n", ctl_say(": waits for evaluation; ask again later",
				       ": sedang menunggu dihitung; tanyakan lagi nanti"));
	else
		printf(ctl_say(": %" PRId64 " keys compared, %" PRId64 " differ, %" PRId64 " were waiting\n",
			       ": %" PRId64 " kunci dibandingkan, %" PRId64 " berbeda, %" PRId64
			       " sedang menunggu\n"),
		       ctl_json_int(v, "keys", 0), ctl_json_int(v, "differing", 0),
		       ctl_json_int(v, "waiting", 0));
}
