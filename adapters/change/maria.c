#include "adapters/change/maria.h"

#include <mysql.h>

#include <mariadb_rpl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#include "bus/clock.h"
#include "bus/secret.h"

#define CONNECT_MS 15000
#define SILENT_S 15			 /* a server that gives no sign of life for so long is gone */
#define STACK_BYTES ((size_t)256 * 1024) /* of the library's own coroutine: TLS is done in it */
#define PACKET_MAX ((size_t)256 * 1024 * 1024)
#define OLDEST 100500
#define DENIED 1045 /* ER_ACCESS_DENIED_ERROR */
#define DENIED_DB 1044

struct adapter_maria {
	MYSQL *my;
	MYSQL_RES *res;
	MYSQL_ROW *row; /* of res, all of them, when they are kept */
	size_t n_rows;
	MARIADB_RPL *rpl;
	int stop_fd;
	unsigned number;
	atomic_bool hung_up;
};

/* --- what to connect to --- */

static bool set_word(struct adapter_maria_conf *conf, const char *key, char *value, bool *tls,
		     struct bus_error *err)
{
	const struct {
		const char *key;
		char **to;
	} word[] = { { "host", &conf->host },	   { "dbname", &conf->database }, { "user", &conf->user },
		     { "sslrootcert", &conf->ca }, { "sslcert", &conf->cert },	  { "sslkey", &conf->key } };
	static const char *const modes[] = { "verify-full", "require", "disable" };

	for (size_t i = 0; i < BUS_LEN(word); i++)
		if (strcmp(key, word[i].key) == 0) {
			free(*word[i].to);
			*word[i].to = value;
			return true;
		}
	if (strcmp(key, "port") == 0) {
		char *end;
		unsigned long port = strtoul(value, &end, 10);

		if (*end == '\0' && port > 0 && port < 65536) {
			conf->port = (unsigned)port;
			free(value);
			return true;
		}
	}
	for (size_t i = 0; strcmp(key, "sslmode") == 0 && i < BUS_LEN(modes); i++)
		if (strcmp(value, modes[i]) == 0) {
			conf->tls = (enum adapter_maria_tls)i;
			*tls = true;
			free(value);
			return true;
		}
	(void)!bus_fail(
	    err, BUS_EINVAL,
	    "connection: '%s=%s' is none of host, port, dbname, user, sslmode (verify-full, require, "
	    "disable), sslrootcert, sslcert, sslkey",
	    key, value);
	free(value);
	return false;
}

enum bus_err adapter_maria_conf_read(const char *text, struct adapter_maria_conf *out, struct bus_error *err)
{
	bool tls = false;

	*out = (struct adapter_maria_conf){ .stop_fd = -1 };
	for (const char *p = text + strspn(text, " "); *p; p += strspn(p, " ")) {
		size_t n = strcspn(p, " "), k = strcspn(p, "= ");
		char key[32];

		if (k >= n || k >= sizeof(key))
			return bus_fail(err, BUS_EINVAL,
					"connection: words of the form key=value; not '%.*s'", (int)n, p);
		snprintf(key, sizeof(key), "%.*s", (int)k, p);
		if (!set_word(out, key, bus_xstrndup(p + k + 1, n - k - 1), &tls, err))
			return BUS_EINVAL;
		p += n;
	}
	if (!out->host || !out->user)
		return bus_fail(err, BUS_EINVAL, "connection: write host=... dbname=... user=...");
	if (!tls && (out->host[0] == '/' || strcmp(out->host, "localhost") == 0 ||
		     strcmp(out->host, "127.0.0.1") == 0 || strcmp(out->host, "::1") == 0))
		out->tls = ADAPTER_MARIA_PLAIN;
	return BUS_OK;
}

void adapter_maria_conf_release(struct adapter_maria_conf *conf)
{
	free(conf->host);
	free(conf->database);
	free(conf->user);
	free(conf->ca);
	free(conf->cert);
	free(conf->key);
	*conf = (struct adapter_maria_conf){ .stop_fd = -1 };
}

/* --- a call of the library, in pieces --- */

static enum bus_err failed(struct adapter_maria *m, struct bus_error *err)
{
	const char *text = mysql_error(m->my);

	m->number = mysql_errno(m->my);
	/* 2000 and more are the library's own: the connection is gone. */
	return bus_fail(err,
			m->number == DENIED || m->number == DENIED_DB		    ? BUS_EDENIED
			: m->number == 0 || (m->number >= 2000 && m->number < 3000) ? BUS_EIO
										    : BUS_EDB,
			"MariaDB: %.*s", (int)strcspn(text, "\n"), *text ? text : "the connection is gone");
}

/* Until the library may go on: *status is what it waits for, then what has come. */
static enum bus_err await(struct adapter_maria *m, int *status, int64_t until, struct bus_error *err)
{
	struct pollfd fd[2] = { { .fd = mysql_get_socket(m->my) }, { .fd = m->stop_fd, .events = POLLIN } };
	int64_t left = until - bus_clock_mono_ms();

	fd[0].events =
	    (short)((*status & MYSQL_WAIT_READ ? POLLIN : 0) | (*status & MYSQL_WAIT_WRITE ? POLLOUT : 0) |
		    (*status & MYSQL_WAIT_EXCEPT ? POLLPRI : 0));
	poll(fd, 2, left < 0 ? 0 : (int)left);
	if (fd[1].revents)
		return bus_fail(err, BUS_ESTOPPED, "stopped");
	if (!fd[0].revents)
		return bus_fail(err, BUS_ETIMEOUT, "MariaDB does not answer");
	*status = (fd[0].revents & (POLLIN | POLLERR | POLLHUP) ? MYSQL_WAIT_READ & *status : 0) |
		  (fd[0].revents & (POLLOUT | POLLERR | POLLHUP) ? MYSQL_WAIT_WRITE & *status : 0) |
		  (fd[0].revents & POLLPRI ? MYSQL_WAIT_EXCEPT : 0);
	return BUS_OK;
}

static enum bus_err connect_to(struct adapter_maria *m, const struct adapter_maria_conf *conf,
			       const char *password, struct bus_error *err)
{
	bool local = conf->host[0] == '/';
	int64_t until = bus_clock_mono_ms() + CONNECT_MS;
	MYSQL *ret = NULL;
	int status = mysql_real_connect_start(&ret, m->my, local ? NULL : conf->host, conf->user, password,
					      conf->database, conf->port, local ? conf->host : NULL, 0);

	while (status) {
		enum bus_err rc = await(m, &status, until, err);

		if (rc)
			return rc;
		status = mysql_real_connect_cont(&ret, m->my, status);
	}
	if (!ret)
		return failed(m, err);
	/* Unless a certificate is asked for, the library goes on with a server that has no TLS. */
	if (conf->tls != ADAPTER_MARIA_PLAIN && !mysql_get_ssl_cipher(m->my))
		return bus_fail(err, BUS_EDENIED, "MariaDB: the server has no TLS, and sslmode asks for it");
	return BUS_OK;
}

static void set_options(struct adapter_maria *m, const struct adapter_maria_conf *conf)
{
	const unsigned seconds = SILENT_S, tcp = MYSQL_PROTOCOL_TCP;
	const my_bool yes = 1, verify = conf->tls == ADAPTER_MARIA_VERIFY, no = 0;
	size_t stack = STACK_BYTES, packet = PACKET_MAX;

	mysql_optionsv(m->my, MYSQL_OPT_NONBLOCK, &stack);
	mysql_optionsv(m->my, MYSQL_OPT_READ_TIMEOUT, &seconds);
	mysql_optionsv(m->my, MYSQL_OPT_WRITE_TIMEOUT, &seconds);
	mysql_optionsv(m->my, MYSQL_OPT_LOCAL_INFILE, &no); /* a server may not ask for our files */
	mysql_optionsv(m->my, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_optionsv(m->my, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
	/* The library says the password in clear to a server that asks for it so. */
	if (conf->host[0] != '/' && conf->tls != ADAPTER_MARIA_VERIFY)
		mysql_optionsv(m->my, MARIADB_OPT_RESTRICTED_AUTH, "mysql_native_password,client_ed25519");
	if (conf->host[0] != '/')
		mysql_optionsv(m->my, MYSQL_OPT_PROTOCOL, &tcp);
	if (conf->tls == ADAPTER_MARIA_PLAIN)
		return;
	mysql_optionsv(m->my, MYSQL_OPT_SSL_ENFORCE, &yes);
	mysql_optionsv(m->my, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
	if (conf->ca)
		mysql_optionsv(m->my, MYSQL_OPT_SSL_CA, conf->ca);
	if (conf->cert)
		mysql_optionsv(m->my, MYSQL_OPT_SSL_CERT, conf->cert);
	if (conf->key)
		mysql_optionsv(m->my, MYSQL_OPT_SSL_KEY, conf->key);
}

static enum bus_err be_mariadb(struct adapter_maria *m, struct bus_error *err)
{
	const char *version = mysql_get_server_info(m->my);

	if (!mariadb_connection(m->my))
		return bus_fail(err, BUS_EINVAL,
				"this server is no MariaDB ('%.40s'); the way to MySQL is polling: "
				"fetch: {kind: sql}",
				version ? version : "");
	if (mysql_get_server_version(m->my) < OLDEST)
		return bus_fail(
		    err, BUS_EINVAL,
		    "MariaDB '%.40s' is too old for its binlog to be read (10.5 is needed); the way "
		    "to it is polling: fetch: {kind: sql}",
		    version ? version : "");
	return adapter_maria_run(m,
				 "SET time_zone = '+00:00', sql_mode = '', wait_timeout = 28800, "
				 "net_write_timeout = 3600",
				 CONNECT_MS, err);
}

enum bus_err adapter_maria_open(const struct adapter_maria_conf *conf, struct adapter_maria **out,
				struct bus_error *err)
{
	struct adapter_maria *m = bus_xcalloc(1, sizeof(*m));
	struct bus_buf password = { 0 };
	enum bus_err rc = BUS_OK;

	*out = NULL;
	m->stop_fd = conf->stop_fd;
	m->my = mysql_init(NULL);
	if (!m->my)
		rc = bus_fail(err, BUS_EIO, "MariaDB: no memory for a connection");
	if (!rc && conf->password_file)
		rc = bus_secret_load(conf->password_file, &password, err);
	if (!rc) {
		set_options(m, conf);
		rc = connect_to(m, conf, bus_buf_cstr(&password), err);
		if (rc == BUS_EDENIED && m->number == DENIED)
			rc = bus_fail_prefix(err, BUS_EDENIED, "(password_file)");
	}
	bus_secret_release(&password);
	if (!rc)
		rc = be_mariadb(m, err);
	if (rc)
		adapter_maria_close(&m);
	*out = m;
	return rc;
}

static void let_go(struct adapter_maria *m)
{
	free(m->row);
	m->row = NULL;
	m->n_rows = 0;
	mysql_free_result(m->res);
	m->res = NULL;
}

void adapter_maria_close(struct adapter_maria **mp)
{
	struct adapter_maria *m = *mp;

	if (!m)
		return;
	if (m->my && m->rpl) /* its goodbye would wait for the rest of the stream */
		shutdown(mysql_get_socket(m->my), SHUT_RDWR);
	if (m->rpl)
		mariadb_rpl_close(m->rpl);
	/* Rows that have not been read are not read now. */
	if (m->my && m->res && !m->row)
		shutdown(mysql_get_socket(m->my), SHUT_RDWR);
	let_go(m);
	if (m->my)
		mysql_close(m->my);
	free(m);
	*mp = NULL;
}

/* --- statements --- */

static enum bus_err query(struct adapter_maria *m, const char *sql, int64_t until, struct bus_error *err)
{
	int failure = 0, status;

	let_go(m);
	m->number = 0;
	status = mysql_real_query_start(&failure, m->my, sql, strlen(sql));
	while (status) {
		enum bus_err rc = await(m, &status, until, err);

		if (rc)
			return rc;
		status = mysql_real_query_cont(&failure, m->my, status);
	}
	return failure ? failed(m, err) : BUS_OK;
}

enum bus_err adapter_maria_run(struct adapter_maria *m, const char *sql, int64_t ms, struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + ms;
	enum bus_err rc = query(m, sql, until, err);
	int status;

	if (rc)
		return rc;
	status = mysql_store_result_start(&m->res, m->my);
	while (status) {
		rc = await(m, &status, until, err);
		if (rc)
			return rc;
		status = mysql_store_result_cont(&m->res, m->my, status);
	}
	if (!m->res)
		return mysql_errno(m->my) ? failed(m, err) : BUS_OK;
	m->n_rows = (size_t)mysql_num_rows(m->res);
	m->row = bus_xcalloc(m->n_rows + 1, sizeof(MYSQL_ROW));
	for (size_t i = 0; i < m->n_rows; i++)
		m->row[i] = mysql_fetch_row(m->res);
	return BUS_OK;
}

size_t adapter_maria_rows(const struct adapter_maria *m)
{
	return m->n_rows;
}

const char *adapter_maria_text(const struct adapter_maria *m, size_t row, size_t column)
{
	return row < m->n_rows && column < mysql_num_fields(m->res) ? m->row[row][column] : NULL;
}

unsigned adapter_maria_number(const struct adapter_maria *m)
{
	return m->number;
}

/* sql_mode is empty: a backslash escapes. */
void adapter_maria_quote(const char *text, struct bus_buf *out)
{
	bus_buf_putc(out, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			bus_buf_putc(out, '\\');
		bus_buf_putc(out, *text);
	}
	bus_buf_putc(out, '\'');
}

void adapter_maria_name(const char *name, struct bus_buf *out)
{
	bus_buf_putc(out, '`');
	for (; *name; name++) {
		if (*name == '`')
			bus_buf_putc(out, '`');
		bus_buf_putc(out, *name);
	}
	bus_buf_putc(out, '`');
}

enum bus_err adapter_maria_begin(struct adapter_maria *m, const char *sql, int64_t ms, struct bus_error *err)
{
	enum bus_err rc = query(m, sql, bus_clock_mono_ms() + ms, err);

	if (rc)
		return rc;
	m->res = mysql_use_result(m->my);
	return m->res ? BUS_OK : failed(m, err);
}

enum bus_err adapter_maria_next(struct adapter_maria *m, int64_t ms, struct bus_str *value, size_t n,
				struct bus_error *err)
{
	int64_t until = bus_clock_mono_ms() + ms;
	const unsigned long *len;
	MYSQL_ROW row = NULL;
	int status = mysql_fetch_row_start(&row, m->res);

	while (status) {
		enum bus_err rc = await(m, &status, until, err);

		if (rc)
			return rc;
		status = mysql_fetch_row_cont(&row, m->res, status);
	}
	if (!row && mysql_errno(m->my))
		return failed(m, err);
	if (!row) {
		let_go(m);
		return BUS_ENOENT;
	}
	len = mysql_fetch_lengths(m->res);
	for (size_t i = 0; i < n; i++)
		value[i] = (struct bus_str){ row[i], row[i] ? len[i] : 0 };
	return BUS_OK;
}

/* --- the binary log --- */

enum bus_err adapter_maria_dump(struct adapter_maria *m, uint32_t server_id, const char *file,
				struct bus_error *err)
{
	let_go(m);
	m->rpl = mariadb_rpl_init(m->my);
	if (!m->rpl)
		return failed(m, err);
	mariadb_rpl_optionsv(m->rpl, MARIADB_RPL_SERVER_ID, (unsigned)server_id);
	mariadb_rpl_optionsv(m->rpl, MARIADB_RPL_START, 4UL);
	mariadb_rpl_optionsv(m->rpl, MARIADB_RPL_FLAGS, 0U);
	if (file)
		mariadb_rpl_optionsv(m->rpl, MARIADB_RPL_FILENAME, file, strlen(file));
	return mariadb_rpl_open(m->rpl) == 0 ? BUS_OK : failed(m, err);
}

/* The library's packet, and not its mariadb_rpl_fetch: what is in an event is read by binlog.c alone. */
enum bus_err adapter_maria_take(struct adapter_maria *m, struct bus_str *event, struct bus_error *err)
{
	unsigned long n = mysql_net_read_packet(m->my);
	const char *p = (const char *)m->my->net.read_pos;

	if (atomic_load(&m->hung_up))
		return bus_fail(err, BUS_ESTOPPED, "stopped");
	if (n == packet_error)
		return failed(m, err);
	if (n < 1 || (p[0] == (char)0xfe && n < 9))
		return bus_fail(err, BUS_EIO, "MariaDB: the server has ended the stream");
	if (p[0] != 0)
		return bus_fail(err, BUS_EDATA, "MariaDB: a packet of the stream is no event");
	*event = (struct bus_str){ p + 1, n - 1 };
	return BUS_OK;
}

void adapter_maria_hang_up(struct adapter_maria *m)
{
	atomic_store(&m->hung_up, true);
	shutdown(mysql_get_socket(m->my), SHUT_RDWR);
}
