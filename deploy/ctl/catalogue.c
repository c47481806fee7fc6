#include "deploy/ctl/catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "bus/mem.h"
#include "deploy/ctl/ctl.h"
#include "schemas/catalogue/lint.h"

#define PLACE "{opd}"
#define FILES_MAX 10000
#define DEPTH_MAX 8
#define REFERENCES_MAX 64 /* of one schema */

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

enum bus_err ctl_read_file(const char *path, struct bus_buf *out, struct bus_error *err)
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

static void add_fault(struct ctl_catalogue *c, const char *path, const struct bus_error *err)
{
	c->fault = bus_xrealloc(c->fault, (c->n_faults + 1) * sizeof(*c->fault));
	c->fault[c->n_faults++] = (struct ctl_fault){ bus_xstrdup(path), *err };
}

/* --- texts, before they are parsed --- */

struct raw {
	char *path, *text;
	struct bus_error why; /* the last attempt */
	bool parsed;
};

struct raws {
	struct raw *item;
	size_t n;
};

static void add_raw(struct raws *r, const char *path, char *text) /* takes text */
{
	r->item = bus_xrealloc(r->item, (r->n + 1) * sizeof(*r->item));
	r->item[r->n++] = (struct raw){ .path = bus_xstrdup(path), .text = text };
}

static void release_raws(struct raws *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->item[i].path);
		free(r->item[i].text);
	}
	free(r->item);
}

static enum bus_err read_raw(struct raws *r, const char *path, const char *opds, struct bus_error *err)
{
	struct bus_buf text = { 0 };
	struct names opd = { NULL, 0 };
	enum bus_err rc;
	size_t i;

	rc = ctl_read_file(path, &text, err);
	if (rc != BUS_OK)
		goto out;
	bus_buf_putc(&text, '\0');
	if (!strstr(text.p, PLACE)) {
		add_raw(r, path, bus_xstrdup(text.p));
		goto out;
	}
	rc = departments(path, opds, &opd, err);
	for (i = 0; i < opd.n && rc == BUS_OK; i++)
		add_raw(r, path, fill_in(text.p, opd.item[i]));
out:
	release_names(&opd);
	bus_buf_release(&text);
	return rc;
}

/* --- texts as schemas --- */

/* Whether the text has the type's name in it, whole or without its namespace. */
static bool mentions(const char *text, const char *full)
{
	const char *dot = strrchr(full, '.');
	char *whole = bus_xasprintf("\"%s\"", full), *last = bus_xasprintf("\"%s\"", dot ? dot + 1 : full);
	bool found = strstr(text, whole) || strstr(text, last);

	free(whole);
	free(last);
	return found;
}

/* Types of the entries that are there already, as far as the text mentions them. */
static size_t references(const struct ctl_catalogue *c, const char *text, struct schema_reference *ref,
			 size_t *at)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n && n < REFERENCES_MAX; i++) {
		const struct ctl_entry *e = &c->entry[i];

		if (e->topic || !mentions(text, e->subject))
			continue;
		at[n] = i;
		ref[n++] = (struct schema_reference){ e->subject, e->schema };
	}
	return n;
}

/* False: not yet, perhaps when the types it uses have been read; why says what is missing. */
static bool parse_raw(struct ctl_catalogue *c, struct raw *raw)
{
	struct schema_reference ref[REFERENCES_MAX];
	size_t at[REFERENCES_MAX];
	struct ctl_entry e = { 0 };
	const char *topic;
	size_t n = 0;

	if (schema_parse(bus_str(raw->text), SCHEMA_STRICT, NULL, 0, &e.schema, &raw->why) != BUS_OK) {
		n = raw->why.code == BUS_ESCHEMA ? references(c, raw->text, ref, at) : 0;
		if (n == 0 ||
		    schema_parse(bus_str(raw->text), SCHEMA_STRICT, ref, n, &e.schema, &raw->why) != BUS_OK)
			return false;
	}
	topic = schema_property(schema_root(e.schema)->properties, "x_topik");
	e.path = bus_xstrdup(raw->path);
	e.text = bus_xstrdup(raw->text);
	if (topic && topic[0]) {
		e.topic = bus_xstrdup(topic);
		e.subject = bus_xasprintf("%s-value", topic);
	} else {
		e.subject = bus_xstrdup(schema_label(schema_root(e.schema)));
	}
	topic = schema_property(schema_root(e.schema)->properties, "x_jenis");
	e.is_register = topic && strcmp(topic, "register") == 0;
	e.n_needs = n;
	e.needs = bus_xcalloc(n + 1, sizeof(*e.needs));
	memcpy(e.needs, at, n * sizeof(*at));
	c->entry = bus_xrealloc(c->entry, (c->n + 1) * sizeof(*c->entry));
	c->entry[c->n++] = e;
	return raw->parsed = true;
}

/* What uses types of other files waits for them; each round must bring one more. */
static void parse_all(struct ctl_catalogue *c, struct raws *r)
{
	size_t before;

	do {
		before = c->n;
		for (size_t i = 0; i < r->n; i++)
			if (!r->item[i].parsed)
				(void)parse_raw(c, &r->item[i]);
	} while (c->n > before && c->n < r->n);
	for (size_t i = 0; i < r->n; i++)
		if (!r->item[i].parsed)
			add_fault(c, r->item[i].path, &r->item[i].why);
}

/* --- the catalogue --- */

static int by_subject(const void *a, const void *b, void *entries)
{
	const struct ctl_entry *e = entries;

	const struct ctl_entry *x = &e[*(const size_t *)a], *y = &e[*(const size_t *)b];
	int d = strcmp(x->subject, y->subject);

	return d ? d : strverscmp(x->path, y->path);
}

/* By subject, then by path, numbers in it by value; what entries need follows them to their new positions. */
static void sort(struct ctl_catalogue *c)
{
	size_t *order = bus_xcalloc(c->n + 1, sizeof(*order)), *now = bus_xcalloc(c->n + 1, sizeof(*now));
	struct ctl_entry *sorted = bus_xcalloc(c->n + 1, sizeof(*sorted));

	for (size_t i = 0; i < c->n; i++)
		order[i] = i;
	qsort_r(order, c->n, sizeof(*order), by_subject, c->entry);
	for (size_t i = 0; i < c->n; i++) {
		sorted[i] = c->entry[order[i]];
		now[order[i]] = i;
	}
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < sorted[i].n_needs; k++)
			sorted[i].needs[k] = now[sorted[i].needs[k]];
	free(order);
	free(now);
	free(c->entry);
	c->entry = sorted;
}

enum bus_err ctl_catalogue_read(char *const *path, size_t n, const char *opds, struct ctl_catalogue *out,
				struct bus_error *err)
{
	struct names files = { NULL, 0 };
	struct raws raws = { NULL, 0 };
	enum bus_err rc = BUS_OK;
	struct bus_error why;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < n && rc == BUS_OK; i++) {
		if (is_folder(path[i]))
			rc = search(path[i], 0, &files, err);
		else
			add_name(&files, bus_xstrdup(path[i]));
	}
	if (rc == BUS_OK && files.n == 0)
		rc = bus_fail(err, BUS_ENOENT, "no .avsc file below '%s'", path[0]);
	if (files.n > 0)
		qsort(files.item, files.n, sizeof(char *), by_text);
	for (size_t i = 0; i < files.n && rc == BUS_OK; i++)
		if (read_raw(&raws, files.item[i], opds, &why) != BUS_OK)
			add_fault(out, files.item[i], &why);
	parse_all(out, &raws);
	sort(out);
	for (size_t i = 1; i < out->n; i++)
		if (strcmp(out->entry[i].subject, out->entry[i - 1].subject) == 0) {
			(void)bus_fail(&why, BUS_EEXIST, "the same subject '%s' as '%s'",
				       out->entry[i].subject, out->entry[i - 1].path);
			add_fault(out, out->entry[i].path, &why);
		}
	out->n_files = files.n;
	release_names(&files);
	release_raws(&raws);
	if (rc != BUS_OK)
		ctl_catalogue_release(out);
	return rc;
}

/* Breaches of what must be, as faults. */
static void hold_to_rules(struct ctl_catalogue *c)
{
	struct schema_lint lint;
	struct bus_error why;

	for (size_t i = 0; i < c->n; i++) {
		schema_lint(c->entry[i].schema, true, &lint);
		for (size_t k = 0; k < lint.n; k++) {
			const struct schema_fault *f = &lint.fault[k];

			(void)bus_fail(&why, BUS_ESCHEMA, "%s [%s]", ctl_say(f->sentence.en, f->sentence.id),
				       f->rule->code);
			add_fault(c, c->entry[i].path, &why);
		}
		schema_lint_release(&lint);
	}
}

enum bus_err ctl_catalogue_load(char *const *path, size_t n, const char *opds, struct ctl_catalogue *out,
				struct bus_error *err)
{
	enum bus_err rc = ctl_catalogue_read(path, n, opds, out, err);

	if (rc != BUS_OK)
		return rc;
	hold_to_rules(out);
	for (size_t i = 0; i < out->n_faults; i++)
		ctl_complain("%s: %s", out->fault[i].path, out->fault[i].err.text);
	if (out->n_faults == 0)
		return BUS_OK;
	rc = bus_fail(err, out->fault[0].err.code, "%s",
		      ctl_say("not every schema is right", "tidak semua skema benar"));
	ctl_catalogue_release(out);
	return rc;
}

void ctl_catalogue_release(struct ctl_catalogue *c)
{
	for (size_t i = 0; i < c->n; i++) {
		schema_unref(&c->entry[i].schema);
		free(c->entry[i].path);
		free(c->entry[i].text);
		free(c->entry[i].topic);
		free(c->entry[i].subject);
		free(c->entry[i].needs);
	}
	for (size_t i = 0; i < c->n_faults; i++)
		free(c->fault[i].path);
	free(c->entry);
	free(c->fault);
	memset(c, 0, sizeof(*c));
}
