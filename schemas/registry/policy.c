#include "schemas/registry/policy.h"

#include <ctype.h>
#include <stdio.h>

#include "bus/utf8.h"
#include "bus/yaml.h"
#include "schemas/store/subject.h"

#define USERS_MAX 10000
#define RULES_MAX 1000 /* of one user */

struct rule {
	char *context; /* ".", ".ctx"; "*": any */
	char *name;
	bool prefix;
	unsigned rights;
};

struct schema_principal {
	char name[SCHEMA_USER_MAX];
	bool admin;
	struct rule *rule;
	size_t n_rules;
};

struct certificate {
	char *text; /* a subject, or "DNS:..." and the like */
	const char *user;
};

struct schema_policy {
	struct schema_principal *user; /* by name */
	size_t n_users;
	struct schema_principal everyone, anonymous;
	bool has_anonymous;
	struct certificate *certificate; /* by text */
	size_t n_certificates;
};

static const struct {
	const char *key, *shown;
	enum schema_right right;
} right[] = {
	{ "read", "Read", SCHEMA_RIGHT_READ },
	{ "write", "Write", SCHEMA_RIGHT_WRITE },
	{ "delete", "Delete", SCHEMA_RIGHT_DELETE },
	{ "configure", "Configure", SCHEMA_RIGHT_CONFIGURE },
};

const char *schema_right_name(enum schema_right r)
{
	for (size_t i = 0; i < BUS_LEN(right); i++)
		if (right[i].right == r)
			return right[i].shown;
	return "Admin";
}

bool schema_user_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n >= SCHEMA_USER_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return false;
	return true;
}

static void principal_release(struct schema_principal *p)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		free(p->rule[i].context);
		free(p->rule[i].name);
	}
	free(p->rule);
}

void schema_policy_free(struct schema_policy **pp)
{
	struct schema_policy *p = *pp;

	if (!p)
		return;
	for (size_t i = 0; i < p->n_users; i++)
		principal_release(&p->user[i]);
	free(p->user);
	principal_release(&p->everyone);
	principal_release(&p->anonymous);
	for (size_t i = 0; i < p->n_certificates; i++)
		free(p->certificate[i].text);
	free(p->certificate);
	free(p);
	*pp = NULL;
}

/* --- reading the file ------------------------------------------------------------------------------- */

static enum bus_err rule_read(struct bus_yaml *y, struct bus_yaml_node *node, unsigned rights,
			      struct schema_principal *who, struct bus_error *err)
{
	struct schema_qualified q;
	struct bus_str name;
	bool prefix;

	if (node->kind != BUS_YAML_SCALAR || node->text_len == 0 ||
	    memchr(node->text, '\0', node->text_len) ||
	    bus_utf8_ok(node->text, node->text_len) != node->text_len)
		return bus_yaml_fail(y, node, err, "a subject is wanted, like \"pku.dinsos.*\"");
	q = schema_subject_split(node->text);
	if (q.context.n == 0 || (node->text[0] == ':' && q.name.p == node->text))
		return bus_yaml_fail(y, node, err,
				     "'%s': a context is written :.name: and all contexts :*:", node->text);
	name = q.name;
	prefix = name.n > 0 && name.p[name.n - 1] == '*';
	name.n -= prefix;
	if (memchr(name.p, '*', name.n) || (memchr(q.context.p, '*', q.context.n) && q.context.n > 1))
		return bus_yaml_fail(y, node, err, "'%s': '*' may stand at the end only", node->text);
	if (who->n_rules == RULES_MAX)
		return bus_yaml_fail(y, node, err, "more than %d rules for one user", RULES_MAX);
	who->rule = bus_xrealloc(who->rule, (who->n_rules + 1) * sizeof(*who->rule));
	who->rule[who->n_rules++] = (struct rule){ .context = bus_xstrndup(q.context.p, q.context.n),
						   .name = bus_xstrndup(name.p, name.n),
						   .prefix = prefix,
						   .rights = rights };
	return BUS_OK;
}

static enum bus_err rules_read(struct bus_yaml *y, struct bus_yaml_node *map, struct schema_principal *who,
			       struct bus_error *err)
{
	enum bus_err rc;

	for (size_t i = 0; i < BUS_LEN(right); i++) {
		struct bus_yaml_node *list = bus_yaml_get(map, right[i].key);

		if (!list)
			continue;
		if (list->kind != BUS_YAML_LIST)
			return bus_yaml_fail(y, list, err,
					     "'%s' needs a list of subjects, like [\"pku.dinsos.*\"]",
					     right[i].key);
		for (struct bus_yaml_node *item = list->first; item; item = item->next)
			if ((rc = rule_read(y, item, right[i].right | SCHEMA_RIGHT_READ, who, err)))
				return rc;
	}
	return BUS_OK;
}

/* everyone, anonymous: rules only. */
static enum bus_err group_read(struct bus_yaml *y, const char *key, struct schema_principal *who, bool *given,
			       struct bus_error *err)
{
	struct bus_yaml_node *map = bus_yaml_get(bus_yaml_root(y), key);
	enum bus_err rc;

	*given = map != NULL;
	if (!map)
		return BUS_OK;
	if (map->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, map, err, "'%s' needs a map of rights, like {read: [\"*\"]}", key);
	if ((rc = rules_read(y, map, who, err)))
		return rc;
	return bus_yaml_no_more(y, map, err);
}

static enum bus_err certificates_read(struct bus_yaml *y, struct bus_yaml_node *map,
				      const struct schema_principal *who, struct schema_policy *p,
				      struct bus_error *err)
{
	struct bus_yaml_node *list = bus_yaml_get(map, "certificate");

	if (!list)
		return BUS_OK;
	if (list->kind != BUS_YAML_LIST)
		return bus_yaml_fail(y, list, err,
				     "'certificate' needs a list, like [\"DNS:adapter.dinsos.test\"]");
	for (struct bus_yaml_node *item = list->first; item; item = item->next) {
		if (item->kind != BUS_YAML_SCALAR || !strpbrk(item->text, ":="))
			return bus_yaml_fail(
			    y, item, err,
			    "a certificate is known by its subject (\"CN=dinsos,O=Pekanbaru\") or a "
			    "name (\"DNS:...\", \"URI:...\", \"EMAIL:...\")");
		p->certificate =
		    bus_xrealloc(p->certificate, (p->n_certificates + 1) * sizeof(*p->certificate));
		p->certificate[p->n_certificates++] =
		    (struct certificate){ bus_xstrdup(item->text), who->name };
	}
	return BUS_OK;
}

static enum bus_err user_read(struct bus_yaml *y, struct bus_yaml_node *node, struct schema_policy *p,
			      struct schema_principal *who, struct bus_error *err)
{
	enum bus_err rc;

	if (!schema_user_name_ok(node->key) || node->kind != BUS_YAML_MAP)
		return bus_yaml_fail(
		    y, node, err,
		    "a user is a name (1 to %d letters, digits, '-', '_', '.') and a map of rights",
		    SCHEMA_USER_MAX - 1);
	snprintf(who->name, sizeof(who->name), "%s", node->key);
	if ((rc = bus_yaml_bool(y, node, "admin", false, &who->admin, err)) ||
	    (rc = certificates_read(y, node, who, p, err)) || (rc = rules_read(y, node, who, err)))
		return rc;
	return bus_yaml_no_more(y, node, err);
}

static void add_rules(struct schema_principal *to, const struct schema_principal *from)
{
	to->rule = bus_xrealloc(to->rule, (to->n_rules + from->n_rules + 1) * sizeof(*to->rule));
	for (size_t i = 0; i < from->n_rules; i++) {
		struct rule r = from->rule[i];

		r.context = bus_xstrdup(r.context);
		r.name = bus_xstrdup(r.name);
		to->rule[to->n_rules++] = r;
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct schema_principal *)a)->name, ((const struct schema_principal *)b)->name);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(((const struct certificate *)a)->text, ((const struct certificate *)b)->text);
}

static enum bus_err users_read(struct bus_yaml *y, struct schema_policy *p, struct bus_error *err)
{
	struct bus_yaml_node *users = bus_yaml_get(bus_yaml_root(y), "users");
	enum bus_err rc;

	if (!users || users->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, bus_yaml_root(y), err,
				     "'users' is missing: a map from user to rights");
	if (bus_yaml_count(users) > USERS_MAX)
		return bus_yaml_fail(y, users, err, "more than %d users", USERS_MAX);
	p->user = bus_xcalloc(bus_yaml_count(users) + 1, sizeof(*p->user));
	for (struct bus_yaml_node *node = users->first; node; node = node->next) {
		struct schema_principal *who = &p->user[p->n_users++];

		bus_yaml_get(users, node->key);
		if ((rc = user_read(y, node, p, who, err)))
			return rc;
		add_rules(who, &p->everyone);
	}
	return BUS_OK;
}

/* Certificates point at names inside the users, which are sorted: by name first, then they are looked up. */
static enum bus_err sort_all(struct bus_yaml *y, struct schema_policy *p, struct bus_error *err)
{
	char(*owner)[SCHEMA_USER_MAX] = bus_xcalloc(p->n_certificates + 1, sizeof(*owner));

	for (size_t i = 0; i < p->n_certificates; i++)
		memcpy(owner[i], p->certificate[i].user, sizeof(owner[i]));
	qsort(p->user, p->n_users, sizeof(*p->user), by_name);
	for (size_t i = 0; i < p->n_certificates; i++)
		p->certificate[i].user = schema_principal_name(schema_policy_user(p, owner[i]));
	free(owner);
	if (p->n_certificates > 0)
		qsort(p->certificate, p->n_certificates, sizeof(*p->certificate), by_text);
	for (size_t i = 1; i < p->n_certificates; i++)
		if (strcmp(p->certificate[i - 1].text, p->certificate[i].text) == 0)
			return bus_yaml_fail(
			    y, NULL, err, "the certificate '%s' is given to '%s' and to '%s'",
			    p->certificate[i].text, p->certificate[i - 1].user, p->certificate[i].user);
	return BUS_OK;
}

static enum bus_err policy_read(struct bus_yaml *y, struct schema_policy **out, struct bus_error *err)
{
	struct schema_policy *p = bus_xcalloc(1, sizeof(*p));
	bool given;
	enum bus_err rc;

	if ((rc = group_read(y, "everyone", &p->everyone, &given, err)) ||
	    (rc = group_read(y, "anonymous", &p->anonymous, &p->has_anonymous, err)) ||
	    (rc = users_read(y, p, err)) || (rc = bus_yaml_no_more(y, bus_yaml_root(y), err)) ||
	    (rc = sort_all(y, p, err)))
		schema_policy_free(&p);
	*out = p;
	return rc;
}

enum bus_err schema_policy_load(const char *path, struct schema_policy **out, struct bus_error *err)
{
	struct bus_yaml *y = NULL;
	enum bus_err rc = bus_yaml_load(path, &y, err);

	*out = NULL;
	if (rc == BUS_OK)
		rc = policy_read(y, out, err);
	bus_yaml_free(&y);
	return rc;
}

enum bus_err schema_policy_parse(const char *name, struct bus_str text, struct schema_policy **out,
				 struct bus_error *err)
{
	struct bus_yaml *y = NULL;
	enum bus_err rc = bus_yaml_parse(name, 1, text.p, text.n, &y, err);

	*out = NULL;
	if (rc == BUS_OK)
		rc = policy_read(y, out, err);
	bus_yaml_free(&y);
	return rc;
}

/* --- asking ----------------------------------------------------------------------------------------- */

const struct schema_principal *schema_policy_user(const struct schema_policy *p, const char *name)
{
	struct schema_principal wanted = { 0 };
	const struct schema_principal *found;

	if (!schema_user_name_ok(name))
		return &p->everyone;
	snprintf(wanted.name, sizeof(wanted.name), "%s", name);
	found = bsearch(&wanted, p->user, p->n_users, sizeof(*p->user), by_name);
	return found ? found : &p->everyone;
}

static const struct schema_principal *owner_of(const struct schema_policy *p, const char *text)
{
	struct certificate *found, wanted = { .text = (char *)(uintptr_t)text };

	found = p->n_certificates
		    ? bsearch(&wanted, p->certificate, p->n_certificates, sizeof(wanted), by_text)
		    : NULL;
	return found ? schema_policy_user(p, found->user) : NULL;
}

const struct schema_principal *schema_policy_certificate(const struct schema_policy *p,
							 const struct bus_http_certificate *c)
{
	const struct schema_principal *who = owner_of(p, c->subject);

	for (size_t i = 0; i < c->n_names && !who; i++)
		who = owner_of(p, c->name[i]);
	return who;
}

const struct schema_principal *schema_policy_anonymous(const struct schema_policy *p)
{
	return p->has_anonymous ? &p->anonymous : NULL;
}

const char *schema_principal_name(const struct schema_principal *who)
{
	return who->name;
}

bool schema_principal_admin(const struct schema_principal *who)
{
	return who->admin;
}

static bool covers(const struct rule *r, struct schema_qualified q)
{
	size_t n = strlen(r->name);

	if (strcmp(r->context, "*") != 0 && !bus_str_is(q.context, r->context))
		return false;
	if (r->prefix ? q.name.n < n : q.name.n != n)
		return false;
	return memcmp(q.name.p, r->name, n) == 0;
}

bool schema_principal_may(const struct schema_principal *who, enum schema_right wanted, const char *subject)
{
	struct schema_qualified q = schema_subject_split(subject);

	if (who->admin)
		return true;
	for (size_t i = 0; i < who->n_rules; i++)
		if ((who->rule[i].rights & wanted) == wanted && covers(&who->rule[i], q))
			return true;
	return false;
}

bool schema_principal_sees(const struct schema_principal *who, const char *context)
{
	for (size_t i = 0; i < who->n_rules; i++)
		if (strcmp(who->rule[i].context, context) == 0 || strcmp(who->rule[i].context, "*") == 0)
			return true;
	return who->admin;
}
