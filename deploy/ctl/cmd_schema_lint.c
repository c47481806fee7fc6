#include "bus/json_out.h"
#include "deploy/ctl/catalogue.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/registry.h"
#include "schemas/catalogue/lint.h"

enum { OPD, DISABLE, RULES, JSON };

static const struct ctl_option lint_option[] = {
	[OPD] = CTL_OPTION_OPD,
	[DISABLE] = { "--disable", "RULE,RULE", NULL, "rules not to be asked about",
		      "aturan yang tidak diperiksa" },
	[RULES] = { "--rules", NULL, NULL, "list the rules", "daftar aturan" },
	[JSON] = CTL_OPTION_JSON,
	{ 0 },
};

static bool disabled(const char *list, const char *code)
{
	size_t n = strlen(code);

	for (; list && *list; list += strcspn(list, ","), list += *list == ',')
		if (strncmp(list, code, n) == 0 && (!list[n] || list[n] == ','))
			return true;
	return false;
}

/* A name in --disable that is no rule would silently disable nothing. */
static bool known_rules(const char *list)
{
	for (; list && *list; list += strcspn(list, ","), list += *list == ',') {
		const struct schema_lint_rule *r = schema_lint_rules;
		size_t n = strcspn(list, ",");

		while (r->code && !(strlen(r->code) == n && strncmp(r->code, list, n) == 0))
			r++;
		if (!r->code) {
			ctl_complain(
			    ctl_say("--disable: no rule '%.*s'; see: titian schema lint --rules",
				    "--disable: tidak ada aturan '%.*s'; lihat: titian schema lint --rules"),
			    (int)n, list);
			return false;
		}
	}
	return true;
}

/* A fault as others print them, file first; or as JSON. rule may be NULL: not a schema at all. */
static void show(bool json, const char *file, const struct schema_fault *f, const char *error)
{
	struct bus_buf line = { 0 };
	struct bus_json_out j = { .buf = &line };

	if (!json) {
		printf("%s: %s [%s]\n", file, f ? ctl_say(f->sentence.en, f->sentence.id) : error,
		       f ? f->rule->code : "schema");
		return;
	}
	bus_json_object(&j);
	bus_json_text_member(&j, "file", file);
	bus_json_text_member(&j, "rule", f ? f->rule->code : "schema");
	if (f) {
		bus_json_key(&j, "must");
		bus_json_put_bool(&j, f->rule->must);
		bus_json_text_member(&j, "path", f->path);
		bus_json_text_member(&j, "place", f->place);
		schema_words_put(&j, f->sentence);
	} else {
		bus_json_text_member(&j, "en", error);
	}
	bus_json_object_end(&j);
	puts(bus_buf_cstr(&line));
	bus_buf_release(&line);
}

static size_t lint_entry(const struct ctl_entry *e, const char *without, bool json)
{
	struct schema_lint l;
	size_t n = 0;

	schema_lint(e->schema, false, &l);
	for (size_t i = 0; i < l.n; i++) {
		if (disabled(without, l.fault[i].rule->code))
			continue;
		show(json, e->path, &l.fault[i], NULL);
		n++;
	}
	schema_lint_release(&l);
	return n;
}

static enum ctl_exit schema_lint_command(const struct ctl_args *args)
{
	const char *without = args->option[DISABLE];
	bool json = args->option[JSON] != NULL;
	struct ctl_catalogue c;
	struct bus_error err;
	size_t faults = 0;

	for (const struct schema_lint_rule *r = schema_lint_rules; args->option[RULES] && r->code; r++)
		printf("%s\t%s\t%s\n", r->code, r->must ? "must" : "should", ctl_say(r->what.en, r->what.id));
	if (args->option[RULES])
		return CTL_OK;
	if (!known_rules(without))
		return CTL_USAGE;
	if (args->n_rest == 0) {
		ctl_complain("%s", ctl_say("wants: titian schema lint DIR|FILE...",
					   "meminta: titian schema lint DIR|FILE..."));
		return CTL_USAGE;
	}
	if (ctl_catalogue_read(args->rest, args->n_rest, args->option[OPD], &c, &err) != BUS_OK)
		return ctl_fail(&err, false);
	for (size_t i = 0; i < c.n_faults; i++)
		show(json, c.fault[i].path, NULL, c.fault[i].err.text);
	/* A schema that stands for several departments has the same faults in each. */
	for (size_t i = 0; i < c.n; i++) {
		bool again = false;

		for (size_t k = 0; k < i; k++)
			again |= strcmp(c.entry[k].path, c.entry[i].path) == 0;
		if (!again)
			faults += lint_entry(&c.entry[i], without, json);
	}
	faults += c.n_faults;
	if (!json)
		fprintf(stderr, ctl_say("%zu files, %zu faults\n", "%zu berkas, %zu cacat\n"), c.n_files,
			faults);
	ctl_catalogue_release(&c);
	return faults > 0 ? CTL_FAILED : CTL_OK;
}

const struct ctl_command ctl_schema_lint = {
	.noun = "schema",
	.verb = "lint",
	.operands = "DIR|FILE...",
	.least = 0,
	.most = 1000,
	.option = lint_option,
	.en = "hold schemas to every rule of the catalogue; exit 1 when one is broken",
	.id = "memeriksa skema terhadap semua aturan katalog; keluar 1 bila ada yang dilanggar",
	.example = "titian schema lint --disable doc-missing schemas/avsc",
	.run = schema_lint_command,
};
