#include "adapters/office/work.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "adapters/office/problem.h"
#include "bus/log.h"

#define STORE_MS 5000
#define ROW_MEMORY ((size_t)8 * 1024 * 1024)
#define KEY_DIGITS 16

static void reply(struct bus_http_request *req, int status, struct bus_buf *body)
{
	bus_http_set(req, "Cache-Control", "no-store");
	bus_http_reply(req, status, "application/json", body);
}

/* ---- a page of rows ---- */

struct found {
	int64_t time_ms;
	char id[ADAPTER_REFUSAL_ID + 1];
	struct bus_buf json;
};

struct page {
	struct adapter_care *care;
	const struct adapter_ask *ask;
	struct found *row; /* by time, then id; at most limit */
	size_t n;
	bool more;
};

static int order_of(int64_t a_ms, const char *a, int64_t b_ms, const char *b)
{
	return a_ms != b_ms ? (a_ms < b_ms ? -1 : 1) : strcmp(a, b);
}

/* The log has partitions and rows that were acted on late: the page is made by time, of all that is read. */
static enum bus_err on_listed(void *ctx, const struct adapter_kept *k, struct bus_error *err)
{
	struct page *p = ctx;
	const size_t limit = (size_t)p->ask->args.limit;
	struct found f = { .time_ms = k->time_ms };
	struct bus_json_out j = { .buf = &f.json };
	size_t at = p->n;

	(void)err;
	snprintf(f.id, sizeof(f.id), "%.*s", (int)k->id.n, k->id.p);
	if (!adapter_care_chosen(p->care, k) ||
	    (p->ask->after_id[0] && order_of(f.time_ms, f.id, p->ask->after_ms, p->ask->after_id) <= 0))
		return BUS_OK;
	while (at > 0 && order_of(f.time_ms, f.id, p->row[at - 1].time_ms, p->row[at - 1].id) < 0)
		at--;
	p->more |= p->n == limit;
	if (at == limit)
		return BUS_OK;
	bus_json_object(&j);
	adapter_care_put_row(&j, k);
	bus_json_object_end(&j);
	if (p->n == limit)
		bus_buf_release(&p->row[--p->n].json);
	memmove(p->row + at + 1, p->row + at, (p->n - at) * sizeof(f));
	p->row[at] = f;
	p->n++;
	return BUS_OK;
}

static enum bus_err list(struct adapter_care *care, const struct adapter_office_job *job, struct bus_buf *out,
			 struct bus_error *err)
{
	struct page p = { .care = care, .ask = &job->ask };
	struct bus_json_out j = { .buf = out };
	char next[ADAPTER_REFUSAL_ID + 24] = "";
	enum bus_err rc;

	p.row = bus_xcalloc((size_t)job->ask.args.limit + 1, sizeof(*p.row));
	rc = adapter_care_scan(care, false, on_listed, &p, err);
	if (p.more)
		adapter_ask_after(p.row[p.n - 1].time_ms, p.row[p.n - 1].id, next);
	bus_json_object(&j);
	bus_json_key(&j, "rows");
	bus_json_array(&j);
	for (size_t i = 0; i < p.n; i++)
		bus_json_put_raw(&j, bus_buf_str(&p.row[i].json));
	bus_json_array_end(&j);
	bus_json_text_member(&j, "next", next[0] ? next : NULL);
	bus_json_object_end(&j);
	for (size_t i = 0; i < p.n; i++)
		bus_buf_release(&p.row[i].json);
	free(p.row);
	return rc;
}

/* ---- one row ---- */

struct looking {
	struct adapter_care *care;
	struct bus_json_out j;
	uint64_t n;
};

static void put_columns(struct bus_json_out *j, struct bus_str text, bool personal)
{
	struct bus_arena *arena = bus_arena_new(ROW_MEMORY);
	struct bus_json *tree = NULL;

	if (bus_json_parse(text, NULL, arena, &tree, NULL) != BUS_OK || tree->type != BUS_JSON_OBJECT)
		tree = NULL;
	bus_json_key(j, "columns");
	bus_json_array(j);
	for (const struct bus_json *v = tree ? tree->first : NULL; v; v = v->next) {
		struct bus_str value = adapter_cells_text(v);

		bus_json_object(j);
		bus_json_key(j, "name");
		bus_json_put_str(j, v->name);
		bus_json_bool_member(j, "filled", value.n > 0);
		if (personal) {
			bus_json_key(j, "value");
			bus_json_put_str(j, value);
		}
		bus_json_object_end(j);
	}
	bus_json_array_end(j);
	bus_arena_free(&arena);
}

static void put_sealed(struct looking *l, const struct adapter_kept *k)
{
	char aad[ADAPTER_REFUSAL_ID + 8];
	struct bus_buf plain = { 0 };
	const uint8_t *key = l->care->conf->opd_key;
	bool personal = l->care->args->personal;

	if (k->sealed_cells.n > 0 && key &&
	    bus_open(key, adapter_refusal_cells_aad(k->id, aad), k->sealed_cells, &plain, NULL) == BUS_OK)
		put_columns(&l->j, bus_buf_str(&plain), personal);
	bus_buf_reset(&plain);
	if (personal && k->sealed_row.n > 0 && key &&
	    bus_open(key, k->id, k->sealed_row, &plain, NULL) == BUS_OK) {
		bus_json_key(&l->j, "row");
		bus_json_put_str(&l->j, bus_buf_str(&plain));
	}
	if (plain.p)
		explicit_bzero(plain.p, plain.cap);
	bus_buf_release(&plain);
}

static enum bus_err on_shown(void *ctx, const struct adapter_kept *k, struct bus_error *err)
{
	struct looking *l = ctx;

	(void)err;
	if (!adapter_care_chosen(l->care, k))
		return BUS_OK;
	l->n++;
	bus_json_object(&l->j);
	adapter_care_put_row(&l->j, k);
	if (strcmp(l->care->args->verb, "show") == 0)
		put_sealed(l, k);
	bus_json_object_end(&l->j);
	return BUS_OK;
}

static enum bus_err look(struct adapter_care *care, struct bus_buf *out, struct bus_error *err)
{
	bool history = strcmp(care->args->verb, "history") == 0;
	struct looking l = { .care = care, .j = { .buf = out } };
	enum bus_err rc;

	if (history) {
		bus_json_object(&l.j);
		bus_json_key(&l.j, "history");
		bus_json_array(&l.j);
	}
	rc = adapter_care_scan(care, history, on_shown, &l, err);
	if (history) {
		bus_json_array_end(&l.j);
		bus_json_object_end(&l.j);
	}
	return rc || l.n > 0 ? rc : bus_fail(err, BUS_ENOENT, "no such row");
}

/* ---- orders ---- */

static bool find_order(const char *folder, const char *mark, char *name)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	bool found = false;

	while (dir && !found && (e = readdir(dir))) {
		const char *at = strstr(e->d_name, mark);

		found = e->d_name[0] != '.' && at && at > e->d_name && at[-1] == '-' &&
			adapter_order_is(e->d_name);
		if (found)
			snprintf(name, 256, "%s", e->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* The order that was given with this key, wherever it lies by now. rows -1: it is not whole. */
static bool given_before(const struct adapter_run_conf *conf, const char *mark, char *name, int64_t *rows)
{
	static const char *const place[] = { ".", "done", "refused" };
	char key[KEY_DIGITS + 2];
	struct bus_pseudonym *seal = bus_pseudonym_new(conf->env.city_key);
	struct adapter_order order;
	bool found = false;

	snprintf(key, sizeof(key), "%.*s-", KEY_DIGITS, mark);
	*rows = -1;
	for (size_t i = 0; i < BUS_LEN(place) && !found; i++) {
		struct adapter_order_reader *r = NULL;
		char *folder = bus_xasprintf("%s/%s", conf->drop.dir, place[i]);

		found = find_order(folder, key, name);
		for (size_t k = i; k < BUS_LEN(place) && found && *rows < 0; k++) {
			char *path = bus_xasprintf("%s/%s/%s", conf->drop.dir, place[k], name);

			if (adapter_order_open(path, seal, &r, &order, NULL) == BUS_OK)
				*rows = order.rows;
			adapter_order_close(&r);
			free(path);
		}
		free(folder);
	}
	bus_pseudonym_free(&seal);
	return found;
}

static void put_order(struct bus_buf *out, const char *verb, const char *name, int64_t rows)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	bus_json_text_member(&j, "what", verb);
	bus_json_text_member(&j, "order", name[0] ? name : NULL);
	bus_json_key(&j, "rows");
	if (rows < 0)
		bus_json_put_null(&j);
	else
		bus_json_put_int(&j, rows);
	bus_json_object_end(&j);
}

static void answer_order(struct bus_http_request *req, const char *verb, const char *name, int64_t rows)
{
	struct bus_buf body = { 0 };
	char *where = bus_xasprintf("/v1/orders/%s", name);

	put_order(&body, verb, name, rows);
	if (name[0])
		bus_http_set(req, "Location", where);
	free(where);
	reply(req, name[0] ? 202 : 200, &body);
}

/* ---- */

static void refuse(struct bus_http_request *req, enum bus_err rc, const struct bus_error *why)
{
	if (rc == BUS_EINVAL)
		adapter_office_problem(req, "body-invalid", why->text);
	else if (rc == BUS_ENOENT)
		adapter_office_problem(req, "row-unknown", NULL);
	else if (rc == BUS_ETOOBIG)
		adapter_office_problem(req, "rows-many", why->text);
	else if (rc == BUS_EDENIED)
		adapter_office_problem(req, "key-missing", NULL);
	else if (rc == BUS_EIO || rc == BUS_EFULL)
		adapter_office_problem(req, "disk-full", NULL);
	else
		adapter_office_problem(req, "kafka-away", NULL);
}

static enum bus_err give(struct adapter_care *care, const struct adapter_office_job *job,
			 struct bus_http_request *req, struct bus_error *err)
{
	char name[256];
	int64_t rows;
	enum bus_err rc;

	if (job->mark[0] && given_before(care->conf, job->mark, name, &rows)) {
		if (!strstr(name, job->mark)) {
			adapter_office_problem(req, "idempotency-other", NULL);
			return BUS_OK;
		}
		bus_http_set(req, "Idempotency-Replayed", "true");
	} else {
		rc = adapter_care_order(care, job->mark, &rows, name, err);
		if (rc)
			return rc;
	}
	answer_order(req, care->args->verb, name, rows);
	return BUS_OK;
}

void adapter_office_work(struct adapter_care *care, const struct adapter_office_job *job)
{
	struct bus_http_request *req = bus_http_ticket_request(job->ticket);
	const char *verb = job->ask.args.verb;
	struct bus_buf body = { 0 };
	struct bus_error why = { 0 };
	enum bus_err rc = BUS_OK;

	care->args = &job->ask.args;
	if (!care->store)
		rc = schema_store_open(&care->conf->kafka, care->conf->schemas_topic, STORE_MS, &care->store,
				       &why);
	if (rc) {
		refuse(req, BUS_EKAFKA, &why);
		return;
	}
	if (job->ask.args.personal)
		bus_log(BUS_LOG_AUDIT, "desk.personal_shown", LOG_STR("opd", care->conf->opd),
			LOG_STR("who", job->ask.args.who), LOG_STR("row", job->ask.args.operand[0]));
	if (strcmp(verb, "list") == 0)
		rc = list(care, job, &body, &why);
	else if (strcmp(verb, "show") == 0 || strcmp(verb, "history") == 0)
		rc = look(care, &body, &why);
	else
		rc = give(care, job, req, &why);
	if (rc)
		refuse(req, rc, &why);
	if (bus_err_retriable(rc) || bus_err_fatal(rc))
		schema_store_close(&care->store); /* and with the next question anew */
	if (!rc && body.n > 0)
		reply(req, 200, &body);
	bus_buf_release(&body);
	care->args = NULL;
}
