/* Finds a topic's schema in a catalogue folder. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "adapters/preview.h"
#include "bus/buf.h"

#define DEPTH_MAX 4

static enum bus_err read_text(const char *path, struct bus_buf *text, struct bus_error *err)
{
	FILE *f = fopen(path, "re");
	char piece[8192];
	size_t n;
	enum bus_err rc = BUS_OK;

	if (!f)
		return bus_fail(err, BUS_EIO, "cannot open '%s': %m", path);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0 && text->n <= SCHEMA_TEXT_MAX)
		bus_buf_put(text, piece, n);
	if (ferror(f))
		rc = bus_fail(err, BUS_EIO, "cannot read '%s': %m", path);
	else if (text->n > SCHEMA_TEXT_MAX)
		rc = bus_fail(err, BUS_ETOOBIG, "'%s' is over %zu bytes", path, SCHEMA_TEXT_MAX);
	fclose(f);
	return rc;
}

/* BUS_ENOENT: it is another topic's. */
static enum bus_err try_file(const char *path, const char *topic, struct schema **out, struct bus_error *err)
{
	struct bus_buf text = { 0 };
	struct schema *s = NULL;
	const char *of;
	enum bus_err rc = read_text(path, &text, err);

	if (rc == BUS_OK && !memmem(text.p, text.n, topic, strlen(topic)))
		rc = BUS_ENOENT;
	if (rc == BUS_OK) {
		rc = schema_parse(bus_buf_str(&text), SCHEMA_STRICT, NULL, 0, &s, err);
		if (rc != BUS_OK)
			bus_fail_prefix(err, rc, "%s", path);
	}
	if (rc == BUS_OK) {
		of = schema_property(schema_root(s)->properties, "x_topik");
		if (of && strcmp(of, topic) == 0) {
			*out = s;
			s = NULL;
		} else {
			rc = BUS_ENOENT;
		}
	}
	schema_unref(&s);
	bus_buf_release(&text);
	return rc;
}

static enum bus_err search(const char *dir, const char *topic, int depth, struct schema **out,
			   struct bus_error *err)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	enum bus_err rc = BUS_ENOENT;

	if (!d)
		return bus_fail(err, errno == ENOENT ? BUS_ENOENT : BUS_EIO, "cannot open '%s': %m", dir);
	while (rc == BUS_ENOENT && (e = readdir(d))) {
		char *path = bus_xasprintf("%s/%s", dir, e->d_name);
		size_t n = strlen(e->d_name);
		struct stat st;

		if (e->d_name[0] != '.' && stat(path, &st) == 0) {
			if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
				rc = search(path, topic, depth + 1, out, err);
			else if (S_ISREG(st.st_mode) && n > 5 && strcmp(e->d_name + n - 5, ".avsc") == 0)
				rc = try_file(path, topic, out, err);
		}
		free(path);
	}
	closedir(d);
	return rc;
}

enum bus_err adapter_preview_schema(const char *dir, const char *topic, struct schema **out,
				    struct bus_error *err)
{
	enum bus_err rc;

	*out = NULL;
	rc = search(dir, topic, 0, out, err);
	return rc != BUS_ENOENT ? rc : bus_fail(err, rc, "no schema under '%s' is of topic '%s'", dir, topic);
}
