/* deploy/ctl/registry.h - what the schema commands ask a registry (Confluent's API, any that speaks it).
 *
 * One thread. Whatever goes wrong is told on stderr here; the exit code comes back.
 */
#ifndef DEPLOY_CTL_REGISTRY_H
#define DEPLOY_CTL_REGISTRY_H

#include "bus/buf.h"
#include "bus/json.h"
#include "deploy/ctl/ctl.h"
#include "schemas/avro/compat.h"

struct ctl_registry;

/* url may lack (told, CTL_USAGE). client: a file of bus_client_open_file, or NULL; token_file: a bearer
 * token, or NULL. */
enum ctl_exit ctl_registry_open(const char *url, const char *client, const char *token_file,
				struct ctl_registry **out);
void ctl_registry_close(struct ctl_registry **r);

/* path: "/subjects/..."; body may be NULL. *answer is good until the next call, NULL: no JSON. A status of
 * 4xx is an answer. */
enum ctl_exit ctl_registry_ask(struct ctl_registry *r, const char *method, const char *path,
			       const struct bus_buf *body, int *status, const struct bus_json **answer);
/* Whether the registry says that it has no such subject, version, schema or level: its own codes, since any web
 * server answers 404. */
bool ctl_registry_lacks(int status, const struct bus_json *answer);
/* Tells that the registry refuses (its message), or that what answers is none, and gives the exit code. */
enum ctl_exit ctl_registry_refused(const char *about, int status, const struct bus_json *answer);

struct ctl_version {
	char *subject;
	int64_t version, id;
	struct schema *schema;
};
void ctl_version_release(struct ctl_version *v);

/* A version ("3", "latest") with what it refers to. */
enum ctl_exit ctl_registry_schema(struct ctl_registry *r, const char *subject, const char *version,
				  struct ctl_version *out);
/* The same from an answer's object (subject, version, id, schema, references). */
enum ctl_exit ctl_registry_read(struct ctl_registry *r, const struct bus_json *object,
				struct ctl_version *out);
/* All versions of a subject, oldest first; none: no such subject. Both the caller's. */
enum ctl_exit ctl_registry_versions(struct ctl_registry *r, const char *subject, int64_t **version,
				    size_t *n);
/* The level that holds for the subject. */
enum ctl_exit ctl_registry_level(struct ctl_registry *r, const char *subject, enum schema_level *out);

#define CTL_OPTION_REGISTRY                                                                                  \
	{                                                                                                    \
		"--registry", "URL", "TITIAN_REGISTRY_URL", "the registry", "registri skema"                 \
	}
#define CTL_OPTION_CLIENT                                                                                    \
	{                                                                                                    \
		"--client", "FILE", "TITIAN_REGISTRY_CLIENT",                                                \
		    "CA, certificate, user or token for the registry (YAML)",                                \
		    "CA, sertifikat, pengguna atau token untuk registri (YAML)"                              \
	}
#define CTL_OPTION_TOKEN_FILE                                                                                \
	{                                                                                                    \
		"--token-file", "FILE", NULL, "file with the bearer token", "berkas berisi token"            \
	}
#define CTL_OPTION_JSON                                                                                      \
	{                                                                                                    \
		"--json", NULL, NULL, "one JSON object a line", "satu objek JSON per baris"                  \
	}
#define CTL_OPTION_OPD                                                                                       \
	{                                                                                                    \
		"--opd", "A,B,C", NULL,                                                                      \
		    "departments the common schemas stand for (default: the other folders)",                 \
		    "OPD yang diwakili skema bersama (bawaan: folder-folder lain)"                           \
	}

#endif
