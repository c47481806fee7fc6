#include "gateway/serve/policy.h"

#include <ctype.h>
#include <stdio.h>

#include "bus/base64url.h"
#include "bus/log.h"
#include "bus/yaml.h"
#include "gateway/serve/access_rows.h"

bool gw_reader_name_ok(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n >= GW_READER_NAME_MAX)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return false;
	return true;
}

static void names_release(struct gw_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		free(names->name[i]);
	free(names->name);
}

void gw_policy_release(struct gw_policy *p)
{
	for (size_t i = 0; i < p->n; i++) {
		for (size_t k = 0; k < p->reader[i].n_rules; k++) {
			free(p->reader[i].rule[k].view);
			names_release(&p->reader[i].rule[k].columns);
			names_release(&p->reader[i].rule[k].clear);
		}
		free(p->reader[i].rule);
		for (size_t k = 0; k < p->reader[i].n_topics; k++)
			free(p->reader[i].topic[k].topic);
		free(p->reader[i].topic);
		for (size_t k = 0; k < p->reader[i].n_publish; k++)
			free(p->reader[i].publish[k].topic);
		free(p->reader[i].publish);
		for (size_t k = 0; k < p->reader[i].n_groups; k++)
			free(p->reader[i].group[k]);
		free(p->reader[i].group);
	}
	free(p->reader);
	*p = (struct gw_policy){ 0 };
}

static enum bus_err names_read(struct bus_yaml *y, struct bus_yaml_node *rule, const char *key,
			       struct gw_names *out, struct bus_error *err)
{
	struct bus_yaml_node *list = bus_yaml_get(rule, key);

	if (!list)
		return BUS_OK;
	if (list->kind != BUS_YAML_LIST)
		return bus_yaml_fail(y, list, err, "a list of column names is needed, like [nik, nama]");
	out->given = true;
	out->name = bus_xcalloc(bus_yaml_count(list) + 1, sizeof(*out->name));
	for (struct bus_yaml_node *item = list->first; item; item = item->next) {
		if (item->kind != BUS_YAML_SCALAR)
			return bus_yaml_fail(y, item, err, "a column's name is needed");
		if (strcmp(item->text, "*") == 0)
			out->all = true;
		else
			out->name[out->n++] = bus_xstrdup(item->text);
	}
	return BUS_OK;
}

/* The names of a rule must be columns of the view, if it is there. */
static enum bus_err names_check(struct bus_yaml *y, struct bus_yaml_node *node, const struct gw_names *names,
				const struct gw_view *v, struct bus_error *err)
{
	const char *known[GW_COLUMNS_MAX];
	const char *near;

	for (size_t i = 0; i < names->n; i++) {
		if (gw_view_column(v, names->name[i]) >= 0)
			continue;
		for (size_t k = 0; k < v->n_columns; k++)
			known[k] = v->column[k].name;
		near = bus_nearest(names->name[i], known, v->n_columns);
		return bus_yaml_fail(y, node, err, "view '%s' has no column '%s'%s%s%s", v->name,
				     names->name[i], near ? "; did you mean '" : "", near ? near : "",
				     near ? "'?" : "");
	}
	return BUS_OK;
}

static enum bus_err rule_check(const struct gw_views *views, struct bus_yaml *y, struct bus_yaml_node *node,
			       const struct gw_rule *rule, struct bus_error *err)
{
	bool every = strcmp(rule->view, "*") == 0, found = every;
	enum bus_err rc = BUS_OK;
	const char *column;

	for (size_t i = 0; i < views->n && rc == BUS_OK; i++) {
		const struct gw_view *v = views->view[i];

		if (!every && strcmp(v->name, rule->view) != 0)
			continue;
		if (v->internal && !every)
			return bus_yaml_fail(y, node, err, "view '%s' is internal: it is not served",
					     v->name);
		found = true;
		if (v->internal)
			continue;
		rc = names_check(y, node, &rule->columns, v, err);
		if (rc == BUS_OK)
			rc = names_check(y, node, &rule->clear, v, err);
		if (rc == BUS_OK && !every && rule->rows && !gw_grant_rows_fit(rule->rows, v, &column))
			return bus_yaml_fail(y, node, err,
					     "rows: '%s' is not under 'scope' in the definition of view '%s', or "
					     "a value is not of its type",
					     column, v->name);
	}
	if (rc == BUS_OK && !found)
		bus_log(BUS_LOG_WARN, "gateway.policy_view", LOG_STR("view", rule->view),
			LOG_STR("why", "the policy names a view that is not there (yet)"));
	return rc;
}

static enum bus_err rules_read(const struct gw_views *views, struct gw_policy *p, struct bus_yaml *y,
			       struct bus_yaml_node *list, struct gw_policy_reader *r, struct bus_error *err)
{
	struct bus_yaml_node *rows;
	struct gw_rule *rule;
	enum bus_err rc = BUS_OK;

	if (list->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, list, err, "'views' needs a map from view to grant");
	r->rule = bus_xcalloc(bus_yaml_count(list) + 1, sizeof(*r->rule));
	for (struct bus_yaml_node *node = list->first; node && rc == BUS_OK; node = node->next) {
		bus_yaml_get(list, node->key);
		rule = &r->rule[r->n_rules++];
		rule->view = bus_xstrdup(node->key);
		if (node->kind != BUS_YAML_MAP)
			return bus_yaml_fail(y, node, err, "'%s' needs a map, like {clear: [nama]} or {}",
					     node->key);
		rc = names_read(y, node, "columns", &rule->columns, err);
		if (rc == BUS_OK)
			rc = names_read(y, node, "clear", &rule->clear, err);
		rows = bus_yaml_get(node, "rows");
		if (rc == BUS_OK && rows)
			rc = gw_grant_rows_read(p->kept, y, rows, &rule->rows, err);
		if (rc == BUS_OK)
			rc = bus_yaml_bool(y, node, "full", false, &rule->full, err);
		if (rc == BUS_OK)
			rc = bus_yaml_no_more(y, node, err);
		if (rc == BUS_OK)
			rc = rule_check(views, y, node, rule, err);
	}
	return rc;
}

static enum bus_err topics_read(struct gw_policy *p, struct bus_yaml *y, struct bus_yaml_node *list,
				struct gw_policy_reader *r, struct bus_error *err)
{
	struct gw_topic_rule *rule;
	enum bus_err rc = BUS_OK;

	if (list->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, list, err, "'topics' needs a map from topic to grant");
	r->topic = bus_xcalloc(bus_yaml_count(list) + 1, sizeof(*r->topic));
	for (struct bus_yaml_node *node = list->first; node && rc == BUS_OK; node = node->next) {
		bus_yaml_get(list, node->key);
		if (node->key[0] == '_')
			return bus_yaml_fail(y, node, err, "a topic of ours ('_...') is nobody's to read");
		rule = &r->topic[r->n_topics++];
		rule->topic = bus_xstrdup(node->key);
		if (node->kind != BUS_YAML_MAP)
			return bus_yaml_fail(y, node, err, "'%s' needs a map, like {clear: [nama]} or {}",
					     node->key);
		(void)bus_yaml_get(node, "clear");
		rc = bus_yaml_no_more(y, node, err);
		if (rc == BUS_OK && node->first)
			rc = gw_grant_rows_read(p->kept, y, node, &rule->says, err);
	}
	return rc;
}

/* By its name: no "*", whoever may write says where. */
static enum bus_err publish_read(struct bus_yaml *y, struct bus_yaml_node *list, struct gw_policy_reader *r,
				 struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (list->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, list, err, "'publish' needs a map from topic to grant, like {TOPIC: {}}");
	r->publish = bus_xcalloc(bus_yaml_count(list) + 1, sizeof(*r->publish));
	for (struct bus_yaml_node *node = list->first; node && rc == BUS_OK; node = node->next) {
		bus_yaml_get(list, node->key);
		if (node->kind != BUS_YAML_MAP || node->key[0] == '_' || strchr(node->key, '*'))
			return bus_yaml_fail(y, node, err, "a topic's whole name, not one of ours ('_...'), and {}");
		r->publish[r->n_publish].topic = bus_xstrdup(node->key);
		rc = bus_yaml_bool(y, node, "bytes", false, &r->publish[r->n_publish++].bytes, err);
		if (rc == BUS_OK)
			rc = bus_yaml_no_more(y, node, err);
	}
	return rc;
}

static enum bus_err groups_read(struct bus_yaml *y, struct bus_yaml_node *list, struct gw_policy_reader *r,
				struct bus_error *err)
{
	const char *star;

	if (list->kind != BUS_YAML_LIST)
		return bus_yaml_fail(y, list, err, "'groups' needs a list of consumer groups, like [laporan, \"%s-*\"]",
				     r->name);
	r->groups_said = true;
	r->group = bus_xcalloc(bus_yaml_count(list) + 1, sizeof(*r->group));
	for (struct bus_yaml_node *item = list->first; item; item = item->next) {
		star = item->kind == BUS_YAML_SCALAR ? strchr(item->text, '*') : NULL;
		if (item->kind != BUS_YAML_SCALAR || item->text[0] == '\0' || (star && star[1]))
			return bus_yaml_fail(y, item, err, "a group's name, or how it begins and '*'");
		r->group[r->n_groups++] = bus_xstrdup(item->text);
	}
	return BUS_OK;
}

static enum bus_err verify_add(struct bus_yaml *y, const struct bus_yaml_node *node, struct gw_signing *s,
			       struct bus_error *err)
{
	struct bus_buf key = { 0 };
	bool good = s->n < GW_VERIFY_MAX && node->kind == BUS_YAML_SCALAR && bus_base64url_read(bus_str(node->text), &key) &&
		    key.n == BUS_ED25519_LEN;

	if (good)
		memcpy(s->key[s->n++], key.p, key.n);
	bus_buf_release(&key);
	return good ? BUS_OK
		    : bus_yaml_fail(y, node, err, "an Ed25519 public key is 43 characters of base64url, as in the 'x' of a "
						  "JWK; at most %d of them", GW_VERIFY_MAX);
}

static enum bus_err signing_read(struct bus_yaml *y, struct bus_yaml_node *node, struct gw_signing *s,
				 struct bus_error *err)
{
	struct bus_yaml_node *keys = bus_yaml_get(node, "verify");
	enum bus_err rc = bus_yaml_bool(y, node, "signed", false, &s->answers, err);

	if (rc == BUS_OK)
		rc = bus_yaml_bool(y, node, "must_sign", false, &s->must, err);
	if (rc == BUS_OK && keys && keys->kind != BUS_YAML_LIST)
		rc = verify_add(y, keys, s, err);
	else if (keys)
		for (struct bus_yaml_node *k = keys->first; k && rc == BUS_OK; k = k->next)
			rc = verify_add(y, k, s, err);
	if (rc == BUS_OK && s->must && s->n == 0)
		rc = bus_yaml_fail(y, node, err, "must_sign needs verify: the public key that the reader signs with");
	return rc;
}

static enum bus_err reader_read(const struct gw_views *views, struct gw_policy *p, struct bus_yaml *y,
				struct bus_yaml_node *node, struct gw_policy_reader *r, struct bus_error *err)
{
	struct bus_yaml_node *list;
	const char *quota = NULL;
	enum bus_err rc;

	if (!gw_reader_name_ok(node->key) || node->kind != BUS_YAML_MAP)
		return bus_yaml_fail(y, node, err,
				     "a reader is a name (letters, digits, '-', '_', '.') and a map");
	snprintf(r->name, sizeof(r->name), "%s", node->key);
	rc = bus_yaml_bool(y, node, "status", false, &r->status, err);
	if (rc == BUS_OK)
		rc = bus_yaml_bool(y, node, "define", false, &r->define, err);
	r->streams = GW_STREAMS_DEFAULT;
	if (rc == BUS_OK)
		rc = bus_yaml_int(y, node, "streams", false, 0, 1000000, &r->streams, err);
	if (rc == BUS_OK)
		rc = bus_yaml_str(y, node, "quota", false, &quota, err);
	if (rc == BUS_OK)
		rc = signing_read(y, node, &r->signing, err);
	if (rc != BUS_OK)
		return rc;
	if (quota && !gw_quota_read(quota, &r->quota))
		return bus_yaml_fail(y, bus_yaml_get(node, "quota"), err,
				     "a quota is requests/time, like 600/1m; s, m, h or d");
	list = bus_yaml_get(node, "views");
	if (list && (rc = rules_read(views, p, y, list, r, err)) != BUS_OK)
		return rc;
	list = bus_yaml_get(node, "topics");
	if (list && (rc = topics_read(p, y, list, r, err)) != BUS_OK)
		return rc;
	list = bus_yaml_get(node, "publish");
	if (list && (rc = publish_read(y, list, r, err)) != BUS_OK)
		return rc;
	list = bus_yaml_get(node, "groups");
	if (list && (rc = groups_read(y, list, r, err)) != BUS_OK)
		return rc;
	return bus_yaml_no_more(y, node, err);
}

enum bus_err gw_policy_load(const char *path, const struct gw_views *views, struct gw_policy *p,
			    struct bus_error *err)
{
	struct bus_yaml_node *readers;
	struct bus_yaml *y = NULL;
	enum bus_err rc;

	rc = bus_yaml_load(path, &y, err);
	if (rc != BUS_OK)
		return rc;
	readers = bus_yaml_get(bus_yaml_root(y), "readers");
	if (!readers || readers->kind != BUS_YAML_MAP)
		rc = bus_yaml_fail(y, bus_yaml_root(y), err,
				   "'readers' is missing: a map from reader to grants");
	if (rc == BUS_OK)
		rc = bus_yaml_no_more(y, bus_yaml_root(y), err);
	if (rc == BUS_OK) {
		p->reader = bus_xcalloc(bus_yaml_count(readers) + 1, sizeof(*p->reader));
		for (struct bus_yaml_node *node = readers->first; node && rc == BUS_OK; node = node->next)
			rc = reader_read(views, p, y, node, &p->reader[p->n++], err);
	}
	bus_yaml_free(&y);
	return rc;
}

const struct gw_policy_reader *gw_policy_reader(const struct gw_policy *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->reader[i].name, name) == 0)
			return &p->reader[i];
	return NULL;
}

const struct gw_topic_rule *gw_policy_topic(const struct gw_policy_reader *r, const char *topic, bool own)
{
	for (size_t i = r->n_topics; i > 0; i--)
		if (strcmp(r->topic[i - 1].topic, topic) == 0 ||
		    (own && strcmp(r->topic[i - 1].topic, "*") == 0))
			return &r->topic[i - 1];
	return NULL;
}

static bool named_after(const char *group, const char *reader)
{
	const size_t n = strlen(reader);

	return strncmp(group, reader, n) == 0 && (group[n] == '\0' || group[n] == '-' || group[n] == '.');
}

bool gw_policy_group(const struct gw_policy *p, const struct gw_policy_reader *r, const char *group)
{
	bool yes = !r->groups_said && named_after(group, r->name);
	size_t n;

	for (size_t i = 0; yes && i < p->n; i++)
		yes = strlen(p->reader[i].name) <= strlen(r->name) || !named_after(group, p->reader[i].name);
	for (size_t i = 0; i < r->n_groups && !yes; i++) {
		n = strlen(r->group[i]);
		yes = r->group[i][n - 1] == '*' ? strncmp(group, r->group[i], n - 1) == 0
						: strcmp(group, r->group[i]) == 0;
	}
	return yes;
}

static uint64_t bits_of(const struct gw_names *names, const struct gw_view *v)
{
	uint64_t bits = names->all ? UINT64_MAX : 0;
	int column;

	for (size_t i = 0; i < names->n; i++) {
		column = gw_view_column(v, names->name[i]);
		if (column >= 0)
			bits |= UINT64_C(1) << column;
		for (size_t k = 0; v->conflicts_of && k < v->n_columns; k++) /* what is said of a column goes with it */
			if (v->column[k].conflict_of && strcmp(v->column[k].conflict_of, names->name[i]) == 0)
				bits |= UINT64_C(1) << k;
	}
	return bits;
}

static bool personal(char pdp)
{
	return pdp == 'U' || pdp == 'S' || pdp == 'A';
}

struct gw_grant gw_policy_grant(const struct gw_policy_reader *r, const struct gw_view *v)
{
	const struct gw_rule *rule = NULL;
	struct gw_grant g = { 0 };
	const char *column;

	for (size_t i = r->n_rules; i > 0 && !rule; i--)
		if (strcmp(r->rule[i - 1].view, "*") == 0 || strcmp(r->rule[i - 1].view, v->name) == 0 ||
		    (v->conflicts_of && strcmp(r->rule[i - 1].view, v->conflicts_of) == 0))
			rule = &r->rule[i - 1];
	if (!rule || v->internal || (rule->rows && !gw_grant_rows_fit(rule->rows, v, &column)))
		return g;
	g.allowed = true;
	g.rows = rule->rows;
	g.full = rule->full;
	g.shown = rule->columns.given ? bits_of(&rule->columns, v) : UINT64_MAX;
	g.shown |= UINT64_C(1) << v->key; /* pages and feeds go by the key */
	g.clear = bits_of(&rule->clear, v);
	for (size_t i = 0; i < v->n_columns; i++)
		if (!personal(v->column[i].pdp))
			g.clear |= UINT64_C(1) << i;
	return g;
}
