/* A connection's beginning: the server, what it must be, our functions, who may read. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bus/clock.h"
#include "bus/log.h"
#include "gateway/store/hash.h"
#include "gateway/store/pg_impl.h"

#define PREFIX "postgres:"
#define LOCK "7521962890153812" /* pg_advisory_lock: of the one writer */
#define LOCK_MS 15000		/* a writer that was killed lets go once the server sees it */
#define OLDEST 150000

extern const char gw_pg_functions[]; /* pg_functions.sql, ended */

bool gw_pg_is(const char *path)
{
	return strncmp(path, PREFIX, strlen(PREFIX)) == 0;
}

bool gw_pg_asks_shadow(const char *sql)
{
	sql += strspn(sql, " \t\r\n");
	return strstr(sql, "sqlite_schema") || strstr(sql, "pragma_") || strncmp(sql, "EXPLAIN", 7) == 0 ||
	       strncmp(sql, "PRAGMA", 6) == 0;
}

static enum bus_err ask(struct gw_pg *pg, const char *sql, char *out, size_t n, struct bus_error *err)
{
	PGresult *res = NULL;
	enum bus_err rc = gw_pg_send_text(pg, sql, &res, err);

	if (rc == BUS_OK)
		snprintf(out, n, "%s", PQntuples(res) > 0 ? PQgetvalue(res, 0, 0) : "");
	PQclear(res);
	return rc;
}

/* What a SELECT of somebody's must never reach through us: other roles, other rows, the server's files and programs. Roles
 * that it could become count as its own. */
static enum bus_err check_powers(struct gw_pg *pg, const char *option, const char *role,
				 struct bus_error *err)
{
	char text[200], sql[1000];
	char *quoted = PQescapeLiteral(pg->conn, role, strlen(role));
	enum bus_err rc;

	snprintf(
	    sql, sizeof(sql),
	    "SELECT coalesce(string_agg(CASE WHEN rolsuper THEN 'superuser ' WHEN rolbypassrls THEN "
	    "'BYPASSRLS ' "
	    "WHEN rolcreaterole THEN 'CREATEROLE ' WHEN rolreplication THEN 'REPLICATION ' ELSE '' END || "
	    "rolname, ', '), '') "
	    "FROM pg_roles WHERE (rolsuper OR rolbypassrls OR rolcreaterole OR rolreplication OR rolname IN "
	    "('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files', "
	    "'pg_read_all_data', "
	    "'pg_write_all_data')) AND pg_has_role(%s, oid, 'MEMBER')",
	    quoted);
	PQfreemem(quoted);
	rc = ask(pg, sql, text, sizeof(text), err);
	if (rc == BUS_OK && text[0])
		rc = bus_fail(
		    err, BUS_EINVAL,
		    "%s: '%s' may do too much (%s): it must be no superuser, without BYPASSRLS, CREATEROLE, "
		    "REPLICATION, and a member of no role that reads or writes everything, files or programs",
		    option, role, text);
	return rc;
}

static enum bus_err check_server(struct gw_pg *pg, struct bus_error *err)
{
	char text[100];
	enum bus_err rc;

	if (PQserverVersion(pg->conn) < OLDEST)
		return bus_fail(err, BUS_EINVAL, "store.postgres: the server is %d; it must be 15 or newer",
				PQserverVersion(pg->conn) / 10000);
	rc = ask(pg,
		 "SELECT pg_encoding_to_char(encoding) || ' ' || datcollate || ' ' || datctype || ' ' || "
		 "datlocprovider::text FROM pg_database "
		 "WHERE datname = current_database()",
		 text, sizeof(text), err);
	if (rc == BUS_OK && strcmp(text, "UTF8 C C c") != 0)
		rc = bus_fail(err, BUS_EINVAL,
			      "store.postgres: the database is '%s'; text must compare by its bytes: CREATE "
			      "DATABASE ... TEMPLATE "
			      "template0 ENCODING 'UTF8' LOCALE 'C'",
			      text);
	if (rc == BUS_OK)
		rc = ask(pg, "SELECT current_user", text, sizeof(text), err);
	return rc == BUS_OK ? check_powers(pg, "postgres.conninfo", text, err) : rc;
}

static enum bus_err lock(struct gw_pg *pg, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + LOCK_MS;
	char text[10] = "";
	enum bus_err rc;

	for (;;) {
		rc = ask(pg, "SELECT pg_try_advisory_lock(" LOCK ")", text, sizeof(text), err);
		if (rc != BUS_OK || text[0] == 't')
			return rc;
		if (bus_clock_mono_ms() > until)
			return bus_fail(err, BUS_EDB,
					"store.postgres: another gateway writes to this database");
		usleep(100000);
	}
}

static enum bus_err install(struct gw_pg *pg, struct bus_error *err)
{
	static const struct gw_hash_key key = { 1, 2 };
	char want[40], there[40], sql[1000];
	char *role;
	enum bus_err rc;

	rc = gw_pg_send_text(
	    pg,
	    "SET client_min_messages = warning; CREATE SCHEMA IF NOT EXISTS " GW_PG_SCHEMA ";"
	    "CREATE TABLE IF NOT EXISTS " GW_PG_SCHEMA
	    "._titian(one boolean PRIMARY KEY, functions text, version bigint, "
	    "definitions text);"
	    "INSERT INTO " GW_PG_SCHEMA "._titian VALUES (true, '', 0, '') ON CONFLICT DO NOTHING",
	    NULL, err);
	snprintf(want, sizeof(want), "%016llx",
		 (unsigned long long)gw_hash(key, gw_pg_functions, strlen(gw_pg_functions)));
	if (rc == BUS_OK)
		rc = ask(pg, "SELECT functions FROM " GW_PG_SCHEMA "._titian", there, sizeof(there), err);
	if (rc == BUS_OK && strcmp(want, there) != 0) {
		rc = gw_pg_send_text(pg, gw_pg_functions, NULL, err);
		snprintf(sql, sizeof(sql), "UPDATE " GW_PG_SCHEMA "._titian SET functions = '%s'", want);
		if (rc == BUS_OK)
			rc = gw_pg_send_text(pg, sql, NULL, err);
	}
	if (rc != BUS_OK)
		return rc;
	role = PQescapeIdentifier(pg->conn, pg->role, strlen(pg->role));
	snprintf(sql, sizeof(sql),
		 "GRANT USAGE ON SCHEMA " GW_PG_SCHEMA
		 " TO %s; GRANT SELECT ON ALL TABLES IN SCHEMA " GW_PG_SCHEMA " TO %s;"
		 "ALTER DEFAULT PRIVILEGES IN SCHEMA " GW_PG_SCHEMA " GRANT SELECT ON TABLES TO %s",
		 role, role, role);
	PQfreemem(role);
	return gw_pg_send_text(pg, sql, NULL, err);
}

/* The role may read and nothing more: whatever else it is granted by hand ends the start. */
static enum bus_err check_role(struct gw_pg *pg, struct bus_error *err)
{
	char text[10], sql[600];
	char *role = PQescapeLiteral(pg->conn, pg->role, strlen(pg->role));
	enum bus_err rc;

	snprintf(sql, sizeof(sql),
		 "SELECT rolcreatedb OR rolname = current_user OR "
		 "has_schema_privilege(oid, '" GW_PG_SCHEMA
		 "', 'CREATE') OR has_table_privilege(oid, '" GW_PG_SCHEMA
		 "._titian', 'INSERT') FROM pg_roles WHERE rolname = %s",
		 role);
	PQfreemem(role);
	rc = ask(pg, sql, text, sizeof(text), err);
	if (rc == BUS_OK && text[0] != 'f')
		rc = bus_fail(err, BUS_EINVAL, "postgres.reader: the role '%s' %s", pg->role,
			      text[0] == 't'
				  ? "may do more than read"
				  : "is not there: CREATE ROLE, and GRANT it to the gateway's user");
	return rc == BUS_OK ? check_powers(pg, "postgres.reader", pg->role, err) : rc;
}

static enum bus_err begin_reader(struct gw_pg *pg, struct bus_error *err)
{
	char *role = PQescapeIdentifier(pg->conn, pg->role, strlen(pg->role));
	char sql[400];
	enum bus_err rc;

	snprintf(sql, sizeof(sql),
		 "SET ROLE %s; SET default_transaction_read_only = on; SET statement_timeout = 60000", role);
	PQfreemem(role);
	rc = gw_pg_send_text(pg, sql, NULL, err);
	pg->version = -1;
	return rc == BUS_OK ? gw_pg_refresh(pg, err) : rc;
}

static enum bus_err begin_writer(struct gw_pg *pg, struct bus_error *err)
{
	PGresult *res = NULL;
	enum bus_err rc = check_server(pg, err);

	if (rc == BUS_OK)
		rc = lock(pg, err);
	if (rc == BUS_OK)
		rc = install(pg, err);
	if (rc == BUS_OK)
		rc = check_role(pg, err);
	if (rc == BUS_OK)
		rc = gw_pg_send_text(pg, "SELECT version, definitions FROM " GW_PG_SCHEMA "._titian", &res,
				     err);
	if (rc == BUS_OK) {
		rc = pg->shadow.load(pg->shadow.ctx, PQgetvalue(res, 0, 1), err);
		pg->version = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	}
	PQclear(res);
	return rc;
}

static void on_notice(void *ctx, const PGresult *res)
{
	(void)ctx;
	(void)res; /* "does not exist, skipping" and its like */
}

enum bus_err gw_pg_connect(struct gw_pg *pg, struct bus_error *err)
{
	/* Plans made once serve all values: keys are random. What can go over an index does, before there are statistics
	 * too: definitions were held to that. Numbers in full. A server that went away without a word is missed within 15 s;
	 * what stands behind dbname takes the conninfo's place. */
	const struct {
		const char *name, *value;
	} set[] = {
		{ "connect_timeout", "5" },
		{ "keepalives_idle", "5" },
		{ "keepalives_interval", "3" },
		{ "keepalives_count", "3" },
		{ "tcp_user_timeout", "15000" },
		{ "dbname", pg->conninfo },
		{ "application_name", "titian-gateway" },
		{ "client_encoding", "UTF8" },
		{ "options",
		  "-c search_path=" GW_PG_SCHEMA
		  " -c jit=off -c enable_seqscan=off -c plan_cache_mode=force_generic_plan "
		  "-c extra_float_digits=1 -c standard_conforming_strings=on -c bytea_output=hex "
		  "-c max_parallel_workers_per_gather=0 -c synchronous_commit=on -c TimeZone=UTC" },
	};
	const char *name[BUS_LEN(set) + 1] = { NULL }, *value[BUS_LEN(set) + 1] = { NULL };
	enum bus_err rc;

	for (size_t i = 0; i < BUS_LEN(set); i++) {
		name[i] = set[i].name;
		value[i] = set[i].value;
	}
	pthread_mutex_lock(&pg->lock);
	gw_pg_cancel_unref(&pg->cancel);
	pthread_mutex_unlock(&pg->lock);
	PQfinish(pg->conn);
	pg->queued = 0;
	pg->connections++;
	pg->lost = false;
	pg->moment_sent = -1;
	atomic_store(&pg->given_up_ms, 0);
	pg->conn = PQconnectdbParams(name, value, 1);
	if (PQstatus(pg->conn) != CONNECTION_OK)
		return bus_fail(err, BUS_EIO, "cannot reach PostgreSQL: %s", PQerrorMessage(pg->conn));
	PQsetNoticeReceiver(pg->conn, on_notice, NULL);
	pthread_mutex_lock(&pg->lock);
	pg->cancel = gw_pg_cancel_new(pg->conn);
	pthread_mutex_unlock(&pg->lock);
	rc = pg->mode == GW_DB_WRITER ? begin_writer(pg, err) : begin_reader(pg, err);
	if (rc != BUS_OK) { /* half made is not made */
		PQfinish(pg->conn);
		pg->conn = NULL;
	}
	return rc;
}

/* postgres:ROLE:CONNINFO */
static enum bus_err read_path(struct gw_pg *pg, const char *path, struct bus_error *err)
{
	const char *role = path + strlen(PREFIX), *colon = strchr(role, ':');

	if (!colon || colon == role)
		return bus_fail(err, BUS_EINVAL, "a database of PostgreSQL is called postgres:ROLE:CONNINFO");
	pg->role = bus_xstrndup(role, (size_t)(colon - role));
	pg->conninfo = bus_xstrdup(colon + 1);
	return BUS_OK;
}

enum bus_err gw_pg_open(const char *path, enum gw_db_mode mode, const struct gw_pg_shadow *shadow,
			struct gw_pg **out, struct bus_error *err)
{
	struct gw_pg *pg = bus_xcalloc(1, sizeof(*pg));
	enum bus_err rc;

	*out = NULL;
	pthread_mutex_init(&pg->lock, NULL);
	pg->mode = mode;
	pg->shadow = *shadow;
	rc = read_path(pg, path, err);
	if (rc == BUS_OK)
		rc = gw_pg_connect(pg, err);
	if (rc != BUS_OK)
		gw_pg_close(&pg);
	*out = pg;
	return rc;
}

void gw_pg_close(struct gw_pg **pg)
{
	if (!*pg)
		return;
	gw_pg_cancel_unref(&(*pg)->cancel);
	PQfinish((*pg)->conn);
	pthread_mutex_destroy(&(*pg)->lock);
	free((*pg)->role);
	free((*pg)->conninfo);
	free(*pg);
	*pg = NULL;
}

enum bus_err gw_pg_drop(const char *path, struct bus_error *err)
{
	struct gw_pg pg = { .mode = GW_DB_WRITER };
	enum bus_err rc = read_path(&pg, path, err);

	if (rc == BUS_OK) {
		pg.conn = PQconnectdb(pg.conninfo);
		rc = PQstatus(pg.conn) == CONNECTION_OK
			 ? lock(&pg, err)
			 : bus_fail(err, BUS_EIO, "cannot reach PostgreSQL: %s", PQerrorMessage(pg.conn));
	}
	if (rc == BUS_OK)
		rc = gw_pg_send_text(
		    &pg, "SET client_min_messages = warning; DROP SCHEMA IF EXISTS " GW_PG_SCHEMA " CASCADE",
		    NULL, err);
	PQfinish(pg.conn);
	free(pg.role);
	free(pg.conninfo);
	return rc;
}
