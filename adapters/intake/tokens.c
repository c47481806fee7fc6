#include "adapters/intake/tokens.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>

#include "bus/crypto.h"

#define TOKENS_MAX 1000
#define NAME_MAX_BYTES 63

struct token {
	char *name, *feeds;
	uint8_t hash[BUS_SHA256_LEN];
};

struct adapter_tokens {
	struct token *token;
	size_t n;
};

void adapter_tokens_free(struct adapter_tokens **tp)
{
	struct adapter_tokens *t = *tp;

	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		free(t->token[i].name);
		free(t->token[i].feeds);
	}
	free(t->token);
	free(t);
	*tp = NULL;
}

/* "*", or names with a comma between each two. */
static bool is_list(const char *feeds)
{
	return feeds[0] != ',' && feeds[strlen(feeds) - 1] != ',' && !strstr(feeds, ",,");
}

static enum bus_err take_line(struct adapter_tokens *t, char *line, const char *path, int number,
			      struct bus_error *err)
{
	char *rest, *word[4];
	size_t n = 0;
	struct token token;

	line[strcspn(line, "#")] = '\0';
	for (char *w = strtok_r(line, " \t\r\n", &rest); w && n < BUS_LEN(word);
	     w = strtok_r(NULL, " \t\r\n", &rest))
		word[n++] = w;
	if (n == 0)
		return BUS_OK;
	if (n != 3 || strlen(word[0]) > NAME_MAX_BYTES || !is_list(word[1]) ||
	    strlen(word[2]) != (size_t)2 * BUS_SHA256_LEN || !bus_unhex(word[2], BUS_SHA256_LEN, token.hash))
		return bus_fail(
		    err, BUS_EPARSE,
		    "%s:%d: a line is NAME FEED[,FEED] SHA256 (64 hex digits of the token's hash)", path,
		    number);
	if (t->n == TOKENS_MAX)
		return bus_fail(err, BUS_EPARSE, "%s:%d: more than %d tokens", path, number, TOKENS_MAX);
	token.name = bus_xstrdup(word[0]);
	token.feeds = bus_xasprintf(",%s,", word[1]);
	t->token = bus_xrealloc(t->token, (t->n + 1) * sizeof(token));
	t->token[t->n++] = token;
	return BUS_OK;
}

enum bus_err adapter_tokens_load(const char *path, struct adapter_tokens **out, struct bus_error *err)
{
	struct adapter_tokens *t = bus_xcalloc(1, sizeof(*t));
	char *line = NULL;
	size_t room = 0;
	FILE *f = fopen(path, "re");
	enum bus_err rc = BUS_OK;
	struct stat st;

	*out = NULL;
	if (!f || fstat(fileno(f), &st))
		rc = bus_fail(err, BUS_EIO, "cannot read '%s': %m", path);
	else if (st.st_mode & 0137)
		rc = bus_fail(err, BUS_EINVAL, "'%s' holds credentials: chmod 640 '%s'", path, path);
	for (int number = 1; !rc && getline(&line, &room, f) >= 0; number++)
		rc = take_line(t, line, path, number, err);
	if (!rc && t->n == 0)
		rc = bus_fail(err, BUS_EPARSE, "'%s' names nobody: nothing could be posted", path);
	free(line);
	if (f)
		fclose(f);
	if (rc)
		adapter_tokens_free(&t);
	*out = t;
	return rc;
}

int adapter_tokens_find(const struct adapter_tokens *t, const char *authorization)
{
	uint8_t hash[BUS_SHA256_LEN];
	int found = -1;

	if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
		return -1;
	authorization += 7;
	authorization += strspn(authorization, " ");
	bus_sha256(authorization, strlen(authorization), hash);
	for (size_t i = 0; i < t->n; i++)
		if (bus_equal_secret(t->token[i].hash, hash, sizeof(hash)))
			found = (int)i;
	return found;
}

const char *adapter_tokens_name(const struct adapter_tokens *t, int who)
{
	return t->token[who].name;
}

bool adapter_tokens_may(const struct adapter_tokens *t, int who, const char *feed)
{
	char *word = bus_xasprintf(",%s,", feed);
	bool may = strcmp(t->token[who].feeds, ",*,") == 0 || strstr(t->token[who].feeds, word);

	free(word);
	return may;
}
