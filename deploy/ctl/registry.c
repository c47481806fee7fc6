#include "deploy/ctl/registry.h"

#include "bus/client.h"
#include "bus/json_out.h"
#include "bus/percent.h"

#define SCHEMA_TYPE "application/vnd.schemaregistry.v1+json"
#define ANSWER_MAX ((size_t)256 * 1024 * 1024) /* of a parsed answer */
#define DEPTH_MAX 16			       /* of references */
#define REFERENCES_MAX 256

struct ctl_registry {
	char *url;
	struct bus_client *client;
	struct bus_buf answer;
	struct bus_arena *arena;
};

enum ctl_exit ctl_registry_open(const char *url, const char *client, const char *token_file,
				struct ctl_registry **out)
{
	const struct bus_client_conf conf = { .token_file = token_file };
	struct ctl_registry *r;
	struct bus_error err;
	enum bus_err rc;

	*out = NULL;
	if (!url || !url[0]) {
		ctl_complain("%s", ctl_say("--registry URL is missing (or TITIAN_REGISTRY_URL)",
					   "--registry URL belum diberikan (atau TITIAN_REGISTRY_URL)"));
		return CTL_USAGE;
	}
	if (client && token_file) {
		ctl_complain(
		    "%s", ctl_say("--client and --token-file: one of them (the file may name the token)",
				  "--client dan --token-file: salah satu (berkasnya dapat menyebut token)"));
		return CTL_USAGE;
	}
	r = bus_xcalloc(1, sizeof(*r));
	rc = client ? bus_client_open_file(client, &r->client, &err)
		    : bus_client_open(&conf, &r->client, &err);
	if (rc != BUS_OK) {
		free(r);
		return ctl_fail(&err, false);
	}
	r->url = bus_xstrndup(url, strlen(url) - (url[strlen(url) - 1] == '/'));
	r->arena = bus_arena_new(ANSWER_MAX);
	*out = r;
	return CTL_OK;
}

void ctl_registry_close(struct ctl_registry **r)
{
	if (!*r)
		return;
	bus_client_close(&(*r)->client);
	bus_buf_release(&(*r)->answer);
	bus_arena_free(&(*r)->arena);
	free((*r)->url);
	free(*r);
	*r = NULL;
}

enum ctl_exit ctl_registry_ask(struct ctl_registry *r, const char *method, const char *path,
			       const struct bus_buf *body, int *status, const struct bus_json **answer)
{
	const struct bus_json_limits limits = { .text = (size_t)4 * 1024 * 1024 };
	char *url = bus_xasprintf("%s%s", r->url, path);
	const struct bus_client_call call = {
		.method = method,
		.url = url,
		.type = body ? SCHEMA_TYPE : NULL,
		.body = body ? bus_buf_str(body) : (struct bus_str){ NULL, 0 },
		.timeout_ms = CTL_TIMEOUT_MS,
	};
	struct bus_json *tree = NULL;
	struct bus_error err;
	enum bus_err rc;

	bus_buf_reset(&r->answer);
	bus_arena_reset(r->arena);
	*answer = NULL;
	rc = bus_client_call(r->client, &call, status, &r->answer, &err);
	free(url);
	if (rc != BUS_OK)
		return ctl_fail(&err, true);
	if (bus_json_parse(bus_buf_str(&r->answer), &limits, r->arena, &tree, NULL) == BUS_OK)
		*answer = tree;
	return CTL_OK;
}

static int64_t code_of(const struct bus_json *answer)
{
	const struct bus_json *v =
	    answer && answer->type == BUS_JSON_OBJECT ? bus_json_get(answer, "error_code") : NULL;
	int64_t code;

	return v && bus_json_int(v, &code) == BUS_OK ? code : 0;
}

bool ctl_registry_lacks(int status, const struct bus_json *answer)
{
	/* Confluent's Errors.java: no such subject, version, schema, level of the subject. */
	static const int absent[] = { 40401, 40402, 40403, 40408 };

	for (size_t i = 0; status == 404 && i < BUS_LEN(absent); i++)
		if (code_of(answer) == absent[i])
			return true;
	return false;
}

enum ctl_exit ctl_registry_refused(const char *about, int status, const struct bus_json *answer)
{
	const struct bus_json *v =
	    answer && answer->type == BUS_JSON_OBJECT ? bus_json_get(answer, "message") : NULL;
	struct bus_str text = v && v->type == BUS_JSON_STRING ? v->text : BUS_STR("");

	/* A page, or a 404 that is of no registry's making (Confluent's has 404 for a path it does not know). */
	if (status < 400 || status == 405 || (status == 404 && code_of(answer) / 100 != 404)) {
		ctl_complain(ctl_say("%s: no registry answers there (HTTP %d); is its address right?",
				     "%s: tidak ada registri yang menjawab di sana (HTTP %d); benarkah "
				     "alamatnya?"),
			     about, status);
		return CTL_UNREACHABLE;
	}
	ctl_complain(ctl_say("%s: the registry answers %d: %.*s", "%s: registri menjawab %d: %.*s"), about,
		     status, (int)(text.n < 2000 ? text.n : 2000), text.p);
	return status == 409			? CTL_INCOMPATIBLE
	       : status == 401 || status == 403 ? CTL_DENIED
	       : status == 404			? CTL_NOT_FOUND
	       : status >= 500			? CTL_UNREACHABLE
						: CTL_FAILED;
}

/* --- schemas --- */

void ctl_version_release(struct ctl_version *v)
{
	free(v->subject);
	schema_unref(&v->schema);
	*v = (struct ctl_version){ 0 };
}

struct needs { /* a schema's references, copied: asking for one ends the answer they came in */
	struct schema_reference *ref;
	char **name, **subject;
	int64_t *version;
	struct schema **schema;
	size_t n;
};

static void release_needs(struct needs *k)
{
	for (size_t i = 0; i < k->n; i++) {
		free(k->name[i]);
		free(k->subject[i]);
		schema_unref(&k->schema[i]);
	}
	free(k->ref);
	free(k->name);
	free(k->subject);
	free(k->version);
	free(k->schema);
}

static void copy_needs(const struct bus_json *list, struct needs *k)
{
	size_t n = list && list->type == BUS_JSON_ARRAY ? list->n : 0;

	n = n < REFERENCES_MAX ? n : REFERENCES_MAX;
	*k = (struct needs){ bus_xcalloc(n + 1, sizeof(*k->ref)),    bus_xcalloc(n + 1, sizeof(char *)),
			     bus_xcalloc(n + 1, sizeof(char *)),     bus_xcalloc(n + 1, sizeof(*k->version)),
			     bus_xcalloc(n + 1, sizeof(*k->schema)), 0 };
	for (const struct bus_json *v = n > 0 ? list->first : NULL; v && k->n < n; v = v->next) {
		if (v->type != BUS_JSON_OBJECT)
			continue;
		k->name[k->n] = ctl_json_copy(v, "name");
		k->subject[k->n] = ctl_json_copy(v, "subject");
		k->version[k->n] = ctl_json_int(v, "version", 0);
		k->n += k->name[k->n] && k->subject[k->n];
	}
}

static enum ctl_exit fetch(struct ctl_registry *r, const char *subject, const char *version, int depth,
			   struct ctl_version *out);

static enum ctl_exit read_at(struct ctl_registry *r, const struct bus_json *object, int depth,
			     struct ctl_version *out)
{
	char *text = ctl_json_copy(object, "schema"), *type = ctl_json_copy(object, "schemaType");
	enum ctl_exit rc = CTL_OK;
	struct bus_error err;
	struct needs k;

	*out = (struct ctl_version){ ctl_json_copy(object, "subject"), ctl_json_int(object, "version", 0),
				     ctl_json_int(object, "id", 0), NULL };
	copy_needs(bus_json_get(object, "references"), &k);
	if (!text || (type && strcmp(type, "AVRO") != 0)) {
		ctl_complain(ctl_say("%s: %s is not an Avro schema", "%s: %s bukan skema Avro"),
			     out->subject ? out->subject : "?", type ? type : "?");
		rc = CTL_FAILED;
		goto out;
	}
	for (size_t i = 0; i < k.n && rc == CTL_OK; i++) {
		char version[24];
		struct ctl_version v = { 0 };

		snprintf(version, sizeof(version), "%lld", (long long)k.version[i]);
		rc = depth < DEPTH_MAX ? fetch(r, k.subject[i], version, depth + 1, &v) : CTL_FAILED;
		k.schema[i] = v.schema;
		v.schema = NULL;
		ctl_version_release(&v);
		k.ref[i] = (struct schema_reference){ k.name[i], k.schema[i] };
	}
	if (rc == CTL_OK &&
	    schema_parse(bus_str(text), SCHEMA_LENIENT, k.ref, k.n, &out->schema, &err) != BUS_OK)
		rc = ctl_fail(&err, false);
out:
	release_needs(&k);
	free(text);
	free(type);
	if (rc != CTL_OK)
		ctl_version_release(out);
	return rc;
}

enum ctl_exit ctl_registry_read(struct ctl_registry *r, const struct bus_json *object,
				struct ctl_version *out)
{
	return read_at(r, object, 0, out);
}

static enum ctl_exit fetch(struct ctl_registry *r, const char *subject, const char *version, int depth,
			   struct ctl_version *out)
{
	const struct bus_json *answer;
	struct bus_buf path = { 0 };
	enum ctl_exit rc;
	int status;

	*out = (struct ctl_version){ 0 };
	bus_buf_puts(&path, "/subjects/");
	bus_percent_put(&path, bus_str(subject));
	bus_buf_puts(&path, "/versions/");
	bus_percent_put(&path, bus_str(version));
	rc = ctl_registry_ask(r, "GET", bus_buf_cstr(&path), NULL, &status, &answer);
	bus_buf_release(&path);
	if (rc != CTL_OK)
		return rc;
	if (status != 200 || !answer || answer->type != BUS_JSON_OBJECT)
		return ctl_registry_refused(subject, status, answer);
	return read_at(r, answer, depth, out);
}

enum ctl_exit ctl_registry_schema(struct ctl_registry *r, const char *subject, const char *version,
				  struct ctl_version *out)
{
	return fetch(r, subject, version, 0, out);
}

enum ctl_exit ctl_registry_versions(struct ctl_registry *r, const char *subject, int64_t **version, size_t *n)
{
	const struct bus_json *answer;
	struct bus_buf path = { 0 };
	enum ctl_exit rc;
	int status;

	*version = NULL;
	*n = 0;
	bus_buf_puts(&path, "/subjects/");
	bus_percent_put(&path, bus_str(subject));
	bus_buf_puts(&path, "/versions");
	rc = ctl_registry_ask(r, "GET", bus_buf_cstr(&path), NULL, &status, &answer);
	bus_buf_release(&path);
	if (rc != CTL_OK || ctl_registry_lacks(status, answer))
		return rc;
	if (status != 200 || !answer || answer->type != BUS_JSON_ARRAY)
		return ctl_registry_refused(subject, status, answer);
	*version = bus_xcalloc(answer->n + 1, sizeof(**version));
	for (const struct bus_json *v = answer->first; v; v = v->next)
		if (bus_json_int(v, &(*version)[*n]) == BUS_OK)
			++*n;
	return CTL_OK;
}

enum ctl_exit ctl_registry_level(struct ctl_registry *r, const char *subject, enum schema_level *out)
{
	const struct bus_json *answer;
	struct bus_buf path = { 0 };
	enum ctl_exit rc;
	char *name;
	int status;

	bus_buf_puts(&path, "/config/");
	bus_percent_put(&path, bus_str(subject));
	bus_buf_puts(&path, "?defaultToGlobal=true");
	rc = ctl_registry_ask(r, "GET", bus_buf_cstr(&path), NULL, &status, &answer);
	bus_buf_release(&path);
	if (rc != CTL_OK)
		return rc;
	if (status != 200 || !answer || answer->type != BUS_JSON_OBJECT)
		return ctl_registry_refused(subject, status, answer);
	name = ctl_json_copy(answer, "compatibilityLevel");
	if (!name || schema_level_parse(name, out) != BUS_OK)
		*out = SCHEMA_COMPAT_BACKWARD;
	free(name);
	return CTL_OK;
}
