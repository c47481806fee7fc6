#include "bus/json_out.h"
#include "deploy/ctl/catalogue.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/registry.h"
#include "schemas/avro/search.h"
#include "schemas/avro/words.h"

#define PAGE 200
#define PAGES_MAX 10000

enum { FIELD, TYPE, CLASS, TEXT, REGISTRY, TOKEN_FILE, CLIENT, OPD, JSON };

static const struct ctl_option search_option[] = {
	[FIELD] = { "--field", "NAME", NULL, "its name; * stands for anything: 'tgl_*'",
		    "namanya; * berarti apa saja: 'tgl_*'" },
	[TYPE] = { "--type", "TYPE", NULL, "string, date, enum, a record's full name, ...",
		   "string, date, enum, nama lengkap record, ..." },
	[CLASS] = { "--class", "CLASS", NULL, "class of personal data: N, P, U, S, A",
		    "golongan data pribadi: N, P, U, S, A" },
	[TEXT] = { "--text", "TEXT", NULL, "in the path or the description of field or record",
		   "dalam jalur atau keterangan kolom atau record" },
	[REGISTRY] = { "--registry", "URL", "TITIAN_REGISTRY_URL",
		       "the registry (where no folder or file is given)",
		       "registri skema (bila tidak ada folder atau berkas)" },
	[TOKEN_FILE] = CTL_OPTION_TOKEN_FILE,
	[CLIENT] = CTL_OPTION_CLIENT,
	[OPD] = CTL_OPTION_OPD,
	[JSON] = CTL_OPTION_JSON,
	{ 0 },
};

struct searching {
	struct schema_search wanted;
	bool json;
	const char *subject, *file; /* of the schema at hand; file NULL: of the registry */
	int64_t version;
	size_t found;
	struct bus_buf line, type;
};

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static bool show(void *ctx, const struct schema_hit *hit)
{
	struct searching *s = ctx;
	const char *class = schema_property(hit->field->properties, "x_pdp");
	struct bus_json_out j = { .buf = &s->line };
	const struct {
		const char *name, *text;
	} member[] = { { "path", hit->path },
		       { "type", NULL },
		       { "class", class },
		       { "doc", hit->field->doc },
		       { "file", s->file } };

	s->found++;
	bus_buf_reset(&s->line);
	bus_buf_reset(&s->type);
	schema_words_type(hit->field->type, &s->type);
	if (!s->json) {
		const char *const column[] = { s->file ? s->file : s->subject, hit->path,
					       bus_buf_cstr(&s->type), or_empty(class),
					       or_empty(hit->field->doc) };

		for (size_t i = 0; i < BUS_LEN(column); i++) {
			if (i > 0)
				bus_buf_putc(&s->line, '\t');
			ctl_put_line(&s->line, column[i]);
		}
		puts(bus_buf_cstr(&s->line));
		return true;
	}
	bus_json_object(&j);
	bus_json_key(&j, "subject");
	bus_json_put_text(&j, s->subject);
	if (!s->file) {
		bus_json_key(&j, "version");
		bus_json_put_int(&j, s->version);
	}
	for (size_t i = 0; i < BUS_LEN(member); i++) {
		const char *text = i == 1 ? bus_buf_cstr(&s->type) : member[i].text;

		if (!text)
			continue;
		bus_json_key(&j, member[i].name);
		bus_json_put_text(&j, text);
	}
	bus_json_object_end(&j);
	puts(bus_buf_cstr(&s->line));
	return true;
}

static void search_version(struct searching *s, const struct ctl_version *v)
{
	s->subject = or_empty(v->subject);
	s->version = v->version;
	schema_search(v->schema, &s->wanted, show, s);
}

struct later { /* schemas with references: they need calls of their own */
	char **subject;
	size_t n;
};

static void put_off(struct later *l, const struct bus_json *object)
{
	const struct bus_json *subject = bus_json_get(object, "subject");

	if (!subject || subject->type != BUS_JSON_STRING)
		return;
	l->subject = bus_xrealloc(l->subject, (l->n + 1) * sizeof(char *));
	l->subject[l->n++] = bus_xstrndup(subject->text.p, subject->text.n);
}

/* A page of latest versions; *n: how many it had. */
static enum ctl_exit search_page(struct searching *s, struct ctl_registry *r, size_t offset,
				 struct later *later, size_t *n)
{
	const struct bus_json *answer, *type, *needs;
	struct ctl_version v;
	enum ctl_exit rc;
	char path[96];
	int status;

	*n = 0;
	snprintf(path, sizeof(path), "/schemas?latestOnly=true&offset=%zu&limit=%d", offset, PAGE);
	rc = ctl_registry_ask(r, "GET", path, NULL, &status, &answer);
	if (rc != CTL_OK)
		return rc;
	if (status != 200 || !answer || answer->type != BUS_JSON_ARRAY)
		return ctl_registry_refused("/schemas", status, answer);
	*n = answer->n;
	for (const struct bus_json *o = answer->first; o; o = o->next) {
		type = o->type == BUS_JSON_OBJECT ? bus_json_get(o, "schemaType") : NULL;
		if (o->type != BUS_JSON_OBJECT || (type && !bus_str_is(type->text, "AVRO")))
			continue;
		needs = bus_json_get(o, "references");
		if (needs && needs->n > 0) {
			put_off(later, o);
		} else if (ctl_registry_read(r, o, &v) == CTL_OK) {
			search_version(s, &v);
			ctl_version_release(&v);
		}
	}
	return CTL_OK;
}

static enum ctl_exit search_registry(struct searching *s, const struct ctl_args *args)
{
	struct later later = { NULL, 0 };
	struct ctl_registry *r;
	struct ctl_version v;
	size_t n = PAGE;
	enum ctl_exit rc =
	    ctl_registry_open(args->option[REGISTRY], args->option[CLIENT], args->option[TOKEN_FILE], &r);

	/* Not every registry pages: one that gives more than was asked for gave all. */
	for (size_t i = 0; i < PAGES_MAX && n == PAGE && rc == CTL_OK; i++)
		rc = search_page(s, r, i * PAGE, &later, &n);
	for (size_t i = 0; i < later.n; i++) {
		if (rc == CTL_OK && ctl_registry_schema(r, later.subject[i], "latest", &v) == CTL_OK) {
			search_version(s, &v);
			ctl_version_release(&v);
		}
		free(later.subject[i]);
	}
	free(later.subject);
	ctl_registry_close(&r);
	return rc;
}

static enum ctl_exit search_files(struct searching *s, const struct ctl_args *args)
{
	struct ctl_catalogue c;
	struct bus_error err;

	if (ctl_catalogue_read(args->rest, args->n_rest, args->option[OPD], &c, &err) != BUS_OK)
		return ctl_fail(&err, false);
	for (size_t i = 0; i < c.n_faults; i++)
		if (c.fault[i].err.code != BUS_EEXIST)
			ctl_complain("%s: %s", c.fault[i].path, c.fault[i].err.text);
	for (size_t i = 0; i < c.n; i++) {
		s->subject = c.entry[i].subject;
		s->file = c.entry[i].path;
		schema_search(c.entry[i].schema, &s->wanted, show, s);
	}
	ctl_catalogue_release(&c);
	return CTL_OK;
}

static enum ctl_exit schema_search_command(const struct ctl_args *args)
{
	struct searching s = { .wanted = { .text = args->option[TEXT],
					   .field = args->option[FIELD],
					   .type = args->option[TYPE],
					   .pdp = args->option[CLASS] },
			       .json = args->option[JSON] != NULL };
	enum ctl_exit rc;

	if (!s.wanted.text && !s.wanted.field && !s.wanted.type && !s.wanted.pdp) {
		ctl_complain("%s", ctl_say("say what to look for: --field, --type, --class or --text",
					   "sebutkan yang dicari: --field, --type, --class atau --text"));
		return CTL_USAGE;
	}
	rc = args->n_rest > 0 ? search_files(&s, args) : search_registry(&s, args);
	bus_buf_release(&s.line);
	bus_buf_release(&s.type);
	return rc == CTL_OK && s.found == 0 ? CTL_NOT_FOUND : rc;
}

const struct ctl_command ctl_schema_search = {
	.noun = "schema",
	.verb = "search",
	.operands = "[DIR|FILE...]",
	.least = 0,
	.most = 1000,
	.option = search_option,
	.en = "fields by name, type, class or text, in the registry or in files; exit 5 when there is none",
	.id = "mencari kolom menurut nama, tipe, golongan atau teks, di registri atau berkas; keluar 5 bila "
	      "tidak ada",
	.example = "titian schema search --class S schemas/avsc",
	.run = schema_search_command,
};
