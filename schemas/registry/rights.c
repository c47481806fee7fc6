#include "schemas/registry/rights.h"

#define READ SCHEMA_RIGHT_READ
#define WRITE SCHEMA_RIGHT_WRITE
#define DELETE SCHEMA_RIGHT_DELETE
#define CONFIGURE SCHEMA_RIGHT_CONFIGURE
#define OPEN SCHEMA_SCOPE_OPEN
#define KNOWN SCHEMA_SCOPE_KNOWN
#define SUBJECT SCHEMA_SCOPE_SUBJECT
#define SETTING SCHEMA_SCOPE_SETTING
#define SELF SCHEMA_SCOPE_SELF
#define ADMIN SCHEMA_SCOPE_ADMIN

static const struct {
	const char *method, *pattern;
	enum schema_scope scope;
	enum schema_right right;
} table[] = {
	{ "GET", "/", KNOWN, READ },
	{ "POST", "/", KNOWN, READ },
	{ "GET", "/healthz", OPEN, READ },
	{ "GET", "/readyz", OPEN, READ },
	{ "GET", "/metrics", KNOWN, READ },
	{ "GET", "/contexts", KNOWN, READ },
	{ "DELETE", "/contexts/{context}", ADMIN, DELETE },
	{ "GET", "/schemas", KNOWN, READ },
	{ "GET", "/schemas/types", KNOWN, READ },
	{ "GET", "/schemas/ids/{id}", KNOWN, READ },
	{ "GET", "/schemas/ids/{id}/schema", KNOWN, READ },
	{ "GET", "/schemas/ids/{id}/subjects", KNOWN, READ },
	{ "GET", "/schemas/ids/{id}/versions", KNOWN, READ },
	{ "GET", "/schemas/guids/{guid}", KNOWN, READ },
	{ "GET", "/schemas/guids/{guid}/ids", KNOWN, READ },
	{ "GET", "/subjects", KNOWN, READ },
	{ "POST", "/subjects/{subject}", SUBJECT, READ },
	{ "DELETE", "/subjects/{subject}", SUBJECT, DELETE },
	{ "GET", "/subjects/{subject}/metadata", SUBJECT, READ },
	{ "GET", "/subjects/{subject}/versions", SUBJECT, READ },
	{ "POST", "/subjects/{subject}/versions", SUBJECT, WRITE },
	{ "GET", "/subjects/{subject}/versions/{version}", SUBJECT, READ },
	{ "DELETE", "/subjects/{subject}/versions/{version}", SUBJECT, DELETE },
	{ "GET", "/subjects/{subject}/versions/{version}/schema", SUBJECT, READ },
	{ "GET", "/subjects/{subject}/versions/{version}/referencedby", SUBJECT, READ },
	{ "POST", "/subjects/{subject}/versions/{version}/tags", SUBJECT, WRITE },
	{ "POST", "/compatibility/subjects/{subject}/versions", SUBJECT, READ },
	{ "POST", "/compatibility/subjects/{subject}/versions/{version}", SUBJECT, READ },
	{ "GET", "/config", SETTING, READ },
	{ "PUT", "/config", SETTING, CONFIGURE },
	{ "DELETE", "/config", SETTING, CONFIGURE },
	{ "GET", "/config/{subject}", SETTING, READ },
	{ "PUT", "/config/{subject}", SETTING, CONFIGURE },
	{ "DELETE", "/config/{subject}", SETTING, CONFIGURE },
	{ "GET", "/mode", SETTING, READ },
	{ "PUT", "/mode", SETTING, CONFIGURE },
	{ "DELETE", "/mode", SETTING, CONFIGURE },
	{ "GET", "/mode/{subject}", SETTING, READ },
	{ "PUT", "/mode/{subject}", SETTING, CONFIGURE },
	{ "DELETE", "/mode/{subject}", SETTING, CONFIGURE },
	{ "GET", "/v1/metadata/id", KNOWN, READ },
	{ "GET", "/v1/metadata/version", KNOWN, READ },
	{ "GET", "/v1/metadata/deployment", KNOWN, READ },
	{ "GET", "/dek-registry/v1/keks", KNOWN, READ },
	{ "POST", "/dek-registry/v1/keks", ADMIN, CONFIGURE },
	{ "GET", "/dek-registry/v1/keks/{name}", KNOWN, READ },
	{ "PUT", "/dek-registry/v1/keks/{name}", ADMIN, CONFIGURE },
	{ "DELETE", "/dek-registry/v1/keks/{name}", ADMIN, CONFIGURE },
	{ "POST", "/dek-registry/v1/keks/{name}/undelete", ADMIN, CONFIGURE },
	{ "POST", "/dek-registry/v1/keks/{name}/test", KNOWN, READ },
	{ "GET", "/dek-registry/v1/keks/{name}/deks", KNOWN, READ },
	{ "POST", "/dek-registry/v1/keks/{name}/deks", SCHEMA_SCOPE_BODY, WRITE },
	{ "GET", "/dek-registry/v1/keks/{name}/deks/{subject}", SUBJECT, READ },
	{ "POST", "/dek-registry/v1/keks/{name}/deks/{subject}", SUBJECT, WRITE },
	{ "DELETE", "/dek-registry/v1/keks/{name}/deks/{subject}", SUBJECT, DELETE },
	{ "POST", "/dek-registry/v1/keks/{name}/deks/{subject}/undelete", SUBJECT, DELETE },
	{ "GET", "/dek-registry/v1/keks/{name}/deks/{subject}/versions", SUBJECT, READ },
	{ "GET", "/dek-registry/v1/keks/{name}/deks/{subject}/versions/{version}", SUBJECT, READ },
	{ "DELETE", "/dek-registry/v1/keks/{name}/deks/{subject}/versions/{version}", SUBJECT, DELETE },
	{ "POST", "/dek-registry/v1/keks/{name}/deks/{subject}/versions/{version}/undelete", SUBJECT,
	  DELETE },
	{ "GET", "/master_available", OPEN, READ },
	{ "GET", "/_health", OPEN, READ },
	{ "GET", "/v1/changes", KNOWN, READ },
	{ "GET", "/v1/search", KNOWN, READ },
	{ "GET", "/v1/subjects", KNOWN, READ },
	{ "GET", "/v1/uses", KNOWN, READ },
	{ "PUT", "/v1/uses/{program}", SELF, WRITE },
	{ "DELETE", "/v1/uses/{program}", SELF, DELETE },
	{ "POST", "/v1/subjects/{subject}/check", SUBJECT, READ },
	{ "GET", "/v1/subjects/{subject}/diff", SUBJECT, READ },
	{ "GET", "/v1/subjects/{subject}/uses", SUBJECT, READ },
	{ "GET", "/v1/subjects/{subject}/versions/{version}/state", SUBJECT, READ },
	{ "PUT", "/v1/subjects/{subject}/versions/{version}/state", SUBJECT, CONFIGURE },
	{ "DELETE", "/v1/subjects/{subject}/versions/{version}/state", SUBJECT, CONFIGURE },
};

struct schema_wanted schema_rights_of(const char *method, const char *pattern)
{
	static const char context[] = "/contexts/{context}";
	const size_t n = sizeof(context) - 1;

	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	if (strncmp(pattern, context, n) == 0 && pattern[n] == '/')
		pattern += n;
	for (size_t i = 0; i < BUS_LEN(table); i++)
		if (strcmp(table[i].method, method) == 0 && strcmp(table[i].pattern, pattern) == 0)
			return (struct schema_wanted){ table[i].scope, table[i].right, true };
	return (struct schema_wanted){ SCHEMA_SCOPE_ADMIN, SCHEMA_RIGHT_ADMIN, false };
}
