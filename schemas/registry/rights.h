/* schemas/registry/rights.h - what a route wants of who calls it: the one table. Thread: any. */
#ifndef SCHEMAS_REGISTRY_RIGHTS_H
#define SCHEMAS_REGISTRY_RIGHTS_H

#include "schemas/registry/policy.h"

enum schema_scope {
	SCHEMA_SCOPE_OPEN,    /* nobody is asked who they are: health */
	SCHEMA_SCOPE_KNOWN,   /* whoever is let in; what is shown is filtered */
	SCHEMA_SCOPE_SUBJECT, /* the right on the path's {subject}, and on what an alias makes of it */
	SCHEMA_SCOPE_SETTING, /* the right on whose settings they are; those of everything are an admin's to
				 change */
	SCHEMA_SCOPE_BODY,    /* the right on a subject in the body: the handler looks */
	SCHEMA_SCOPE_SELF,    /* the path's {program} is who asks, or an admin does */
	SCHEMA_SCOPE_ADMIN,   /* and every route that is not in the table */
};

struct schema_wanted {
	enum schema_scope scope;
	enum schema_right right; /* READ: nothing is changed, and nothing goes to the audit */
	bool listed;
};

/* method "HEAD" is "GET"; a pattern below /contexts/{context} is that below /. */
struct schema_wanted schema_rights_of(const char *method, const char *pattern);

#endif
