#include "bus/client_conf.h"

#include "bus/base64.h"
#include "bus/secret.h"
#include "bus/yaml.h"

static bool given(const char *s)
{
	return s && *s;
}

static enum bus_err basic(const struct bus_client_conf *conf, char **out, struct bus_error *err)
{
	struct bus_buf pair = { 0 }, line = { 0 };
	enum bus_err rc;

	if (strchr(conf->user, ':'))
		return bus_fail(err, BUS_EINVAL, "a user's name cannot hold ':'");
	bus_buf_printf(&pair, "%s:", conf->user);
	rc = bus_secret_load(conf->password_file, &pair, err);
	if (rc == BUS_OK) {
		bus_buf_puts(&line, "Authorization: Basic ");
		bus_base64_put(bus_buf_str(&pair), &line);
		*out = bus_buf_take(&line, NULL);
	}
	bus_secret_release(&pair);
	return rc;
}

static enum bus_err bearer(const struct bus_client_conf *conf, char **out, struct bus_error *err)
{
	struct bus_buf line = { 0 };
	enum bus_err rc;

	bus_buf_puts(&line, "Authorization: Bearer ");
	rc = bus_secret_load(conf->token_file, &line, err);
	if (rc == BUS_OK)
		*out = bus_buf_take(&line, NULL);
	bus_secret_release(&line);
	return rc;
}

enum bus_err bus_client_authorization(const struct bus_client_conf *conf, char **out, struct bus_error *err)
{
	*out = NULL;
	if (given(conf->user) != given(conf->password_file))
		return bus_fail(err, BUS_EINVAL, "user and password_file belong together: give both");
	if (given(conf->user) && given(conf->token_file))
		return bus_fail(err, BUS_EINVAL, "a password or a token, not both");
	if (given(conf->certificate) != given(conf->key))
		return bus_fail(err, BUS_EINVAL, "certificate and key belong together: give both");
	return given(conf->user)	 ? basic(conf, out, err)
	       : given(conf->token_file) ? bearer(conf, out, err)
					 : BUS_OK;
}

/* Beside the file that names it. */
static char *beside(const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');

	if (!name || *name == '/' || !slash)
		return name ? bus_xstrdup(name) : NULL;
	return bus_xasprintf("%.*s/%s", (int)(slash - file), file, name);
}

enum bus_err bus_client_open_file(const char *path, struct bus_client **out, struct bus_error *err)
{
	static const char *const key[] = { "ca", "certificate", "key", "password_file", "token_file" };
	char *file[BUS_LEN(key)] = { 0 };
	struct bus_client_conf conf = { 0 };
	struct bus_yaml *y = NULL;
	const char *text;
	enum bus_err rc = bus_yaml_load(path, &y, err);

	*out = NULL;
	for (size_t i = 0; rc == BUS_OK && i < BUS_LEN(key); i++) {
		text = NULL;
		rc = bus_yaml_str(y, bus_yaml_root(y), key[i], false, &text, err);
		file[i] = beside(path, text);
	}
	if (rc == BUS_OK)
		rc = bus_yaml_str(y, bus_yaml_root(y), "user", false, &conf.user, err);
	if (rc == BUS_OK)
		rc = bus_yaml_bool(y, bus_yaml_root(y), "insecure", false, &conf.insecure, err);
	if (rc == BUS_OK)
		rc = bus_yaml_no_more(y, bus_yaml_root(y), err);
	conf.ca = file[0];
	conf.certificate = file[1];
	conf.key = file[2];
	conf.password_file = file[3];
	conf.token_file = file[4];
	if (rc == BUS_OK)
		rc = bus_client_open(&conf, out, err);
	for (size_t i = 0; i < BUS_LEN(key); i++)
		free(file[i]);
	bus_yaml_free(&y);
	return rc;
}
