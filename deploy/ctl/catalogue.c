#include "deploy/ctl/catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "bus/mem.h"
#include "deploy/ctl/ctl.h"

#define PLACE "{opd}"
#define FILES_MAX 10000
#define DEPTH_MAX 8

struct names { /* owned texts */
	char **item;
	size_t n;
};

static void add_name(struct names *l, char *name) /* takes name */
{
	l->item = bus_xrealloc(l->item, (l->n + 1) * sizeof(char *));
	l->item[l->n++] = name;
}

static void release_names(struct names *l)
{
	size_t i;

	for (i = 0; i < l->n; i++)
		free(l->item[i]);
	free(l->item);
	*l = (struct names){ NULL, 0 };
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum bus_err search(const char *path, int depth, struct names *out, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	struct dirent *d;
	DIR *dir;

	dir = opendir(path);
	if (!dir)
		return bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO, "cannot open '%s': %m", path);
	while (rc == BUS_OK && (d = readdir(dir))) {
		size_t len = strlen(d->d_name);
		char *full;

		if (d->d_name[0] == '.')
			continue;
		full = bus_xasprintf("%s/%s", path, d->d_name);
		if (is_folder(full) && depth < DEPTH_MAX) {
			rc = search(full, depth + 1, out, err);
		} else if (len > 5 && strcmp(d->d_name + len - 5, ".avsc") == 0 && !is_folder(full)) {
			if (out->n == FILES_MAX)
				rc = bus_fail(err, BUS_ETOOBIG, "more than %d files below '%s'", FILES_MAX,
					      path);
			else
				add_name(out, bus_xstrdup(full));
		}
		free(full);
	}
	closedir(dir);
	return rc;
}

static enum bus_err read_file(const char *path, struct bus_buf *out, struct bus_error *err)
{
	FILE *fp = fopen(path, "re");
	size_t n;

	if (!fp)
		return bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO, "cannot open '%s': %m", path);
	bus_buf_reserve(out, SCHEMA_TEXT_MAX + 1);
	n = fread(out->p, 1, SCHEMA_TEXT_MAX + 1, fp);
	out->n = n;
	if (ferror(fp)) {
		fclose(fp);
		return bus_fail(err, BUS_EIO, "cannot read '%s'", path);
	}
	fclose(fp);
	if (n > SCHEMA_TEXT_MAX)
		return bus_fail(err, BUS_ETOOBIG, "'%s' is longer than %zu bytes", path, SCHEMA_TEXT_MAX);
	if (memchr(out->p, '\0', n))
		return bus_fail(err, BUS_EPARSE, "'%s' is not text", path);
	return BUS_OK;
}

/* The text with every "{opd}" replaced. */
static char *fill_in(const char *text, const char *opd)
{
	struct bus_buf b = { 0 };
	const char *at;

	while ((at = strstr(text, PLACE))) {
		bus_buf_put(&b, text, (size_t)(at - text));
		bus_buf_puts(&b, opd);
		text = at + strlen(PLACE);
	}
	bus_buf_puts(&b, text);
	bus_buf_putc(&b, '\0');
	return bus_buf_take(&b, NULL);
}

/* The departments a common schema stands for: --opd, or the folders beside its own. */
static enum bus_err departments(const char *path, const char *opds, struct names *out, struct bus_error *err)
{
	const char *slash = strrchr(path, '/'), *own;
	char *above = NULL;
	struct dirent *d;
	DIR *dir;

	for (; opds && *opds; opds += strcspn(opds, ","), opds += *opds == ',')
		if (strcspn(opds, ",") > 0)
			add_name(out, bus_xstrndup(opds, strcspn(opds, ",")));
	if (opds)
		return BUS_OK;
	for (own = slash; own && own > path && own[-1] != '/'; own--)
		;
	if (!slash || !own)
		return bus_fail(err, BUS_EINVAL, "'%s' stands for every department: name them with --opd",
				path);
	above = own > path ? bus_xstrndup(path, (size_t)(own - path)) : bus_xstrdup(".");
	dir = opendir(above);
	while (dir && (d = readdir(dir))) {
		char *full = bus_xasprintf("%s/%s", above, d->d_name);

		if (d->d_name[0] != '.' && is_folder(full) &&
		    !(strlen(d->d_name) == (size_t)(slash - own) &&
		      strncmp(d->d_name, own, (size_t)(slash - own)) == 0))
			add_name(out, bus_xstrdup(d->d_name));
		free(full);
	}
	if (dir)
		closedir(dir);
	free(above);
	if (out->n > 0)
		qsort(out->item, out->n, sizeof(char *), by_text);
	return out->n > 0 ? BUS_OK
			  : bus_fail(err, BUS_EINVAL,
				     "'%s' stands for every department: name them with --opd", path);
}

/* "N", "P", "U", "S" or "A". */
static bool is_class(const char *text)
{
	return strchr("NPUSA", text[0]) && text[0] && !text[1];
}

/* Every field says what kind of personal data it is (x_pdp), at every depth. */
static enum bus_err check_classes(const struct schema *s, const struct schema_node *node, bool *seen,
				  struct bus_error *err)
{
	enum bus_err rc = BUS_OK;
	const char *class;
	size_t i;

	if (seen[node->index])
		return BUS_OK;
	seen[node->index] = true;
	if (node->item)
		return check_classes(s, node->item, seen, err);
	for (i = 0; i < node->n && rc == BUS_OK; i++) {
		if (node->type == SCHEMA_UNION)
			rc = check_classes(s, node->branch[i], seen, err);
		if (node->type != SCHEMA_RECORD)
			continue;
		class = schema_property(node->field[i].properties, "x_pdp");
		if (!class)
			return bus_fail(err, BUS_ESCHEMA,
					"field '%s' of '%s' has no class of personal data (x_pdp)",
					node->field[i].name, node->name);
		if (!is_class(class))
			return bus_fail(err, BUS_ESCHEMA, "field '%s' of '%s': x_pdp is N, P, U, S or A",
					node->field[i].name, node->name);
		rc = check_classes(s, node->field[i].type, seen, err);
	}
	return rc;
}

static enum bus_err add_entry(struct ctl_catalogue *c, const char *path, char *text, /* takes text */
			      struct bus_error *err)
{
	struct ctl_entry e = { .path = bus_xstrdup(path), .text = text };
	const char *topic, *kind;
	bool *seen = NULL;
	enum bus_err rc;

	rc = schema_parse(bus_str(text), SCHEMA_STRICT, NULL, 0, &e.schema, err);
	if (rc != BUS_OK)
		goto out;
	topic = schema_property(schema_root(e.schema)->properties, "x_topik");
	kind = schema_property(schema_root(e.schema)->properties, "x_jenis");
	if (!topic || !topic[0]) {
		rc = bus_fail(err, BUS_ESCHEMA, "no topic (x_topik)");
		goto out;
	}
	if (!kind || (strcmp(kind, "register") != 0 && strcmp(kind, "peristiwa") != 0)) {
		rc = bus_fail(err, BUS_ESCHEMA, "x_jenis must be \"register\" or \"peristiwa\"");
		goto out;
	}
	seen = bus_xcalloc((size_t)schema_count(e.schema) + 1, sizeof(*seen));
	rc = check_classes(e.schema, schema_root(e.schema), seen, err);
	if (rc != BUS_OK)
		goto out;
	e.topic = bus_xstrdup(topic);
	e.is_register = strcmp(kind, "register") == 0;
	c->entry = bus_xrealloc(c->entry, (c->n + 1) * sizeof(*c->entry));
	c->entry[c->n++] = e;
	memset(&e, 0, sizeof(e));
out:
	free(seen);
	schema_unref(&e.schema);
	free(e.path);
	free(e.text);
	return rc;
}

static enum bus_err load_file(struct ctl_catalogue *c, const char *path, const char *opds,
			      struct bus_error *err)
{
	struct bus_buf text = { 0 };
	struct names opd = { NULL, 0 };
	enum bus_err rc;
	size_t i;

	rc = read_file(path, &text, err);
	if (rc != BUS_OK)
		goto out;
	bus_buf_putc(&text, '\0');
	if (!strstr(text.p, PLACE)) {
		rc = add_entry(c, path, bus_xstrdup(text.p), err);
		goto out;
	}
	rc = departments(path, opds, &opd, err);
	for (i = 0; i < opd.n && rc == BUS_OK; i++)
		rc = add_entry(c, path, fill_in(text.p, opd.item[i]), err);
out:
	release_names(&opd);
	bus_buf_release(&text);
	return rc;
}

static int by_topic(const void *a, const void *b)
{
	return strcmp(((const struct ctl_entry *)a)->topic, ((const struct ctl_entry *)b)->topic);
}

enum bus_err ctl_catalogue_load(char *const *path, size_t n, const char *opds, struct ctl_catalogue *out,
				struct bus_error *err)
{
	struct names files = { NULL, 0 };
	enum bus_err rc = BUS_OK, first = BUS_OK;
	struct bus_error why = { 0 };
	size_t i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < n && rc == BUS_OK; i++) {
		if (is_folder(path[i]))
			rc = search(path[i], 0, &files, err);
		else
			add_name(&files, bus_xstrdup(path[i]));
	}
	if (rc == BUS_OK && files.n == 0)
		rc = bus_fail(err, BUS_ENOENT, "no .avsc file below '%s'", path[0]);
	if (files.n > 0)
		qsort(files.item, files.n, sizeof(char *), by_text);
	for (i = 0; i < files.n && rc == BUS_OK; i++) {
		enum bus_err one = load_file(out, files.item[i], opds, &why);

		if (one == BUS_OK)
			continue;
		ctl_complain("%s: %s", files.item[i], why.text);
		if (first == BUS_OK)
			first = one;
	}
	out->n_files = files.n;
	release_names(&files);
	if (rc == BUS_OK && first != BUS_OK)
		rc = bus_fail(err, first, "%s",
			      ctl_say("not every schema is right", "tidak semua skema benar"));
	if (out->n > 0)
		qsort(out->entry, out->n, sizeof(*out->entry), by_topic);
	for (i = 1; i < out->n && rc == BUS_OK; i++)
		if (strcmp(out->entry[i].topic, out->entry[i - 1].topic) == 0)
			rc = bus_fail(err, BUS_ESCHEMA, "'%s' and '%s' have the same topic '%s'",
				      out->entry[i - 1].path, out->entry[i].path, out->entry[i].topic);
	if (rc != BUS_OK)
		ctl_catalogue_release(out);
	return rc;
}

void ctl_catalogue_release(struct ctl_catalogue *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		schema_unref(&c->entry[i].schema);
		free(c->entry[i].path);
		free(c->entry[i].text);
		free(c->entry[i].topic);
	}
	free(c->entry);
	memset(c, 0, sizeof(*c));
}
