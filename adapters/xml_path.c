#include "adapters/xml_path.h"

#include <stdlib.h>

struct reader {
	struct bus_yaml *yaml;
	const struct bus_yaml_node *at;
	struct bus_yaml_node *spaces;
	const char *text, *p;
	struct bus_error *err;
};

static enum bus_err no_path(const struct reader *r, const char *what)
{
	return bus_yaml_fail(r->yaml, r->at, r->err, "'%s' is no path to XML: %s", r->text, what);
}

static size_t word(const char *p)
{
	return strcspn(p, "/[]@='\"(): \t*.!|,<>$");
}

/* A name may hold points, but "." alone is an end. */
static size_t name_length(const char *p)
{
	size_t n = word(p);

	while (n > 0 && p[n] == '.')
		n += 1 + word(p + n + 1);
	return n;
}

static enum bus_err read_name(struct reader *r, struct adapter_xml_name *out)
{
	size_t n = name_length(r->p);
	struct bus_yaml_node *uri;
	char *prefix;

	if (n == 0)
		return no_path(r, "a name is missing");
	if (r->p[n] != ':') {
		out->local = bus_xasprintf("%.*s", (int)n, r->p);
		r->p += n;
		return BUS_OK;
	}
	prefix = bus_xasprintf("%.*s", (int)n, r->p);
	uri = r->spaces ? bus_yaml_get(r->spaces, prefix) : NULL;
	free(prefix);
	if (!uri || uri->kind != BUS_YAML_SCALAR)
		return no_path(r, "its prefix is not among the `namespaces` of the source");
	r->p += n + 1;
	n = name_length(r->p);
	if (n == 0)
		return no_path(r, "a name is missing behind a prefix");
	out->uri = bus_xstrdup(uri->text);
	out->local = bus_xasprintf("%.*s", (int)n, r->p);
	r->p += n;
	return BUS_OK;
}

static enum bus_err read_predicates(struct reader *r, struct adapter_xml_step *s)
{
	if (r->p[0] == '[' && r->p[1] == '@') {
		const char *end;
		enum bus_err rc;
		char quote;

		r->p += 2;
		rc = read_name(r, &s->attribute);
		if (rc)
			return rc;
		quote = r->p[0] == '=' ? r->p[1] : '\0';
		end = quote == '\'' || quote == '"' ? strchr(r->p + 2, quote) : NULL;
		if (!end || end[1] != ']')
			return no_path(r, "write [@attribute='text']");
		s->value = bus_xasprintf("%.*s", (int)(end - r->p - 2), r->p + 2);
		r->p = end + 2;
	}
	if (r->p[0] == '[') {
		char *end;
		unsigned long nth = r->p[1] >= '1' && r->p[1] <= '9' ? strtoul(r->p + 1, &end, 10) : 0;

		if (nth == 0 || nth > 1000000 || *end != ']')
			return no_path(r, "in brackets stands [@attribute='text'], then a number from 1");
		s->nth = (unsigned)nth;
		r->p = end + 1;
	}
	return r->p[0] == '[' ? no_path(r, "at most [@attribute='text'], then [number]") : BUS_OK;
}

static enum bus_err read_step(struct reader *r, struct adapter_xml_path *out)
{
	struct adapter_xml_step *s;
	enum bus_err rc = BUS_OK;

	if (out->n == ADAPTER_XML_STEPS_MAX)
		return no_path(r, "it has over 16 steps");
	s = &out->step[out->n++];
	if (r->p[0] == '*') {
		s->name.local = bus_xstrdup("*");
		r->p++;
	} else {
		rc = read_name(r, &s->name);
	}
	return rc ? rc : read_predicates(r, s);
}

/* True: the path ends here. */
static bool read_end(struct reader *r, struct adapter_xml_path *out, enum bus_err *rc)
{
	*rc = BUS_OK;
	if (r->p[0] == '@') {
		r->p++;
		out->end = ADAPTER_XML_ATTRIBUTE;
		*rc = read_name(r, &out->attribute);
	} else if (strcmp(r->p, "text()") == 0) {
		out->end = ADAPTER_XML_TEXT;
		r->p += 6;
	} else if (strcmp(r->p, ".") == 0) {
		r->p++;
	} else {
		return false;
	}
	if (!*rc && *r->p)
		*rc = no_path(r, "nothing can follow an attribute, text() or .");
	return true;
}

static enum bus_err read_path(struct reader *r, bool absolute, struct adapter_xml_path *out)
{
	enum bus_err rc;

	if (absolute != (r->p[0] == '/'))
		return no_path(r, absolute ? "it must begin with / or //"
					   : "it leads from the row on: without a / at its begin");
	if (absolute) {
		out->anywhere = r->p[1] == '/';
		r->p += out->anywhere ? 2 : 1;
	}
	for (;;) {
		if (!absolute && read_end(r, out, &rc))
			return rc;
		rc = read_step(r, out);
		if (rc || *r->p == '\0')
			return rc;
		if (*r->p != '/' || r->p[1] == '/')
			return no_path(r, "steps are parted by one /");
		r->p++;
	}
}

enum bus_err adapter_xml_path_read(struct bus_yaml *yaml, const struct bus_yaml_node *at,
				   struct bus_yaml_node *spaces, const char *text, bool absolute,
				   struct adapter_xml_path *out, struct bus_error *err)
{
	struct reader r = { .yaml = yaml, .at = at, .spaces = spaces, .text = text, .p = text, .err = err };
	enum bus_err rc;

	*out = (struct adapter_xml_path){ 0 };
	rc = read_path(&r, absolute, out);
	if (rc)
		adapter_xml_path_release(out);
	return rc;
}

static void release_name(struct adapter_xml_name *n)
{
	free(n->local);
	free(n->uri);
}

void adapter_xml_path_release(struct adapter_xml_path *p)
{
	for (size_t i = 0; i < p->n; i++) {
		release_name(&p->step[i].name);
		release_name(&p->step[i].attribute);
		free(p->step[i].value);
	}
	release_name(&p->attribute);
	*p = (struct adapter_xml_path){ 0 };
}

bool adapter_xml_name_is(const struct adapter_xml_name *n, const char *name)
{
	const char *space = strrchr(name, ' ');

	if (n->uri && (!space || strlen(n->uri) != (size_t)(space - name) ||
		       memcmp(n->uri, name, (size_t)(space - name)) != 0))
		return false;
	return strcmp(n->local, space ? space + 1 : name) == 0 || strcmp(n->local, "*") == 0;
}

const char *adapter_xml_path_att(const struct adapter_xml_name *n, const char **atts)
{
	for (; *atts; atts += 2)
		if (adapter_xml_name_is(n, atts[0]))
			return atts[1];
	return NULL;
}

bool adapter_xml_step_is(const struct adapter_xml_step *s, const char *name, const char **atts)
{
	const char *value;

	if (!adapter_xml_name_is(&s->name, name))
		return false;
	if (!s->attribute.local)
		return true;
	value = adapter_xml_path_att(&s->attribute, atts);
	return value && strcmp(value, s->value) == 0;
}
