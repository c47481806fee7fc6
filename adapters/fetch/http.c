/* The rows of an address that answers in JSON, page by page, as JSON lines; or its answer in XML, as it is. Options:
 * adapters/README.md, docs/xml.md. */
#include <stdio.h>
#include <strings.h>
#include <time.h>

#include "adapters/fetch/kind.h"
#include "adapters/fetch/oauth.h"
#include "adapters/fetch/paging.h"
#include "adapters/fetch/since.h"
#include "adapters/fetch/soap.h"
#include "adapters/source.h"
#include "bus/client.h"
#include "bus/clock.h"
#include "bus/conf.h"
#include "bus/json_out.h"
#include "bus/secret.h"

#define CALL_MS 60000
#define PAGE_MAX ((size_t)32 * 1024 * 1024)
#define MOST_MB 2048		     /* of a fetch, unless max_mb says more */
#define TRIES 4			     /* of a page that fails with 5xx or a broken connection */
#define WAIT_FIRST_MS 500	     /* doubled from try to try */
#define WAIT_MAX_MS (15 * 60 * 1000) /* the longest Retry-After that is obeyed within a fetch */
#define HEADERS_MAX 16
#define LINK_MAX 4096
#define BODY_MAX ((size_t)1024 * 1024)

struct http {
	const char *url, *rows, *total;
	const char *body_file, *type; /* of what is posted; NULL: nothing is */
	bool xml;		      /* the answer is kept as it is */
	struct bus_client_conf client_conf;
	const char *key_header, *key_file;
	char *header[HEADERS_MAX + 1]; /* from the mapping */
	size_t n_headers;
	bool by_oauth, by_mark;
	struct adapter_oauth oauth;
	struct adapter_since since;
	struct adapter_paging paging;
	int64_t pause_ms, max_mb;
	const atomic_bool *stop;
	/* of the run */
	struct bus_client *client;
	struct bus_client_header etag, after;
	struct bus_buf link, body, url_now, url_next, line, ask;
	char fault[ADAPTER_FAULT_MAX]; /* of the last answer; "": none */
	uint64_t said;		       /* total of the first page; UINT64_MAX: not said */
};

static void http_close(void *fetch)
{
	struct http *h = fetch;

	for (size_t i = 0; i < h->n_headers; i++)
		free(h->header[i]);
	adapter_oauth_release(&h->oauth);
	adapter_paging_release(&h->paging);
	bus_buf_release(&h->link);
	bus_buf_release(&h->body);
	bus_buf_release(&h->url_now);
	bus_buf_release(&h->url_next);
	bus_buf_release(&h->line);
	bus_buf_release(&h->ask);
	free(h);
}

/* --- options ----------------------------------------------------------------------------------------- */

static enum bus_err read_headers(struct http *h, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				 struct bus_error *err)
{
	struct bus_yaml_node *map = bus_yaml_get(conf, "headers");

	if (!map)
		return BUS_OK;
	if (map->kind != BUS_YAML_MAP || bus_yaml_count(map) > HEADERS_MAX - 2)
		return bus_yaml_fail(yaml, map, err, "headers: up to %d names with a text each",
				     HEADERS_MAX - 2);
	for (struct bus_yaml_node *n = map->first; n; n = n->next) {
		n->asked = true;
		if (n->kind != BUS_YAML_SCALAR || strpbrk(n->key, ":\r\n ") || strpbrk(n->text, "\r\n"))
			return bus_yaml_fail(yaml, n, err, "'%s' cannot be a header", n->key);
		if (strcasecmp(n->key, "Authorization") == 0)
			return bus_yaml_fail(
			    yaml, n, err,
			    "a secret does not belong here: use user, token_file, key or oauth2");
		h->header[h->n_headers++] = bus_xasprintf("%s: %s", n->key, n->text);
	}
	return BUS_OK;
}

static enum bus_err read_secrets(struct http *h, struct bus_yaml *yaml, struct bus_yaml_node *conf,
				 struct bus_error *err)
{
	static const char *const names[] = {
		"ca", "certificate", "key", "user", "password_file", "token_file"
	};
	const char **at[] = {
		&h->client_conf.ca,   &h->client_conf.certificate,   &h->client_conf.key,
		&h->client_conf.user, &h->client_conf.password_file, &h->client_conf.token_file
	};
	struct bus_yaml_node *key = bus_yaml_get(conf, "api_key"), *oauth = bus_yaml_get(conf, "oauth2");
	enum bus_err rc = BUS_OK;

	for (size_t i = 0; !rc && i < BUS_LEN(names); i++)
		rc = adapter_source_word(yaml, conf, names[i], false, at[i], err);
	if (!rc)
		rc = bus_yaml_bool(yaml, conf, "insecure", false, &h->client_conf.insecure, err);
	if (!rc && key) {
		if (key->kind != BUS_YAML_MAP)
			return bus_yaml_fail(yaml, key, err, "write api_key: {header: X-API-Key, file: ...}");
		rc = adapter_source_word(yaml, key, "header", true, &h->key_header, err);
		if (!rc)
			rc = adapter_source_word(yaml, key, "file", true, &h->key_file, err);
		if (!rc)
			rc = bus_yaml_no_more(yaml, key, err);
	}
	h->by_oauth = oauth != NULL;
	h->oauth.conf =
	    (struct bus_client_conf){ .ca = h->client_conf.ca, .insecure = h->client_conf.insecure };
	if (!rc && oauth)
		rc = adapter_oauth_read(&h->oauth, yaml, oauth, err);
	if (!rc && (h->client_conf.user != NULL) + (h->client_conf.token_file != NULL) + h->by_oauth > 1)
		rc = bus_yaml_fail(yaml, conf, err, "one of user, token_file and oauth2, not several");
	return rc;
}

static enum bus_err read_where(struct http *h, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			       bool complete, struct bus_error *err)
{
	struct bus_yaml_node *mark = bus_yaml_get(conf, "mark");
	struct bus_buf whole = { 0 };
	bool same;
	enum bus_err rc = adapter_source_word(yaml, conf, "url", true, &h->url, err);

	if (rc)
		return rc;
	h->by_mark = mark != NULL;
	if (bus_client_resolve(h->url, "", &whole, &same, NULL))
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "url"), err,
				   "url: an address with https:// or http://");
	bus_buf_release(&whole);
	if (!rc && mark)
		rc = adapter_since_read(&h->since, yaml, mark, err);
	if (!rc && mark && complete)
		rc = bus_yaml_fail(
		    yaml, mark, err,
		    "what came since a mark is not the whole register: leave out `mark`, or `complete`");
	if (!rc && (mark != NULL) != (strstr(h->url, "{since}") != NULL))
		rc = bus_yaml_fail(yaml, mark ? mark : bus_yaml_get(conf, "url"), err,
				   "`mark` and a {since} in the url belong together: ...?since={since}");
	return rc;
}

static enum bus_err read_form(struct http *h, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			      struct bus_error *err)
{
	const char *answer = "json";
	enum bus_err rc = adapter_source_word(yaml, conf, "answer", false, &answer, err);

	if (!rc && strcmp(answer, "json") != 0 && strcmp(answer, "xml") != 0)
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "answer"), err, "answer: json or xml");
	h->xml = strcmp(answer, "xml") == 0;
	if (!rc && h->xml && (h->rows || h->total || h->by_mark || h->paging.by != ADAPTER_PAGE_ONE))
		rc = bus_yaml_fail(
		    yaml, bus_yaml_get(conf, "answer"), err,
		    "of an answer in XML there is one page, and its rows are named under source: "
		    "without rows, total, page and mark here");
	if (!rc)
		rc = adapter_source_word(yaml, conf, "body_file", false, &h->body_file, err);
	h->type = h->xml ? "text/xml; charset=utf-8" : "application/json";
	if (!rc)
		rc = adapter_source_word(yaml, conf, "type", false, &h->type, err);
	return rc;
}

static enum bus_err http_open(struct bus_yaml *yaml, struct bus_yaml_node *conf, bool complete,
			      const atomic_bool *stop, void **fetch, struct bus_error *err)
{
	struct http *h = bus_xcalloc(1, sizeof(*h));
	const char *pause = NULL;
	struct bus_error why;
	enum bus_err rc;

	*fetch = NULL;
	h->stop = stop;
	h->etag.name = "ETag";
	h->after.name = "Retry-After";
	h->max_mb = MOST_MB;
	if ((rc = read_where(h, yaml, conf, complete, err)) == BUS_OK &&
	    (rc = adapter_source_word(yaml, conf, "rows", false, &h->rows, err)) == BUS_OK &&
	    (rc = adapter_source_word(yaml, conf, "total", false, &h->total, err)) == BUS_OK &&
	    (rc = adapter_source_word(yaml, conf, "pause", false, &pause, err)) == BUS_OK &&
	    (rc = bus_yaml_int(yaml, conf, "max_mb", false, 1, 1024 * 1024, &h->max_mb, err)) == BUS_OK &&
	    (rc = adapter_paging_read(&h->paging, yaml, bus_yaml_get(conf, "page"), err)) == BUS_OK &&
	    (rc = read_form(h, yaml, conf, err)) == BUS_OK &&
	    (rc = read_headers(h, yaml, conf, err)) == BUS_OK &&
	    (rc = read_secrets(h, yaml, conf, err)) == BUS_OK)
		rc = bus_yaml_no_more(yaml, conf, err);
	if (!rc && pause && (bus_conf_ms(pause, &h->pause_ms, &why) || h->pause_ms > 60000))
		rc = bus_yaml_fail(yaml, bus_yaml_get(conf, "pause"), err,
				   "pause: up to 60s between two pages, such as 200ms");
	if (rc) {
		http_close(h);
		return rc;
	}
	*fetch = h;
	return BUS_OK;
}

/* --- one page ---------------------------------------------------------------------------------------- */

static bool go_on(void *ctx)
{
	const struct http *h = ctx;

	return !atomic_load(h->stop);
}

static enum bus_err rest(const struct http *h, int64_t ms, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + ms;

	while (bus_clock_mono_ms() < until) {
		if (atomic_load(h->stop))
			return bus_fail(err, BUS_ESTOPPED, "stopped");
		nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
	}
	return BUS_OK;
}

static void hear(void *ctx, const char *line, size_t n)
{
	struct http *h = ctx;

	while (n > 0 && (line[n - 1] == '\r' || line[n - 1] == '\n'))
		n--;
	if (n > 5 && strncasecmp(line, "HTTP/", 5) == 0)
		bus_buf_reset(&h->link); /* another answer begins (100 Continue) */
	if (n <= 5 || strncasecmp(line, "Link:", 5) != 0 || h->link.n + n > LINK_MAX)
		return;
	if (h->link.n > 0)
		bus_buf_puts(&h->link, ", "); /* several lines are one list (RFC 9110, 5.3) */
	bus_buf_put(&h->link, line + 5, n - 5);
}

static enum bus_err take(void *ctx, int status, const void *p, size_t n, struct bus_error *err)
{
	struct http *h = ctx;

	(void)status;
	if (h->body.n + n > PAGE_MAX)
		return bus_fail(err, BUS_ETOOBIG, "a page is over %zu MiB: ask for smaller ones (limit=...)",
				PAGE_MAX >> 20);
	bus_buf_put(&h->body, p, n);
	return BUS_OK;
}

/* The secret's header line, appended to lines; freed by the caller. */
static enum bus_err add_secret(struct http *h, struct bus_buf *line, struct bus_error *err)
{
	if (h->by_oauth) {
		bus_buf_puts(line, "Authorization: Bearer ");
		return adapter_oauth_token(&h->oauth, go_on, h, line, err);
	}
	if (!h->key_header)
		return BUS_OK;
	bus_buf_printf(line, "%s: ", h->key_header);
	return bus_secret_load(h->key_file, line, err);
}

static enum bus_err call(struct http *h, const char *etag, int *status, struct bus_error *err)
{
	const char *header[HEADERS_MAX + 4];
	struct bus_client_header want[2] = { { .name = "ETag" }, { .name = "Retry-After" } };
	struct bus_buf secret = { 0 }, answer = { 0 };
	char *match = etag ? bus_xasprintf("If-None-Match: %s", etag) : NULL;
	size_t n = 0;
	enum bus_err rc = add_secret(h, &secret, err);
	struct bus_client_call c = { .method = h->body_file ? "POST" : "GET",
				     .url = bus_buf_cstr(&h->url_now),
				     .type = h->body_file ? h->type : NULL,
				     .body = bus_buf_str(&h->ask),
				     .header = header,
				     .timeout_ms = CALL_MS,
				     .go_on = go_on,
				     .ctx = h,
				     .want = want,
				     .n_want = 2,
				     .heard = hear,
				     .heard_ctx = h,
				     .take = take,
				     .take_ctx = h };

	for (size_t i = 0; i < h->n_headers; i++)
		header[n++] = h->header[i];
	header[n++] =
	    h->xml ? "Accept: text/xml, application/soap+xml, application/xml" : "Accept: application/json";
	if (secret.n > 0)
		header[n++] = bus_buf_cstr(&secret);
	if (match)
		header[n++] = match;
	header[n] = NULL;
	bus_buf_reset(&h->body);
	bus_buf_reset(&h->link);
	if (!rc && secret.n > 0 && !h->client_conf.insecure && !bus_client_guarded(c.url))
		rc = bus_fail(err, BUS_EDENIED,
			      "will not send a secret to another machine without TLS; use https, or say "
			      "insecure: true");
	if (!rc)
		rc = bus_client_call(h->client, &c, status, &answer, err);
	h->fault[0] = '\0';
	if (!rc && h->xml && *status / 100 != 2 && adapter_soap_fault(bus_buf_str(&answer), h->fault, NULL))
		h->fault[0] = '\0'; /* a page for people */
	h->etag = want[0];
	h->after = want[1];
	bus_secret_release(&secret);
	bus_buf_release(&answer);
	free(match);
	return rc;
}

/* Seconds; the form with a date is rare, and its wait is taken for none. */
static int64_t retry_after_ms(const struct http *h)
{
	int64_t s = 0;

	for (const char *p = h->after.value; *p >= '0' && *p <= '9' && s < WAIT_MAX_MS; p++)
		s = s * 10 + (*p - '0');
	return s * 1000;
}

static enum bus_err refused(int status, struct bus_error *err)
{
	const char *remedy =
	    status == 401 || status == 403 ? "; look at the user, token or key and what it may read"
	    : status == 404		   ? "; look at the url"
	    : status / 100 == 3		   ? "; it leads elsewhere: put the new address into the mapping"
					   : "";

	return bus_fail(err, status == 401 || status == 403 ? BUS_EDENIED : BUS_EIO,
			"the server answers %d%s", status, remedy);
}

/* The page at url_now, tried again while that may help. *status 200 or 304. */
static enum bus_err get(struct http *h, const char *etag, int *status, struct bus_error *err)
{
	int64_t wait = WAIT_FIRST_MS;
	bool renewed = false;
	enum bus_err rc;

	for (int left = TRIES;;) {
		int64_t ms = wait;

		rc = call(h, etag, status, err);
		if (rc == BUS_ESTOPPED || (rc && !bus_err_retriable(rc)))
			return rc;
		if (!rc && (*status == 200 || (*status == 304 && etag)))
			return BUS_OK;
		if (!rc && *status == 401 && h->by_oauth && !renewed) {
			adapter_oauth_forget(&h->oauth); /* it may have been withdrawn */
			renewed = true;
			continue;
		}
		if (!rc &&
		    h->fault
			[0]) /* by SOAP 1.1 with 500, whatever it is; asking at once again does not mend it */
			return bus_fail(err, BUS_EDATA, "SOAP Fault (%d): %s", *status, h->fault);
		if (!rc && *status != 429 && *status / 100 != 5)
			return refused(*status, err);
		if (!rc && retry_after_ms(h) > ms)
			ms = retry_after_ms(h);
		if (--left == 0 || ms > WAIT_MAX_MS)
			return rc ? rc : refused(*status, err);
		if (rest(h, ms, err))
			return BUS_ESTOPPED;
		wait *= 2;
	}
}

/* --- its rows ---------------------------------------------------------------------------------------- */

static enum bus_err see_mark(struct http *h, const struct bus_json *row, struct bus_error *err)
{
	const struct bus_json *v = adapter_json_at(row, h->since.column);

	if (v && (v->type == BUS_JSON_STRING || v->type == BUS_JSON_NUMBER))
		return adapter_since_see(&h->since, v->text, err);
	return BUS_OK; /* a row without it is mapped, or refused, like any other */
}

static enum bus_err put_rows(struct http *h, const struct bus_json *rows, struct adapter_haul *out,
			     struct bus_error *err)
{
	enum bus_err rc = BUS_OK;

	for (const struct bus_json *row = rows->first; row && !rc; row = row->next) {
		struct bus_json_out j = { .buf = &h->line };

		bus_buf_reset(&h->line);
		bus_json_put_tree(&j, row);
		bus_buf_putc(&h->line, '\n');
		adapter_haul_row(out);
		rc = adapter_haul_put(out, bus_buf_str(&h->line), err);
		if (!rc && h->by_mark)
			rc = see_mark(h, row, err);
	}
	return rc;
}

/* A set that grows or shrinks while it is paged through by number loses rows or gives them twice. */
static enum bus_err check_total(struct http *h, const struct bus_json *body, struct bus_error *err)
{
	int64_t n = 0;

	if (!h->total)
		return BUS_OK;
	if (bus_json_int(adapter_json_at(body, h->total), &n) || n < 0)
		return bus_fail(err, BUS_EDATA, "total: '%s' in the page is no number", h->total);
	if (h->said != UINT64_MAX && h->said != (uint64_t)n)
		return bus_fail(err, BUS_ECONFLICT,
				"the set changed while it was read: %llu rows, then %lld; it is fetched anew",
				(unsigned long long)h->said, (long long)n);
	h->said = (uint64_t)n;
	return BUS_OK;
}

static enum bus_err take_document(struct http *h, struct adapter_haul *out, struct bus_error *err)
{
	struct bus_error why;

	if (adapter_soap_fault(bus_buf_str(&h->body), h->fault, &why))
		return bus_fail(err, BUS_EDATA, "the answer is not XML: %.200s", why.text);
	if (h->fault[0])
		return bus_fail(err, BUS_EDATA, "SOAP Fault: %s", h->fault);
	adapter_haul_end_in(out, ".xml");
	adapter_haul_row(out);
	return adapter_haul_put(out, bus_buf_str(&h->body), err);
}

static enum bus_err take_page(struct http *h, struct adapter_haul *out, struct bus_error *err)
{
	struct bus_arena *arena = bus_arena_new(8 * PAGE_MAX);
	struct bus_json *body;
	const struct bus_json *rows = NULL;
	struct bus_error why;
	enum bus_err rc = bus_json_parse(bus_buf_str(&h->body), NULL, arena, &body, &why);

	if (rc) {
		rc = bus_fail(err, BUS_EDATA, "the page is not JSON: %.200s", why.text);
	} else {
		rows = h->rows ? adapter_json_at(body, h->rows) : body;
		if (!rows || rows->type != BUS_JSON_ARRAY)
			rc = bus_fail(err, BUS_EDATA, "rows: %s is no list%s", h->rows ? h->rows : "the page",
				      h->rows ? "" : "; name where it stands, such as rows: data");
	}
	if (!rc)
		rc = put_rows(h, rows, out, err);
	/* There is always a next page: the server counts wrong, or means to fill the disk. */
	if (!rc && adapter_haul_bytes(out) >> 20 >= (uint64_t)h->max_mb)
		rc = bus_fail(err, BUS_ETOOBIG,
			      "over %lld MiB in one fetch, and no end: look at the paging, or give max_mb",
			      (long long)h->max_mb);
	if (!rc)
		rc = check_total(h, body, err);
	if (!rc) {
		const struct adapter_page page = { .url = bus_buf_cstr(&h->url_now),
						   .link = bus_buf_str(&h->link),
						   .body = body,
						   .rows = rows->n };

		rc = adapter_paging_next(&h->paging, &page, &h->url_next, err);
	}
	bus_arena_free(&arena);
	return rc;
}

/* --- a run ------------------------------------------------------------------------------------------- */

static void fill_since(const char *url, const char *since, struct bus_buf *out)
{
	const char *at = strstr(url, "{since}");

	bus_buf_put(out, url, (size_t)(at - url));
	for (const char *p = since; *p; p++) {
		if (*p == ' ')
			bus_buf_putc(out, 'T');
		else if (*p == ':')
			bus_buf_puts(out, "%3A");
		else
			bus_buf_putc(out, *p);
	}
	bus_buf_puts(out, at + 7);
}

/* What is posted, read anew each time. */
static enum bus_err read_ask(struct http *h, struct bus_error *err)
{
	FILE *fp = h->body_file ? fopen(h->body_file, "re") : NULL;
	enum bus_err rc = BUS_OK;

	bus_buf_reset(&h->ask);
	if (!h->body_file)
		return BUS_OK;
	if (!fp)
		return bus_fail(err, BUS_EINVAL, "cannot open '%s': %m", h->body_file);
	bus_buf_reserve(&h->ask, BODY_MAX + 1);
	h->ask.n = fread(h->ask.p, 1, BODY_MAX + 1, fp);
	if (ferror(fp))
		rc = bus_fail(err, BUS_EIO, "cannot read '%s': %m", h->body_file);
	else if (h->ask.n > BODY_MAX)
		rc = bus_fail(err, BUS_ETOOBIG, "'%s' is over 1 MiB", h->body_file);
	fclose(fp);
	return rc;
}

static enum bus_err begin(struct http *h, struct bus_str mark, struct bus_error *err)
{
	char since[ADAPTER_SINCE_MAX] = "";
	struct bus_buf base = { 0 };
	enum bus_err rc = read_ask(h, err);

	if (!rc && h->by_mark)
		rc = adapter_since_begin(&h->since, mark, since, err);
	if (!rc && h->by_mark)
		fill_since(h->url, since, &base);
	else if (!rc)
		bus_buf_puts(&base, h->url);
	if (!rc)
		rc = adapter_paging_begin(&h->paging, bus_buf_cstr(&base), &h->url_now, err);
	h->said = UINT64_MAX;
	bus_buf_release(&base);
	return rc;
}

static void step(struct http *h)
{
	struct bus_buf was = h->url_now;

	h->url_now = h->url_next;
	h->url_next = was;
	bus_buf_reset(&h->url_next);
}

static enum bus_err read_pages(struct http *h, struct bus_str mark, struct adapter_haul *out,
			       struct bus_error *err)
{
	/* Only an address that is one page says by its ETag that nothing at all has changed. */
	bool by_etag = !h->by_mark && h->paging.by == ADAPTER_PAGE_ONE;
	char *etag = by_etag && mark.n > 0 ? bus_xasprintf("%.*s", (int)mark.n, mark.p) : NULL;
	int status = 0;
	enum bus_err rc = begin(h, mark, err);

	while (!rc) {
		rc = get(h, etag, &status, err);
		if (!rc && status == 304)
			break;
		if (!rc)
			rc = h->xml ? take_document(h, out, err) : take_page(h, out, err);
		if (rc || h->url_next.n == 0)
			break;
		step(h);
		if (h->pause_ms)
			rc = rest(h, h->pause_ms, err);
	}
	free(etag);
	if (rc || status == 304)
		return rc;
	if (h->said != UINT64_MAX && h->said != adapter_haul_rows(out))
		return bus_fail(err, BUS_ECONFLICT,
				"the server says %llu rows and gave %llu: the set changed while it was read, "
				"or a page is missing",
				(unsigned long long)h->said, (unsigned long long)adapter_haul_rows(out));
	if (h->by_mark)
		adapter_haul_mark(out, adapter_since_mark(&h->since));
	else if (by_etag)
		adapter_haul_mark(out, bus_str(h->etag.value));
	return BUS_OK;
}

static enum bus_err http_run(void *fetch, struct bus_str mark, struct adapter_haul *out,
			     struct bus_error *err)
{
	struct http *h = fetch;
	enum bus_err rc = bus_client_open(&h->client_conf, &h->client, err);

	if (!rc)
		rc = read_pages(h, mark, out, err);
	bus_client_close(&h->client);
	return rc;
}

const struct adapter_fetch_kind adapter_fetch_http = {
	.name = "http",
	.ending = ".jsonl",
	.open = http_open,
	.run = http_run,
	.close = http_close,
};
