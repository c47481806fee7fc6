#include <stdlib.h>
#include <string.h>

#include "bus/client.h"
#include "bus/json.h"
#include "bus/json_out.h"
#include "bus/mem.h"
#include "deploy/ctl/catalogue.h"
#include "deploy/ctl/commands.h"

#define SCHEMA_TYPE "application/vnd.schemaregistry.v1+json"
#define TOKEN_MAX 8192

enum { CHECK_OPD };
enum { REGISTRY, OPD, TOKEN_FILE };

#define OPTION_OPD                                                                                           \
	{                                                                                                    \
		"--opd", "A,B,C", NULL,                                                                      \
		    "departments the common schemas stand for (default: the other folders)",                 \
		    "OPD yang diwakili skema bersama (bawaan: folder-folder lain)"                           \
	}

static const struct ctl_option check_option[] = { [CHECK_OPD] = OPTION_OPD, { 0 } };

static enum ctl_exit schema_check(const struct ctl_args *args)
{
	struct ctl_catalogue c = { 0 };
	struct bus_error err = { 0 };
	size_t i;

	if (ctl_catalogue_load(args->rest, args->n_rest, args->option[CHECK_OPD], &c, &err) != BUS_OK)
		return ctl_fail(&err, false);
	for (i = 0; i < c.n; i++)
		printf("%s\t%s\t%s\t%zu\n", c.entry[i].path, c.entry[i].topic,
		       schema_root(c.entry[i].schema)->name, schema_root(c.entry[i].schema)->n);
	fprintf(stderr,
		ctl_say("%zu files, %zu topics: all right\n", "%zu berkas, %zu topik: semuanya benar\n"),
		c.n_files, c.n);
	ctl_catalogue_release(&c);
	return CTL_OK;
}

const struct ctl_command ctl_schema_check = {
	.noun = "schema",
	.verb = "check",
	.operands = "DIR|FILE...",
	.least = 1,
	.most = 1000,
	.option = check_option,
	.en = "read schemas as strictly as the registry does; topic, kind and data classes must be there",
	.id = "memeriksa skema seketat registri; topik, jenis dan golongan data harus ada",
	.example = "titian schema check schemas/avsc/dinsos/bansos.avsc",
	.run = schema_check,
};

static const struct ctl_option register_option[] = {
	[REGISTRY] = { "--registry", "URL", "TITIAN_REGISTRY_URL", "the registry", "registri skema" },
	[OPD] = OPTION_OPD,
	[TOKEN_FILE] = { "--token-file", "FILE", NULL, "file with the bearer token", "berkas berisi token" },
	{ 0 },
};

static bool read_token(const char *path, char *out)
{
	FILE *fp = fopen(path, "re");
	size_t n = fp ? fread(out, 1, TOKEN_MAX - 1, fp) : 0;

	if (fp)
		fclose(fp);
	out[n] = '\0';
	out[strcspn(out, " \r\n")] = '\0';
	if (!out[0])
		ctl_complain(ctl_say("no token in '%s'", "tidak ada token dalam '%s'"), path);
	return out[0] != '\0';
}

static void put_encoded(struct bus_buf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    strchr("-._~", c))
			bus_buf_putc(b, *s);
		else
			bus_buf_printf(b, "%%%02X", c);
	}
}

/* The members `id` and `version` of an answer; 0 where there is none. Or its `message`. */
static void read_answer(struct bus_str text, int64_t *id, int64_t *version, char *message, size_t n)
{
	struct bus_arena *arena = bus_arena_new(16 * 1024 * 1024);
	struct bus_json *tree = NULL;
	const struct bus_json *v;

	*id = *version = 0;
	message[0] = '\0';
	if (bus_json_parse(text, NULL, arena, &tree, NULL) == BUS_OK && tree->type == BUS_JSON_OBJECT) {
		if ((v = bus_json_get(tree, "id")) && bus_json_int(v, id) != BUS_OK)
			*id = 0;
		if ((v = bus_json_get(tree, "version")) && bus_json_int(v, version) != BUS_OK)
			*version = 0;
		v = bus_json_get(tree, "message");
		if (v && v->type == BUS_JSON_STRING)
			snprintf(message, n, "%.*s", (int)v->text.n, v->text.p);
	}
	bus_arena_free(&arena);
}

struct registry {
	const char *url, *token;
	struct bus_buf path, body, answer;
};

/* POSTs the schema to the path; *status, and what read_answer gives. */
static enum ctl_exit ask(struct registry *r, int64_t *id, int64_t *version, const char *subject)
{
	char message[512];
	struct bus_error err;
	int status = 0;

	bus_buf_reset(&r->answer);
	if (bus_client_request("POST", bus_buf_cstr(&r->path), r->token, SCHEMA_TYPE, bus_buf_str(&r->body),
			       CTL_TIMEOUT_MS, &status, &r->answer, &err) != BUS_OK)
		return ctl_fail(&err, true);
	read_answer(bus_buf_str(&r->answer), id, version, message, sizeof(message));
	if (status == 200)
		return CTL_OK;
	ctl_complain(ctl_say("%s: the registry answers %d: %s", "%s: registri menjawab %d: %s"), subject,
		     status, message);
	return status == 409			? CTL_INCOMPATIBLE
	       : status == 401 || status == 403 ? CTL_DENIED
	       : status == 404			? CTL_NOT_FOUND
	       : status >= 500			? CTL_UNREACHABLE
						: CTL_FAILED;
}

static enum ctl_exit register_one(struct registry *r, const struct ctl_entry *e)
{
	struct bus_json_out j = { .buf = &r->body };
	char *subject = bus_xasprintf("%s-value", e->topic);
	int64_t id = 0, version = 0, again;
	enum ctl_exit rc;

	bus_buf_reset(&r->body);
	bus_json_object(&j);
	bus_json_key(&j, "schema");
	bus_json_put_text(&j, e->text);
	bus_json_object_end(&j);
	bus_buf_reset(&r->path);
	bus_buf_printf(&r->path, "%.*s/subjects/",
		       (int)(strlen(r->url) - (r->url[strlen(r->url) - 1] == '/')), r->url);
	put_encoded(&r->path, subject);
	bus_buf_puts(&r->path, "/versions");
	rc = ask(r, &id, &version, subject);
	if (rc == CTL_OK && version == 0) { /* older registries answer with the id only: look it up */
		r->path.n -= strlen("/versions");
		rc = ask(r, &again, &version, subject);
	}
	if (rc == CTL_OK)
		printf("%s\t%lld\t%lld\n", subject, (long long)id, (long long)version);
	free(subject);
	return rc;
}

static enum ctl_exit schema_register(const struct ctl_args *args)
{
	char token[TOKEN_MAX];
	struct registry r = { .url = args->option[REGISTRY] };
	struct ctl_catalogue c = { 0 };
	struct bus_error err = { 0 };
	enum ctl_exit rc = CTL_OK, one;
	size_t i;

	if (!r.url || !r.url[0]) {
		ctl_complain("%s", ctl_say("--registry URL is missing (or TITIAN_REGISTRY_URL)",
					   "--registry URL belum diberikan (atau TITIAN_REGISTRY_URL)"));
		return CTL_USAGE;
	}
	if (args->option[TOKEN_FILE]) {
		if (!read_token(args->option[TOKEN_FILE], token))
			return CTL_FAILED;
		r.token = token;
	}
	if (ctl_catalogue_load(args->rest, args->n_rest, args->option[OPD], &c, &err) != BUS_OK)
		return ctl_fail(&err, false);
	/* All of them, so that one run tells everything; but not when nobody is there. */
	for (i = 0; i < c.n && rc != CTL_UNREACHABLE; i++) {
		one = register_one(&r, &c.entry[i]);
		if (one != CTL_OK)
			rc = one;
	}
	ctl_catalogue_release(&c);
	bus_buf_release(&r.path);
	bus_buf_release(&r.body);
	bus_buf_release(&r.answer);
	return rc;
}

const struct ctl_command ctl_schema_register = {
	.noun = "schema",
	.verb = "register",
	.operands = "DIR|FILE...",
	.least = 1,
	.most = 1000,
	.option = register_option,
	.en = "register schemas under their topics' subjects; prints subject, id, version",
	.id = "mendaftarkan skema pada subjek topiknya; mencetak subjek, id, versi",
	.example = "titian schema register --registry http://127.0.0.1:8081 schemas/avsc",
	.run = schema_register,
};
