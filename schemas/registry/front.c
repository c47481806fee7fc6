#include "schemas/registry/front.h"

#include <stdio.h>

#include "bus/crypto.h"
#include "bus/log.h"
#include "bus/secret.h"
#include "schemas/registry/users.h"

#define BODY_MAX (INT64_C(2) * 1024 * 1024)

static enum bus_err client_of(const struct schema_front_conf *c, enum bus_http_client *out,
			      struct bus_error *err)
{
	static const char *const name[] = { "none", "optional", "required" };

	*out = *c->client_ca ? BUS_HTTP_CLIENT_OPTIONAL : BUS_HTTP_CLIENT_NONE;
	if (!*c->client)
		return BUS_OK;
	for (size_t i = 0; i < BUS_LEN(name); i++) {
		if (strcmp(c->client, name[i]) == 0) {
			*out = (enum bus_http_client)i;
			return BUS_OK;
		}
	}
	return bus_fail(err, BUS_EINVAL, "http.tls.client is none, optional or required, not '%s'",
			c->client);
}

static struct bus_http_tls tls_of(const struct schema_front_conf *c)
{
	return (struct bus_http_tls){ .certificate = c->certificate,
				      .key = c->key,
				      .client_ca = c->client_ca,
				      .client_crl = c->client_crl };
}

static bool encrypted(const struct schema_front_conf *c)
{
	return *c->certificate || *c->key || *c->client_ca || *c->client;
}

enum bus_err schema_front_check(const struct schema_front_conf *c, struct schema_registry *r,
				struct bus_error *err)
{
	struct bus_http_tls tls = tls_of(c);
	enum bus_err rc = client_of(c, &tls.client, err);

	if (rc == BUS_OK && encrypted(c))
		rc = bus_http_tls_check(&tls, err);
	if (rc == BUS_OK)
		rc = schema_access_open(&c->access, &r->access, err);
	if (rc == BUS_OK && !r->access && !c->insecure && strncmp(c->address, "127.", 4) != 0)
		rc = bus_fail(
		    err, BUS_EINVAL,
		    "will not listen on %s without access.policy: everybody could change every schema. Write "
		    "a policy, or say that this is meant: http.insecure: true",
		    c->address);
	return rc;
}

enum bus_err schema_front_start(const struct schema_front_conf *c, struct schema_registry *r,
				struct bus_http **out, struct bus_error *err)
{
	struct bus_http_tls tls = tls_of(c);
	/* The form's is what curl -d says of any body. */
	static const char *const types[] = { "application/json",
					     "+json",
					     "application/octet-stream",
					     "application/x-www-form-urlencoded",
					     "text/plain",
					     NULL };
	const struct bus_http_conf front = { .address = c->address,
					     .port = c->port,
					     .threads = c->threads,
					     .body_max = BODY_MAX,
					     .types = types,
					     .program = "registry",
					     .problem_type = SCHEMA_REGISTRY_TYPE,
					     .write_error = schema_registry_error,
					     .tls = encrypted(c) ? &tls : NULL,
					     .exposed = c->insecure,
					     .knows = schema_access_knows,
					     .admit = schema_access_admit,
					     .answered = schema_access_answered };
	enum bus_err rc = client_of(c, &tls.client, err);

	*out = NULL;
	return rc ? rc : bus_http_start(&front, schema_registry_routes, r, out, err);
}

void schema_front_reload(struct schema_registry *r, struct bus_http *http)
{
	struct bus_error err;
	bool ok = true;

	if (bus_http_reload(http, &err) != BUS_OK) {
		bus_log(BUS_LOG_ERROR, "registry.reload_failed", LOG_ERR(&err));
		ok = false;
	}
	if (r->access && schema_access_reload(r->access, &err) != BUS_OK) {
		bus_log(BUS_LOG_ERROR, "registry.reload_failed", LOG_ERR(&err));
		ok = false;
	}
	if (ok)
		bus_log(BUS_LOG_INFO, "registry.reloaded");
}

/* --- commands ---------------------------------------------------------------------------------------- */

static const char command_usage[] =
    "titian-registry token new --users FILE --name NAME\n"
    "                                      make a token; prints it, once\n"
    "titian-registry user new --users FILE --name NAME [--password-file FILE]\n"
    "                                      a password: the file's first line, or one that is made and "
    "printed, once\n";

/* 26 letters and digits, 5 bits each: 130 bits. */
static void make_password(struct bus_buf *out)
{
	static const char digit[] = "abcdefghijkmnopqrstuvwxyz2345678";
	uint8_t random[26];

	bus_random(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		bus_buf_putc(out, digit[random[i] & 31]);
}

static enum bus_err add(bool token, const char *users, const char *name, const char *file,
			struct bus_buf *secret, struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	if (token)
		return schema_users_add_token(users, name, secret, err);
	if (file)
		rc = bus_secret_load(file, secret, err);
	else
		make_password(secret);
	return rc ? rc : schema_users_add_password(users, name, bus_buf_str(secret), err);
}

int schema_front_command(int argc, char **argv)
{
	const char *users = NULL, *name = NULL, *file = NULL;
	bool token = argc > 1 && strcmp(argv[1], "token") == 0,
	     user = argc > 1 && strcmp(argv[1], "user") == 0;
	struct bus_buf secret = { 0 };
	struct bus_error err;
	enum bus_err rc;
	int i;

	if (!token && !user)
		return -1;
	for (i = 3; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--users") == 0)
			users = argv[i + 1];
		else if (strcmp(argv[i], "--name") == 0)
			name = argv[i + 1];
		else if (user && strcmp(argv[i], "--password-file") == 0)
			file = argv[i + 1];
		else
			break;
	}
	if (i != argc || strcmp(argv[2], "new") != 0 || !users || !name) {
		fputs(command_usage, stderr);
		return 2;
	}
	rc = add(token, users, name, file, &secret, &err);
	if (rc != BUS_OK)
		fprintf(stderr, "titian-registry: %s\n", err.text);
	else if (!file)
		puts(bus_buf_cstr(&secret));
	bus_secret_release(&secret);
	return rc == BUS_OK ? 0 : rc == BUS_EINVAL ? 2 : 1;
}
