/* titian figures: counts for everybody (nasional/agregat), at a gateway: what has been published, and publishing a month. */
#include <stdlib.h>
#include <string.h>

#include "bus/arena.h"
#include "bus/clock.h"
#include "bus/percent.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/registry.h"
#include "deploy/ctl/view.h"

#define FIGURES "/v1/nasional/agregat"
#define LIST_ARENA ((size_t)16 * 1024 * 1024)

enum { GATEWAY, KEY_FILE, CLIENT, YES };

#define OPTIONS                                                                                              \
	[GATEWAY] = CTL_OPTION_GATEWAY, [KEY_FILE] = CTL_OPTION_KEY_FILE, [CLIENT] = CTL_OPTION_GATEWAY_CLIENT

static const struct ctl_option list_option[] = { OPTIONS, { 0 } };
static const struct ctl_option publish_option[] = {
	OPTIONS,
	[YES] = { "--yes", NULL, NULL,
		  "do it: what is told is told for ever; without it only what would be done is told",
		  "lakukan: yang sudah diberitakan tidak diubah lagi; tanpanya hanya dikatakan apa yang akan "
		  "terjadi" },
	{ 0 },
};

static const struct bus_str nothing;

static void put_member(struct bus_buf *out, const struct bus_json *object, const char *name)
{
	const struct bus_json *v = bus_json_get(object, name);
	char *text = v && v->type != BUS_JSON_NULL ? bus_xstrndup(v->text.p, v->text.n) : bus_xstrdup("-");

	ctl_put_line(out, text);
	free(text);
}

/* The gateway's indicators, an array: *list is good until the arena is freed. */
static enum ctl_exit ask_list(struct ctl_gateway *g, struct bus_arena *arena, const struct bus_json **list)
{
	const struct bus_json *object;
	struct bus_json *tree = NULL;
	struct bus_str text = { 0 };
	enum ctl_exit rc = ctl_gateway_ask(g, "GET", FIGURES, nothing, false, &object, &text);

	if (rc != CTL_OK)
		return rc;
	if (bus_json_parse(text, NULL, arena, &tree, NULL) != BUS_OK || tree->type != BUS_JSON_ARRAY) {
		ctl_complain("%s", ctl_say("what answers is no gateway", "yang menjawab bukan gateway"));
		return CTL_FAILED;
	}
	*list = tree;
	return CTL_OK;
}

/* --- list --------------------------------------------------------------------------------------------- */

static enum ctl_exit run_list(const struct ctl_args *args)
{
	static const char *const member[] = { "indikator", "bulan", "dari", "sampai" };
	struct bus_arena *arena = bus_arena_new(LIST_ARENA);
	const struct bus_json *list = NULL;
	struct ctl_gateway *g = NULL;
	struct bus_buf out = { 0 };
	enum ctl_exit rc =
	    ctl_gateway_open(args->option[GATEWAY], args->option[KEY_FILE], args->option[CLIENT], &g);

	if (rc == CTL_OK)
		rc = ask_list(g, arena, &list);
	for (const struct bus_json *one = list ? list->first : NULL; one; one = one->next)
		for (size_t i = 0; i < BUS_LEN(member); i++) {
			put_member(&out, one, member[i]);
			bus_buf_putc(&out, i + 1 < BUS_LEN(member) ? '\t' : '\n');
		}
	fwrite(out.p, 1, out.n, stdout);
	bus_buf_release(&out);
	ctl_gateway_close(&g);
	bus_arena_free(&arena);
	return rc;
}

/* --- publish ------------------------------------------------------------------------------------------ */

/* told: the month as the gateway tells it, or NULL. */
static void put_month(const char *indicator, const char *month, const char *state,
		      const struct bus_json *told)
{
	const struct bus_json *areas = told ? bus_json_get(told, "wilayah") : NULL;
	struct bus_buf out = { 0 };
	size_t n = 0, withheld = 0;

	ctl_put_line(&out, indicator);
	bus_buf_printf(&out, "\t%s\t%s", month, state);
	if (told) {
		for (const struct bus_json *a = areas ? areas->first : NULL; a; a = a->next, n++)
			withheld += a->type == BUS_JSON_NULL;
		bus_buf_putc(&out, '\t');
		put_member(&out, told, "jumlah");
		bus_buf_printf(&out, "\t%zu\t%zu", n - withheld, withheld);
	}
	bus_buf_putc(&out, '\n');
	fwrite(out.p, 1, out.n, stdout);
	fflush(stdout); /* one takes seconds */
	bus_buf_release(&out);
}

static enum ctl_exit publish(struct ctl_gateway *g, const char *indicator, const char *month, bool yes)
{
	struct bus_buf path = { 0 };
	const struct bus_json *answer, *months, *told;
	enum ctl_exit rc;

	bus_buf_puts(&path, FIGURES "/");
	bus_percent_put(&path, bus_str(indicator));
	bus_buf_printf(&path, "?dari=%s&sampai=%s", month, month);
	rc = ctl_gateway_ask(g, "GET", bus_buf_cstr(&path), nothing, false, &answer, NULL);
	months = rc == CTL_OK && answer ? bus_json_get(answer, "bulan") : NULL;
	told = months ? months->first : NULL;
	if (rc == CTL_OK && (told || !yes)) {
		put_month(indicator, month, told ? "before" : "not-published", told);
	} else if (rc == CTL_OK) {
		bus_buf_reset(&path);
		bus_buf_puts(&path, FIGURES "/");
		bus_percent_put(&path, bus_str(indicator));
		bus_buf_printf(&path, "/%s", month);
		rc = ctl_gateway_ask(g, "PUT", bus_buf_cstr(&path), nothing, false, &answer, NULL);
		if (rc == CTL_OK)
			put_month(indicator, month, "published", answer);
	}
	bus_buf_release(&path);
	return rc;
}

/* Of a month of the city's calendar that is over. */
static bool over(const char *month)
{
	char now[40];

	bus_clock_iso_wib(bus_clock_ms(), now, sizeof(now));
	if (strlen(month) != 7 || strspn(month, "0123456789") != 4 || month[4] != '-' ||
	    strspn(month + 5, "0123456789") != 2)
		ctl_complain(ctl_say("'%s' is no month like 2025-11", "'%s' bukan bulan seperti 2025-11"),
			     month);
	else if (strncmp(month, now, 7) >= 0)
		ctl_complain(ctl_say("%s is not over", "%s belum berakhir"), month);
	else
		return true;
	return false;
}

static enum ctl_exit run_publish(const struct ctl_args *args)
{
	const char *month = args->rest[0];
	struct bus_arena *arena = bus_arena_new(LIST_ARENA);
	const bool yes = args->option[YES] != NULL;
	const struct bus_json *list = NULL;
	struct ctl_gateway *g = NULL;
	enum ctl_exit rc = CTL_USAGE, one;

	if (over(month))
		rc =
		    ctl_gateway_open(args->option[GATEWAY], args->option[KEY_FILE], args->option[CLIENT], &g);
	if (rc == CTL_OK && args->n_rest == 1)
		rc = ask_list(g, arena, &list);
	if (rc != CTL_OK)
		goto out;
	/* One that cannot be published keeps no other back. */
	for (size_t i = 1; i < args->n_rest; i++)
		if ((one = publish(g, args->rest[i], month, yes)) != CTL_OK)
			rc = one;
	for (const struct bus_json *v = list ? list->first : NULL; v; v = v->next) {
		char *name = ctl_json_copy(v, "indikator");

		if (name && (one = publish(g, name, month, yes)) != CTL_OK)
			rc = one;
		free(name);
	}
	if (!yes)
		ctl_complain("%s",
			     ctl_say("nothing was published; --yes does it, for ever",
				     "belum ada yang diberitakan; --yes melakukannya, untuk selamanya"));
out:
	ctl_gateway_close(&g);
	bus_arena_free(&arena);
	return rc;
}

const struct ctl_command ctl_figures_list = {
	"figures",
	"list",
	"",
	0,
	0,
	list_option,
	"the indicators of nasional/agregat: how many months are published, the first, the last",
	"indikator nasional/agregat: berapa bulan sudah diberitakan, yang pertama, yang terakhir",
	"titian figures list",
	run_list,
};
const struct ctl_command ctl_figures_publish = {
	"figures",
	"publish",
	"MONTH [INDICATOR...]",
	1,
	64,
	publish_option,
	"publish a month that is over, of all indicators or these; a dry run without --yes",
	"memberitakan bulan yang sudah berakhir, semua indikator atau yang disebut; tanpa --yes hanya "
	"percobaan",
	"titian figures publish 2025-11 --yes",
	run_publish,
};
