#include "bus/json_out.h"
#include "deploy/ctl/catalogue.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/registry.h"
#include "schemas/avro/diff.h"
#include "schemas/catalogue/lint.h"

#define HISTORY_MAX 1000

enum { OPD, REGISTRY, TOKEN_FILE, CLIENT, AGAINST, LEVEL, JSON };

static const struct ctl_option check_option[] = {
	[OPD] = CTL_OPTION_OPD,
	[REGISTRY] = { "--registry", "URL", NULL, "compare with what is registered there",
		       "membandingkan dengan yang terdaftar di sana" },
	[TOKEN_FILE] = CTL_OPTION_TOKEN_FILE,
	[CLIENT] = CTL_OPTION_CLIENT,
	[AGAINST] = { "--against", "DIR|FILE", NULL, "compare with earlier versions in files",
		      "membandingkan dengan versi terdahulu dalam berkas" },
	[LEVEL] = { "--level", "LEVEL", NULL,
		    "BACKWARD, FULL_TRANSITIVE, ... (the registry's; else BACKWARD)",
		    "BACKWARD, FULL_TRANSITIVE, ... (milik registri; selain itu BACKWARD)" },
	[JSON] = CTL_OPTION_JSON,
	{ 0 },
};

struct history { /* earlier versions of one subject, oldest first */
	const struct schema *version[HISTORY_MAX];
	char *name[HISTORY_MAX]; /* "3", or a path */
	struct ctl_version owned[HISTORY_MAX];
	size_t n, n_owned;
};

struct checking {
	struct ctl_registry *r;	     /* NULL: not asked */
	struct ctl_catalogue before; /* --against */
	bool with_before, one_file, level_given, json;
	enum schema_level level;
	struct history history; /* of the entry at hand */
	enum ctl_exit rc;
	struct bus_buf line;
};

static void release_history(struct history *h)
{
	for (size_t i = 0; i < h->n; i++)
		free(h->name[i]);
	for (size_t i = 0; i < h->n_owned; i++)
		ctl_version_release(&h->owned[i]);
	h->n = h->n_owned = 0;
}

static void add_version(struct history *h, const struct schema *s, char *name) /* takes name */
{
	if (h->n == HISTORY_MAX) {
		free(name);
		return;
	}
	h->version[h->n] = s;
	h->name[h->n++] = name;
}

static void from_files(struct checking *c, const struct ctl_entry *e)
{
	for (size_t i = 0; i < c->before.n; i++)
		if (c->one_file || strcmp(c->before.entry[i].subject, e->subject) == 0)
			add_version(&c->history, c->before.entry[i].schema,
				    bus_xstrdup(c->before.entry[i].path));
}

static bool is_transitive(enum schema_level level)
{
	return level == SCHEMA_COMPAT_BACKWARD_TRANSITIVE || level == SCHEMA_COMPAT_FORWARD_TRANSITIVE ||
	       level == SCHEMA_COMPAT_FULL_TRANSITIVE;
}

static enum ctl_exit from_registry(struct checking *c, const struct ctl_entry *e)
{
	struct history *h = &c->history;
	int64_t *version;
	enum ctl_exit rc;
	size_t n, i;

	rc = ctl_registry_versions(c->r, e->subject, &version, &n);
	if (rc == CTL_OK && n > 0 && !c->level_given)
		rc = ctl_registry_level(c->r, e->subject, &c->level);
	for (i = n > 0 && !is_transitive(c->level) ? n - 1 : 0; i < n && rc == CTL_OK && h->n < HISTORY_MAX;
	     i++) {
		struct ctl_version *v = &h->owned[h->n_owned];
		char name[24];

		snprintf(name, sizeof(name), "%lld", (long long)version[i]);
		rc = ctl_registry_schema(c->r, e->subject, name, v);
		if (rc != CTL_OK)
			break;
		h->n_owned++;
		add_version(h, v->schema, bus_xstrdup(name));
	}
	free(version);
	return rc;
}

static void put_faults(struct bus_json_out *j, const struct schema_lint *lint)
{
	bus_json_key(j, "faults");
	bus_json_array(j);
	for (size_t i = 0; i < lint->n; i++) {
		const struct schema_fault *f = &lint->fault[i];

		bus_json_object(j);
		bus_json_text_member(j, "rule", f->rule->code);
		bus_json_text_member(j, "path", f->path);
		bus_json_text_member(j, "place", f->place);
		schema_words_put(j, f->sentence);
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
}

static void show_json(struct checking *c, const struct ctl_entry *e, const struct schema_lint *lint, bool ok,
		      const char *with, const struct schema_diff *diff)
{
	struct bus_json_out j = { .buf = &c->line };

	bus_buf_reset(&c->line);
	bus_json_object(&j);
	bus_json_text_member(&j, "file", e->path);
	bus_json_text_member(&j, "subject", e->subject);
	bus_json_text_member(&j, "name", schema_label(schema_root(e->schema)));
	bus_json_key(&j, "ok");
	bus_json_put_bool(&j, ok && lint->n == 0);
	put_faults(&j, lint);
	if (with) {
		bus_json_text_member(&j, "against", with);
		bus_json_text_member(&j, "level", schema_level_name(c->level));
		bus_json_key(&j, "compatible");
		bus_json_put_bool(&j, ok);
		bus_json_key(&j, "diff");
		schema_diff_put(&j, diff);
	}
	bus_json_object_end(&j);
	puts(bus_buf_cstr(&c->line));
}

/* What the level does not ask about is no fault, but worth knowing: it is shown by schema diff. */
static void say_incompatible(struct checking *c, const struct ctl_entry *e, const char *with,
			     const struct schema_diff *diff)
{
	const bool backward =
	    c->level != SCHEMA_COMPAT_FORWARD && c->level != SCHEMA_COMPAT_FORWARD_TRANSITIVE;
	const bool forward =
	    c->level != SCHEMA_COMPAT_BACKWARD && c->level != SCHEMA_COMPAT_BACKWARD_TRANSITIVE;
	const struct schema_explanation *const both[] = { &diff->backward, &diff->forward };

	ctl_complain(
	    ctl_say("%s: not compatible (%s) with version %s:", "%s: tidak kompatibel (%s) dengan versi %s:"),
	    e->path, schema_level_name(c->level), with);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; (k ? forward : backward) && i < both[k]->n; i++)
			fprintf(stderr, "  %s\n    %s\n",
				ctl_say(both[k]->finding[i].what.en, both[k]->finding[i].what.id),
				ctl_say(both[k]->finding[i].mend.en, both[k]->finding[i].mend.id));
}

static void say(struct checking *c, const struct ctl_entry *e, const struct schema_lint *lint, bool ok,
		const char *with, const struct schema_diff *diff)
{
	for (size_t i = 0; i < lint->n; i++)
		ctl_complain("%s: %s [%s]", e->path,
			     ctl_say(lint->fault[i].sentence.en, lint->fault[i].sentence.id),
			     lint->fault[i].rule->code);
	if (!ok)
		say_incompatible(c, e, with, diff);
	for (size_t i = 0; with && i < diff->n; i++)
		if (diff->change[i].warning)
			fprintf(stderr, "%s: ! %s\n", e->path,
				ctl_say(diff->change[i].sentence.en, diff->change[i].sentence.id));
	if (!ok || lint->n > 0)
		return;
	printf("%s\t%s\t%s\t%zu", e->path, e->topic ? e->topic : "-", schema_label(schema_root(e->schema)),
	       schema_root(e->schema)->n);
	if (c->r || c->with_before)
		printf("\t%s", !with	      ? ctl_say("new", "baru")
			       : diff->n == 0 ? ctl_say("unchanged", "tidak berubah")
					      : ctl_say("compatible", "kompatibel"));
	putchar('\n');
}

static void check_entry(struct checking *c, const struct ctl_entry *e)
{
	struct schema_diff diff = { 0 };
	struct schema_lint lint;
	const char *with = NULL;
	enum ctl_exit rc = CTL_OK;
	size_t at = 0;
	bool ok = true;

	schema_lint(e->schema, true, &lint);
	if (c->with_before)
		from_files(c, e);
	else if (c->r)
		rc = from_registry(c, e);
	if (rc == CTL_OK && c->history.n > 0) {
		at = c->history.n - 1;
		ok = schema_compatible(c->level, e->schema, c->history.version, c->history.n, NULL, &at);
		with = c->history.name[at];
		schema_diff(c->history.version[at], e->schema, &diff);
	}
	if (rc == CTL_OK && c->json)
		show_json(c, e, &lint, ok, with, &diff);
	else if (rc == CTL_OK)
		say(c, e, &lint, ok, with, &diff);
	if (rc == CTL_OK && (lint.n > 0 || !ok))
		rc = lint.n > 0 ? CTL_FAILED : CTL_INCOMPATIBLE;
	if (rc != CTL_OK && (c->rc == CTL_OK || rc == CTL_UNREACHABLE))
		c->rc = rc;
	schema_diff_release(&diff);
	schema_lint_release(&lint);
	release_history(&c->history);
}

static void tell_fault(struct checking *c, const struct ctl_fault *f)
{
	struct bus_json_out j = { .buf = &c->line };

	if (!c->json) {
		ctl_complain("%s: %s", f->path, f->err.text);
		return;
	}
	bus_buf_reset(&c->line);
	bus_json_object(&j);
	bus_json_text_member(&j, "file", f->path);
	bus_json_key(&j, "ok");
	bus_json_put_bool(&j, false);
	bus_json_text_member(&j, "error", f->err.text);
	bus_json_object_end(&j);
	puts(bus_buf_cstr(&c->line));
}

static enum ctl_exit rc_of_faults(const struct ctl_catalogue *c)
{
	for (size_t i = 0; i < c->n_faults; i++)
		if (c->fault[i].err.code != BUS_EEXIST)
			return c->fault[i].err.code == BUS_ENOENT ? CTL_NOT_FOUND : CTL_FAILED;
	return CTL_OK;
}

/* Several versions of one subject are what it is for. Where one cannot be read there is nothing to compare with,
 * and no verdict. */
static enum ctl_exit read_before(struct checking *c, const struct ctl_args *args)
{
	char *path = bus_xstrdup(args->option[AGAINST]);
	size_t n = strlen(path);
	struct bus_error err;
	enum bus_err rc = ctl_catalogue_read(&path, 1, args->option[OPD], &c->before, &err);

	c->with_before = true;
	c->one_file = c->before.n == 1 && n > 5 && strcmp(path + n - 5, ".avsc") == 0;
	free(path);
	if (rc != BUS_OK)
		return ctl_fail(&err, false);
	for (size_t i = 0; i < c->before.n_faults; i++)
		if (c->before.fault[i].err.code != BUS_EEXIST)
			tell_fault(c, &c->before.fault[i]);
	return rc_of_faults(&c->before);
}

static enum ctl_exit prepare(struct checking *c, const struct ctl_args *args)
{
	if (args->option[LEVEL] && schema_level_parse(args->option[LEVEL], &c->level) != BUS_OK) {
		ctl_complain(
		    ctl_say("--level: '%s' is none of NONE, BACKWARD, FORWARD, FULL, each also with "
			    "_TRANSITIVE",
			    "--level: '%s' bukan NONE, BACKWARD, FORWARD, FULL, atau dengan _TRANSITIVE"),
		    args->option[LEVEL]);
		return CTL_USAGE;
	}
	if (args->option[AGAINST] && args->option[REGISTRY]) {
		ctl_complain("%s", ctl_say("--registry and --against: one of them",
					   "--registry dan --against: salah satu"));
		return CTL_USAGE;
	}
	if (args->option[REGISTRY])
		return ctl_registry_open(args->option[REGISTRY], args->option[CLIENT],
					 args->option[TOKEN_FILE], &c->r);
	return args->option[AGAINST] ? read_before(c, args) : CTL_OK;
}

static enum ctl_exit schema_check(const struct ctl_args *args)
{
	struct checking *c = bus_xcalloc(1, sizeof(*c));
	struct ctl_catalogue new = { 0 };
	struct bus_error err;
	enum ctl_exit rc;

	c->level = SCHEMA_COMPAT_BACKWARD;
	c->level_given = args->option[LEVEL] != NULL;
	c->json = args->option[JSON] != NULL;
	c->rc = prepare(c, args);
	if (c->rc != CTL_OK)
		goto out;
	if (ctl_catalogue_read(args->rest, args->n_rest, args->option[OPD], &new, &err) != BUS_OK) {
		c->rc = ctl_fail(&err, false);
		goto out;
	}
	for (size_t i = 0; i < new.n_faults; i++) {
		tell_fault(c, &new.fault[i]);
		c->rc = new.fault[0].err.code == BUS_ENOENT ? CTL_NOT_FOUND : CTL_FAILED;
	}
	for (size_t i = 0; i < new.n && c->rc != CTL_UNREACHABLE; i++)
		check_entry(c, &new.entry[i]);
	if (c->rc == CTL_OK && !c->json)
		fprintf(stderr,
			ctl_say("%zu files, %zu subjects: all right\n",
				"%zu berkas, %zu subjek: semuanya benar\n"),
			new.n_files, new.n);
out:
	rc = c->rc;
	ctl_catalogue_release(&new);
	ctl_catalogue_release(&c->before);
	ctl_registry_close(&c->r);
	bus_buf_release(&c->line);
	free(c);
	return rc;
}

const struct ctl_command ctl_schema_check = {
	.noun = "schema",
	.verb = "check",
	.operands = "DIR|FILE...",
	.least = 1,
	.most = 1000,
	.option = check_option,
	.en = "whether schemas are right, follow the rules, and fit the versions before them",
	.id = "apakah skema benar, mematuhi aturan, dan cocok dengan versi sebelumnya",
	.example = "titian schema check --registry http://127.0.0.1:8081 schemas/avsc",
	.run = schema_check,
};
