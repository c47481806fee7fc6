#include "schemas/registry/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/crypto.h"
#include "bus/hex.h"
#include "bus/secret.h"
#include "schemas/registry/policy.h"

#define ID_LEN 8
#define TOKEN_LEN (3 + ID_LEN + 1 + 2 * BUS_KEY_LEN)
#define SALT_LEN 16
#define ITERATIONS 600000 /* OWASP's figure for PBKDF2-HMAC-SHA-256, 2023 */
#define ITERATIONS_MIN 10000
#define ITERATIONS_MAX 10000000
#define ENTRIES_MAX 10000
#define FILE_MAX ((size_t)4 * 1024 * 1024)

struct token {
	char name[SCHEMA_USER_MAX];
	char id[ID_LEN + 1];
	uint8_t digest[BUS_SHA256_LEN];
};

struct password {
	char name[SCHEMA_USER_MAX];
	int iterations;
	uint8_t salt[SALT_LEN];
	uint8_t hash[BUS_SHA256_LEN];
};

struct schema_users {
	struct token *token; /* by id */
	size_t n_tokens;
	struct password *password; /* by name */
	size_t n_passwords;
};

void schema_users_free(struct schema_users **up)
{
	struct schema_users *u = *up;

	if (!u)
		return;
	free(u->token);
	free(u->password);
	free(u);
	*up = NULL;
}

/* --- reading ---------------------------------------------------------------------------------------- */

static bool hex_read(const char *hex, uint8_t *out, size_t n)
{
	return strlen(hex) == 2 * n && strspn(hex, "0123456789abcdef") == 2 * n && bus_unhex(hex, n, out);
}

static bool read_token(const char *line, struct schema_users *u)
{
	char hex[2 * BUS_SHA256_LEN + 1];
	struct token *t;

	u->token = bus_xrealloc(u->token, (u->n_tokens + 1) * sizeof(*u->token));
	t = &u->token[u->n_tokens];
	memset(t, 0, sizeof(*t));
	if (sscanf(line, "token %63s %8[0-9a-f] %64s ", t->name, t->id, hex) != 3 ||
	    !schema_user_name_ok(t->name) || strlen(t->id) != ID_LEN ||
	    !hex_read(hex, t->digest, sizeof(t->digest)))
		return false;
	u->n_tokens++;
	return true;
}

static bool read_password(const char *line, struct schema_users *u)
{
	char salt[2 * SALT_LEN + 1], hash[2 * BUS_SHA256_LEN + 1];
	struct password *p;
	int same = 0;

	u->password = bus_xrealloc(u->password, (u->n_passwords + 1) * sizeof(*u->password));
	p = &u->password[u->n_passwords];
	memset(p, 0, sizeof(*p));
	if (sscanf(line, "password %63s pbkdf2-sha256 %8d %32s %64s ", p->name, &p->iterations, salt, hash) !=
		4 ||
	    !schema_user_name_ok(p->name) || p->iterations < ITERATIONS_MIN ||
	    p->iterations > ITERATIONS_MAX || !hex_read(salt, p->salt, sizeof(p->salt)) ||
	    !hex_read(hash, p->hash, sizeof(p->hash)))
		return false;
	for (size_t i = 0; i < u->n_passwords; i++)
		same += strcmp(u->password[i].name, p->name) == 0;
	u->n_passwords++;
	return same < SCHEMA_PASSWORDS_MAX;
}

static int by_id(const void *a, const void *b)
{
	return memcmp(((const struct token *)a)->id, ((const struct token *)b)->id, ID_LEN);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct password *)a)->name, ((const struct password *)b)->name);
}

enum bus_err schema_users_parse(const char *name, struct bus_str text, struct schema_users **out,
				struct bus_error *err)
{
	struct schema_users *u = bus_xcalloc(1, sizeof(*u));
	const char *end = text.p + text.n;
	int number = 0;

	*out = NULL;
	for (const char *p = text.p, *next; p < end; p = next) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		char line[400];
		size_t n = (size_t)((stop ? stop : end) - p);

		next = stop ? stop + 1 : end;
		number++;
		if (n == 0 || *p == '#')
			continue;
		if (n < sizeof(line) && !memchr(p, '\0', n)) {
			memcpy(line, p, n);
			line[n] = '\0';
			if (u->n_tokens + u->n_passwords < ENTRIES_MAX &&
			    (read_token(line, u) || read_password(line, u)))
				continue;
		}
		schema_users_free(&u);
		return bus_fail(err, BUS_EPARSE,
				"%s:%d: not a line of this file (password NAME pbkdf2-sha256 ITERATIONS SALT "
				"HASH WHEN, at "
				"most %d for a name; token NAME ID SHA256 WHEN), or one over %d",
				name, number, SCHEMA_PASSWORDS_MAX, ENTRIES_MAX);
	}
	if (u->n_tokens > 0)
		qsort(u->token, u->n_tokens, sizeof(*u->token), by_id);
	if (u->n_passwords > 0)
		qsort(u->password, u->n_passwords, sizeof(*u->password), by_name);
	*out = u;
	return BUS_OK;
}

enum bus_err schema_users_load(const char *path, struct schema_users **out, struct bus_error *err)
{
	FILE *fp = fopen(path, "re");
	struct bus_buf b = { 0 };
	enum bus_err rc = BUS_OK;
	struct stat st;

	*out = NULL;
	if (!fp)
		return bus_fail(
		    err, errno == ENOENT ? BUS_ENOENT : BUS_EIO,
		    "cannot open '%s': %m; make a user: titian-registry token new --users '%s' --name NAME",
		    path, path);
	bus_buf_reserve(&b, FILE_MAX + 1);
	b.n = fread(b.p, 1, FILE_MAX + 1, fp);
	if (ferror(fp) || fstat(fileno(fp), &st) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot read '%s': %m", path);
	else if (st.st_mode & 007)
		rc = bus_fail(err, BUS_EINVAL,
			      "'%s' has mode %04o, everybody may try the hashes in it; run: chmod 600 '%s'",
			      path, st.st_mode & 07777U, path);
	else if (b.n > FILE_MAX)
		rc = bus_fail(err, BUS_ETOOBIG, "'%s' is longer than 4 MiB", path);
	fclose(fp);
	if (rc == BUS_OK)
		rc = schema_users_parse(path, bus_buf_str(&b), out, err);
	bus_buf_release(&b);
	return rc;
}

/* --- checking --------------------------------------------------------------------------------------- */

bool schema_users_is_token(struct bus_str text)
{
	return text.n == TOKEN_LEN && memcmp(text.p, "tr_", 3) == 0 && text.p[3 + ID_LEN] == '_';
}

const char *schema_users_token(const struct schema_users *u, struct bus_str token)
{
	uint8_t digest[BUS_SHA256_LEN];
	struct token wanted = { 0 };
	const struct token *t;

	if (!schema_users_is_token(token) || u->n_tokens == 0)
		return NULL;
	memcpy(wanted.id, token.p + 3, ID_LEN);
	t = bsearch(&wanted, u->token, u->n_tokens, sizeof(*u->token), by_id);
	if (!t)
		return NULL;
	bus_sha256(token.p, token.n, digest);
	/* ids are random: two of one id are possible, and then both are tried */
	while (t > u->token && by_id(t - 1, &wanted) == 0)
		t--;
	for (; t < u->token + u->n_tokens && by_id(t, &wanted) == 0; t++)
		if (bus_equal_secret(t->digest, digest, sizeof(digest)))
			return t->name;
	return NULL;
}

/* The first of that name; *n of them. */
static const struct password *passwords_of(const struct schema_users *u, const char *name, size_t *n)
{
	struct password wanted = { 0 };
	const struct password *p = NULL;

	*n = 0;
	if (schema_user_name_ok(name) && u->n_passwords > 0) {
		memcpy(wanted.name, name, strlen(name));
		p = bsearch(&wanted, u->password, u->n_passwords, sizeof(*u->password), by_name);
	}
	while (p && p > u->password && by_name(p - 1, &wanted) == 0)
		p--;
	while (p && p + *n < u->password + u->n_passwords && by_name(p + *n, &wanted) == 0)
		(*n)++;
	return p;
}

size_t schema_users_hashes(const struct schema_users *u, const char *name,
			   const uint8_t *hash[SCHEMA_PASSWORDS_MAX])
{
	size_t n;
	const struct password *p = passwords_of(u, name, &n);

	for (size_t i = 0; i < n; i++)
		hash[i] = p[i].hash;
	return n;
}

const uint8_t *schema_users_password(const struct schema_users *u, const char *name, struct bus_str password)
{
	static const struct password nobody = { .iterations = ITERATIONS };
	uint8_t hash[BUS_SHA256_LEN];
	const uint8_t *fits = NULL;
	size_t n;
	const struct password *p = passwords_of(u, name, &n);

	for (size_t i = 0; i < n || i == 0; i++) {
		const struct password *try = n ? &p[i] : &nobody;

		bus_pbkdf2(password, (struct bus_str){ (const char *)try->salt, SALT_LEN }, try->iterations,
			   hash);
		if (n && bus_equal_secret(hash, try->hash, sizeof(hash)))
			fits = try->hash;
	}
	explicit_bzero(hash, sizeof(hash));
	return fits;
}

/* --- making ----------------------------------------------------------------------------------------- */

static enum bus_err append(const char *path, const struct bus_buf *line, struct bus_error *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	enum bus_err rc = BUS_OK;

	if (fd < 0 || write(fd, line->p, line->n) != (ssize_t)line->n || fsync(fd) != 0)
		rc = bus_fail(err, BUS_EIO, "cannot write '%s': %m", path);
	if (fd >= 0)
		close(fd);
	return rc;
}

static enum bus_err check_name(const char *name, struct bus_error *err)
{
	if (schema_user_name_ok(name))
		return BUS_OK;
	return bus_fail(err, BUS_EINVAL, "a user's name is 1 to %d letters, digits, '-', '_', '.'",
			SCHEMA_USER_MAX - 1);
}

enum bus_err schema_users_add_token(const char *path, const char *name, struct bus_buf *out,
				    struct bus_error *err)
{
	uint8_t secret[BUS_KEY_LEN], digest[BUS_SHA256_LEN], id[ID_LEN / 2];
	char id_hex[ID_LEN + 1], digest_hex[2 * BUS_SHA256_LEN + 1], secret_hex[2 * BUS_KEY_LEN + 1],
	    when[40];
	struct bus_buf line = { 0 };
	size_t start = out->n;
	enum bus_err rc = check_name(name, err);

	if (rc != BUS_OK)
		return rc;
	bus_random(secret, sizeof(secret));
	bus_random(id, sizeof(id));
	bus_hex(id, sizeof(id), id_hex);
	bus_hex(secret, sizeof(secret), secret_hex);
	bus_buf_printf(out, "tr_%s_%s", id_hex, secret_hex);
	bus_sha256(out->p + start, out->n - start, digest);
	bus_hex(digest, sizeof(digest), digest_hex);
	bus_buf_printf(&line, "token %s %s %s %s\n", name, id_hex, digest_hex,
		       bus_clock_iso_wib(bus_clock_ms(), when, sizeof(when)));
	rc = append(path, &line, err);
	if (rc != BUS_OK)
		out->n = start;
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(secret_hex, sizeof(secret_hex));
	bus_buf_release(&line);
	return rc;
}

enum bus_err schema_users_add_password(const char *path, const char *name, struct bus_str password,
				       struct bus_error *err)
{
	uint8_t salt[SALT_LEN], hash[BUS_SHA256_LEN];
	char salt_hex[2 * SALT_LEN + 1], hash_hex[2 * BUS_SHA256_LEN + 1], when[40];
	struct bus_buf line = { 0 };
	enum bus_err rc = check_name(name, err);

	if (rc == BUS_OK && (password.n < SCHEMA_PASSWORD_MIN || password.n > SCHEMA_PASSWORD_MAX))
		rc = bus_fail(err, BUS_EINVAL, "a password has %d to %d bytes", SCHEMA_PASSWORD_MIN,
			      SCHEMA_PASSWORD_MAX);
	if (rc != BUS_OK)
		return rc;
	bus_random(salt, sizeof(salt));
	bus_hex(salt, sizeof(salt), salt_hex);
	bus_pbkdf2(password, (struct bus_str){ (const char *)salt, sizeof(salt) }, ITERATIONS, hash);
	bus_hex(hash, sizeof(hash), hash_hex);
	bus_buf_printf(&line, "password %s pbkdf2-sha256 %d %s %s %s\n", name, ITERATIONS, salt_hex, hash_hex,
		       bus_clock_iso_wib(bus_clock_ms(), when, sizeof(when)));
	rc = append(path, &line, err);
	bus_secret_release(&line);
	return rc;
}
