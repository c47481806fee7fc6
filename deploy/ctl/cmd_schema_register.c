#include "bus/json_out.h"
#include "bus/percent.h"
#include "deploy/ctl/catalogue.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/registry.h"

enum { REGISTRY, OPD, TOKEN_FILE, CLIENT, DRY_RUN, JSON };

static const struct ctl_option register_option[] = {
	[REGISTRY] = CTL_OPTION_REGISTRY,
	[OPD] = CTL_OPTION_OPD,
	[TOKEN_FILE] = CTL_OPTION_TOKEN_FILE,
	[CLIENT] = CTL_OPTION_CLIENT,
	[DRY_RUN] = { "--dry-run", NULL, NULL, "ask whether it could be registered; change nothing",
		      "menanyakan apakah dapat didaftarkan; tidak mengubah apa pun" },
	[JSON] = CTL_OPTION_JSON,
	{ 0 },
};

struct outcome {
	int64_t id, version; /* 0: not known */
	bool known;	     /* it was there already */
};

struct registering {
	struct ctl_registry *r;
	const struct ctl_catalogue *c;
	struct outcome *done; /* by entry; version 0: not yet, or refused */
	bool *tried;
	bool dry_run, json;
	enum ctl_exit rc; /* of the first that failed */
	struct bus_buf body, path, line;
};

static void put_body(struct registering *g, const struct ctl_entry *e)
{
	struct bus_json_out j = { .buf = &g->body };

	bus_buf_reset(&g->body);
	bus_json_object(&j);
	bus_json_key(&j, "schema");
	bus_json_put_text(&j, e->text);
	if (e->n_needs > 0) {
		bus_json_key(&j, "references");
		bus_json_array(&j);
		for (size_t i = 0; i < e->n_needs; i++) {
			bus_json_object(&j);
			bus_json_key(&j, "name");
			bus_json_put_text(&j, g->c->entry[e->needs[i]].subject);
			bus_json_key(&j, "subject");
			bus_json_put_text(&j, g->c->entry[e->needs[i]].subject);
			bus_json_key(&j, "version");
			bus_json_put_int(&j, g->done[e->needs[i]].version);
			bus_json_object_end(&j);
		}
		bus_json_array_end(&j);
	}
	bus_json_object_end(&j);
}

static bool has_id(const struct bus_json *answer)
{
	return answer && answer->type == BUS_JSON_OBJECT && bus_json_get(answer, "id");
}

static enum ctl_exit post(struct registering *g, const char *before, const struct ctl_entry *e,
			  const char *after, int *status, const struct bus_json **answer)
{
	bus_buf_reset(&g->path);
	bus_buf_puts(&g->path, before);
	bus_percent_put(&g->path, bus_str(e->subject));
	bus_buf_puts(&g->path, after);
	return ctl_registry_ask(g->r, "POST", bus_buf_cstr(&g->path), &g->body, status, answer);
}

/* Whether the subject has it, and as what. */
static enum ctl_exit look_up(struct registering *g, const struct ctl_entry *e, struct outcome *out)
{
	const struct bus_json *answer;
	int status;
	enum ctl_exit rc = post(g, "/subjects/", e, "", &status, &answer);

	if (rc != CTL_OK || ctl_registry_lacks(status, answer))
		return rc;
	if (status != 200 || !has_id(answer))
		return ctl_registry_refused(e->subject, status, answer);
	*out = (struct outcome){ ctl_json_int(answer, "id", 0), ctl_json_int(answer, "version", 0), true };
	return CTL_OK;
}

static enum ctl_exit add(struct registering *g, const struct ctl_entry *e, struct outcome *out)
{
	const struct bus_json *answer;
	int status;
	enum ctl_exit rc = post(g, "/subjects/", e, "/versions", &status, &answer);

	if (rc == CTL_OK && (status != 200 || !has_id(answer)))
		rc = ctl_registry_refused(e->subject, status, answer);
	if (rc != CTL_OK)
		return rc;
	*out = (struct outcome){ ctl_json_int(answer, "id", 0), ctl_json_int(answer, "version", 0), false };
	/* Older registries answer with the id only. */
	if (out->version == 0)
		rc = look_up(g, e, out);
	out->known = false;
	return rc;
}

static enum ctl_exit ask_compatible(struct registering *g, const struct ctl_entry *e)
{
	const struct bus_json *answer, *v;
	int status;
	enum ctl_exit rc = post(g, "/compatibility/subjects/", e, "/versions?verbose=true", &status, &answer);

	if (rc != CTL_OK || ctl_registry_lacks(status, answer)) /* no such subject yet, in some registries */
		return rc;
	if (status != 200 || !answer || answer->type != BUS_JSON_OBJECT)
		return ctl_registry_refused(e->subject, status, answer);
	v = bus_json_get(answer, "is_compatible");
	if (v && v->type == BUS_JSON_TRUE)
		return CTL_OK;
	v = bus_json_get(answer, "messages");
	ctl_complain(ctl_say("%s: not compatible; titian schema check says why in words",
			     "%s: tidak kompatibel; titian schema check menjelaskan sebabnya"),
		     e->subject);
	for (const struct bus_json *m = v && v->type == BUS_JSON_ARRAY ? v->first : NULL; m; m = m->next)
		fprintf(stderr, "    %.*s\n", (int)(m->text.n < 500 ? m->text.n : 500), m->text.p);
	return CTL_INCOMPATIBLE;
}

static const char *state_of(const struct registering *g, const struct outcome *o)
{
	return o->known ? "known" : g->dry_run ? "would-register" : "new";
}

static void show(struct registering *g, const struct ctl_entry *e, const struct outcome *o)
{
	struct bus_json_out j = { .buf = &g->line };

	if (!g->json) {
		printf("%s\t%lld\t%lld\t%s\n", e->subject, (long long)o->id, (long long)o->version,
		       state_of(g, o));
		return;
	}
	bus_buf_reset(&g->line);
	bus_json_object(&j);
	bus_json_key(&j, "file");
	bus_json_put_text(&j, e->path);
	bus_json_key(&j, "subject");
	bus_json_put_text(&j, e->subject);
	bus_json_key(&j, "state");
	bus_json_put_text(&j, state_of(g, o));
	if (o->version > 0) {
		bus_json_key(&j, "id");
		bus_json_put_int(&j, o->id);
		bus_json_key(&j, "version");
		bus_json_put_int(&j, o->version);
	}
	bus_json_object_end(&j);
	puts(bus_buf_cstr(&g->line));
}

/* One entry, after what it needs. Recursion: an entry is read only after the types it uses, so there is no
 * ring; as deep as they use each other. */
static void register_entry(struct registering *g, size_t i)
{
	const struct ctl_entry *e = &g->c->entry[i];
	enum ctl_exit rc = CTL_OK;
	bool waits = false;

	if (g->tried[i] || g->rc == CTL_UNREACHABLE)
		return;
	g->tried[i] = true;
	for (size_t k = 0; k < e->n_needs; k++) {
		register_entry(g, e->needs[k]);
		waits |= g->done[e->needs[k]].version == 0;
	}
	if (waits && !g->dry_run) {
		ctl_complain(ctl_say("%s: not registered, since a type it uses was not",
				     "%s: tidak didaftarkan karena tipe yang dipakainya tidak terdaftar"),
			     e->subject);
		return;
	}
	put_body(g, e);
	/* In a dry run what it needs may be missing yet: then nobody can say more. */
	if (!waits)
		rc = look_up(g, e, &g->done[i]);
	if (rc == CTL_OK && !waits && !g->done[i].known)
		rc = g->dry_run ? ask_compatible(g, e) : add(g, e, &g->done[i]);
	if (rc == CTL_OK)
		show(g, e, &g->done[i]);
	else if (g->rc == CTL_OK || rc == CTL_UNREACHABLE)
		g->rc = rc;
}

static enum ctl_exit schema_register(const struct ctl_args *args)
{
	struct ctl_catalogue c = { 0 };
	struct bus_error err = { 0 };
	struct registering g = { .c = &c,
				 .dry_run = args->option[DRY_RUN] != NULL,
				 .json = args->option[JSON] != NULL };

	g.rc =
	    ctl_registry_open(args->option[REGISTRY], args->option[CLIENT], args->option[TOKEN_FILE], &g.r);
	if (g.rc != CTL_OK)
		return g.rc;
	if (ctl_catalogue_load(args->rest, args->n_rest, args->option[OPD], &c, &err) != BUS_OK) {
		ctl_registry_close(&g.r);
		return ctl_fail(&err, false);
	}
	g.done = bus_xcalloc(c.n + 1, sizeof(*g.done));
	g.tried = bus_xcalloc(c.n + 1, sizeof(*g.tried));
	/* All of them, so that one run tells everything; but not when nobody is there. */
	for (size_t i = 0; i < c.n; i++)
		register_entry(&g, i);
	free(g.done);
	free(g.tried);
	bus_buf_release(&g.body);
	bus_buf_release(&g.path);
	bus_buf_release(&g.line);
	ctl_catalogue_release(&c);
	ctl_registry_close(&g.r);
	return g.rc;
}

const struct ctl_command ctl_schema_register = {
	.noun = "schema",
	.verb = "register",
	.operands = "DIR|FILE...",
	.least = 1,
	.most = 1000,
	.option = register_option,
	.en = "register schemas under their topics' subjects; prints subject, id, version, new or known",
	.id = "mendaftarkan skema pada subjek topiknya; mencetak subjek, id, versi, new atau known",
	.example = "titian schema register --registry http://127.0.0.1:8081 schemas/avsc",
	.run = schema_register,
};
