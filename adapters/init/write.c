#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adapters/config.h"
#include "adapters/init/draft.h"
#include "adapters/map_schema.h"
#include "bus/crypto.h"
#include "bus/file.h"

static enum bus_err make_dir(const char *path, mode_t mode, struct bus_error *err)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return BUS_OK;
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return BUS_OK;
	return bus_fail(err, BUS_EIO, "cannot make folder '%s': %m", path);
}

static enum bus_err make_dirs(const char *path, struct bus_error *err)
{
	char *copy = bus_xstrdup(path);
	enum bus_err rc = BUS_OK;

	for (char *p = strchr(copy + 1, '/'); p && rc == BUS_OK; p = strchr(p + 1, '/')) {
		*p = '\0';
		rc = make_dir(copy, 0755, err);
		*p = '/';
	}
	free(copy);
	return rc != BUS_OK ? rc : make_dir(path, 0755, err);
}

static enum bus_err put_file(const char *path, const struct bus_buf *text, struct bus_error *err)
{
	return bus_file_put(path, bus_buf_str(text), 0666, BUS_FILE_LIGHT, err);
}

static enum bus_err put_key(const char *dir, const char *name, struct bus_error *err)
{
	char *path = bus_xasprintf("%s/kunci/%s", dir, name);
	enum bus_err rc = access(path, F_OK) == 0 ? BUS_OK : bus_key_create(path, err);

	free(path);
	return rc;
}

/* For completion and red lines in an editor; the program does not read them. */
static enum bus_err put_editor(const char *dir, struct bus_error *err)
{
	char *mapping = bus_xasprintf("%s/skema-editor/mapping.json", dir);
	char *config = bus_xasprintf("%s/skema-editor/adapter.json", dir);
	struct bus_buf text = { 0 };
	enum bus_err rc;

	adapter_map_schema_put(&text);
	rc = put_file(mapping, &text, err);
	bus_buf_reset(&text);
	adapter_config_schema_put(adapter_config_table, &text);
	if (rc == BUS_OK)
		rc = put_file(config, &text, err);
	bus_buf_release(&text);
	free(mapping);
	free(config);
	return rc;
}

typedef void (*put_fn)(const struct adapter_init_draft *d, struct bus_buf *out);

enum bus_err adapter_init_write(const struct adapter_init_draft *d, const char *dir, bool force,
				struct bus_error *err)
{
	static const struct {
		const char *name;
		mode_t mode;
	} folder[] = { { "skema-editor", 0755 },
		       { "masuk", 0755 },
		       { "referensi", 0755 },
		       { "skema", 0755 },
		       { "kunci", 0700 } };
	static const put_fn put[] = { adapter_init_put_mapping, adapter_init_put_schema,
				      adapter_init_put_config };
	/* adapter.yaml last: where it stands, all the rest does. */
	char *path[] = { bus_xasprintf("%s/%s.yaml", dir, d->entity),
			 bus_xasprintf("%s/skema/%s.avsc", dir, d->entity),
			 bus_xasprintf("%s/adapter.yaml", dir) };
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; i < BUS_LEN(path) && rc == BUS_OK && !force; i++)
		if (access(path[i], F_OK) == 0)
			rc = bus_fail(
			    err, BUS_EEXIST,
			    "'%s' sudah ada: pilih folder lain atau beri --force / is there already: choose "
			    "another folder, or say --force",
			    path[i]);
	if (rc == BUS_OK)
		rc = make_dirs(dir, err);
	for (size_t i = 0; i < BUS_LEN(folder) && rc == BUS_OK; i++) {
		char *sub = bus_xasprintf("%s/%s", dir, folder[i].name);

		rc = make_dir(sub, folder[i].mode, err);
		free(sub);
	}
	if (rc == BUS_OK)
		rc = put_key(dir, "kota.key", err);
	if (rc == BUS_OK)
		rc = put_key(dir, "opd.key", err);
	if (rc == BUS_OK)
		rc = put_editor(dir, err);
	for (size_t i = 0; i < BUS_LEN(put) && rc == BUS_OK; i++) {
		struct bus_buf text = { 0 };

		put[i](d, &text);
		rc = put_file(path[i], &text, err);
		bus_buf_release(&text);
	}
	for (size_t i = 0; i < BUS_LEN(path); i++)
		free(path[i]);
	return rc;
}
