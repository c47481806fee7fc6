#include <unistd.h>

#include "bus/json_out.h"
#include "deploy/ctl/catalogue.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/registry.h"
#include "schemas/avro/diff.h"

enum { REGISTRY, TOKEN_FILE, CLIENT, JSON };

static const struct ctl_option diff_option[] = {
	[REGISTRY] = CTL_OPTION_REGISTRY,
	[TOKEN_FILE] = CTL_OPTION_TOKEN_FILE,
	[CLIENT] = CTL_OPTION_CLIENT,
	[JSON] = CTL_OPTION_JSON,
	{ 0 },
};

/* "subject", "subject:3" or "subject:latest"; subjects may have colons themselves. */
static void split(const char *text, char **subject, const char **version)
{
	const char *colon = strrchr(text, ':');

	*version = "latest";
	if (colon && colon[1] &&
	    (strcmp(colon + 1, "latest") == 0 || !colon[1 + strspn(colon + 1, "0123456789")])) {
		*version = colon + 1;
		*subject = bus_xstrndup(text, (size_t)(colon - text));
	} else {
		*subject = bus_xstrdup(text);
	}
}

static enum ctl_exit from_file(const char *path, struct schema **out)
{
	struct bus_buf text = { 0 };
	struct bus_error err;
	enum bus_err rc = ctl_read_file(path, &text, &err);

	if (rc == BUS_OK)
		rc = schema_parse(bus_buf_str(&text), SCHEMA_LENIENT, NULL, 0, out, &err);
	bus_buf_release(&text);
	if (rc != BUS_OK)
		(void)bus_fail_prefix(&err, rc, "%s", path);
	return rc == BUS_OK ? CTL_OK : ctl_fail(&err, false);
}

/* A file if there is one of that name, else a subject of the registry, which is opened when first needed. */
static enum ctl_exit get(const struct ctl_args *args, const char *operand, struct ctl_registry **r,
			 struct schema **out)
{
	struct ctl_version v = { 0 };
	enum ctl_exit rc = CTL_OK;
	const char *version;
	char *subject;

	if (access(operand, F_OK) == 0)
		return from_file(operand, out);
	if (!*r)
		rc = ctl_registry_open(args->option[REGISTRY], args->option[CLIENT], args->option[TOKEN_FILE],
				       r);
	if (rc == CTL_USAGE)
		ctl_complain(
		    ctl_say("'%s' is no file, so it would be a subject", "'%s' bukan berkas, jadi subjek"),
		    operand);
	if (rc != CTL_OK)
		return rc;
	split(operand, &subject, &version);
	rc = ctl_registry_schema(*r, subject, version, &v);
	free(subject);
	*out = v.schema;
	v.schema = NULL;
	ctl_version_release(&v);
	return rc;
}

static enum ctl_exit schema_diff_command(const struct ctl_args *args)
{
	struct schema *side[2] = { NULL, NULL };
	struct ctl_registry *r = NULL;
	struct bus_buf text = { 0 };
	struct bus_json_out j = { .buf = &text };
	enum ctl_exit rc = CTL_OK;
	struct schema_diff d;

	for (size_t i = 0; i < 2 && rc == CTL_OK; i++)
		rc = get(args, args->rest[i], &r, &side[i]);
	if (rc != CTL_OK)
		goto out;
	schema_diff(side[0], side[1], &d);
	if (args->option[JSON]) {
		schema_diff_put(&j, &d);
		bus_buf_putc(&text, '\n');
	} else {
		schema_diff_say(&d, ctl_indonesian(), &text);
		bus_buf_printf(&text, "%s: %s\n", ctl_say("level", "tingkat"), schema_diff_level(&d));
	}
	fputs(bus_buf_cstr(&text), stdout);
	if (d.n > 0 || d.cut)
		rc = d.backward.ok ? CTL_FAILED : CTL_INCOMPATIBLE;
	schema_diff_release(&d);
out:
	schema_unref(&side[0]);
	schema_unref(&side[1]);
	ctl_registry_close(&r);
	bus_buf_release(&text);
	return rc;
}

const struct ctl_command ctl_schema_diff = {
	.noun = "schema",
	.verb = "diff",
	.operands = "OLD NEW",
	.least = 2,
	.most = 2,
	.option = diff_option,
	.en = "what changed from OLD to NEW (files, or SUBJECT[:VERSION]), in words; exit 0 same, 1 differs, "
	      "3 new "
	      "cannot read old",
	.id = "apa yang berubah dari OLD ke NEW (berkas, atau SUBJEK[:VERSI]); keluar 0 sama, 1 beda, 3 yang "
	      "baru "
	      "tidak dapat membaca yang lama",
	.example = "titian schema diff pku.dinsos.bansos.v1-value:1 schemas/avsc/dinsos/bansos.avsc",
	.run = schema_diff_command,
};
