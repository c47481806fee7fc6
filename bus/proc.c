#include "bus/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus/log.h"

#define SETS_MAX 64

static atomic_bool stopping;
static int stop_fd = -1;

/* Also runs inside a signal: only what is safe there. */
void bus_proc_stop(void)
{
	const uint64_t one = 1;
	int saved = errno;

	atomic_store(&stopping, true);
	if (stop_fd >= 0)
		(void)!write(stop_fd, &one, sizeof(one));
	errno = saved;
}

bool bus_proc_stopping(void)
{
	return atomic_load_explicit(&stopping, memory_order_relaxed);
}

int bus_proc_stop_fd(void)
{
	return stop_fd;
}

static void on_signal(int sig)
{
	(void)sig;
	bus_proc_stop();
}

void bus_proc_signals(void)
{
	struct sigaction stop = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (stop_fd < 0)
		stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (stop_fd < 0) {
		fprintf(stderr, "level=fatal id=bus.no_eventfd\n");
		abort();
	}
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
}

void bus_proc_wait(void)
{
	struct pollfd p = { .fd = stop_fd, .events = POLLIN };

	while (!bus_proc_stopping())
		poll(&p, 1, 1000); /* the time only in case nobody set up the signals */
}

/* sd_notify(3) by hand: one datagram to a unix socket, '@' meaning the abstract name space. */
static void notify(const char *message)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n < 2 || (path[0] != '/' && path[0] != '@') || n >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, message, strlen(message), MSG_NOSIGNAL, (const struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) < 0)
		bus_log(BUS_LOG_WARN, "bus.notify_failed", LOG_INT("errno", errno));
	close(fd);
}

void bus_proc_ready(const char *program)
{
	char id[64];

	notify("READY=1");
	snprintf(id, sizeof(id), "%s.ready", program);
	bus_log(BUS_LOG_INFO, id, LOG_STR("version", TITIAN_VERSION), LOG_INT("pid", getpid()));
}

enum { O_CONFIG = 1, O_SET, O_CHECK, O_DUMP, O_HELP, O_VERSION, O_LOG_LEVEL, O_LOG_JSON };

static const struct option options[] = {
	{ "config", required_argument, NULL, O_CONFIG },
	{ "set", required_argument, NULL, O_SET },
	{ "check", no_argument, NULL, O_CHECK },
	{ "dump", no_argument, NULL, O_DUMP },
	{ "help", no_argument, NULL, O_HELP },
	{ "version", no_argument, NULL, O_VERSION },
	{ "log-level", required_argument, NULL, O_LOG_LEVEL },
	{ "log-json", no_argument, NULL, O_LOG_JSON },
	{ 0 },
};

static _Noreturn void refuse(const char *text)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, text);
	exit(2);
}

/* To stdout, and gone: a full disk must not look like success. */
static _Noreturn void done(void)
{
	exit(fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1);
}

static _Noreturn void print_help(const char *usage, const struct bus_conf_option *table)
{
	printf("%s\n"
	       "  --config FILE      read options from a YAML file\n"
	       "  --set NAME=VALUE   one option; wins over the file\n"
	       "  --check            check the options and exit\n"
	       "  --dump             print the options in effect and exit\n"
	       "  --log-level LEVEL  debug, info (default), warn or error\n"
	       "  --log-json         log lines as JSON\n"
	       "  --help, --version\n\n"
	       "Options of the file, their defaults and meaning:\n",
	       usage);
	bus_conf_help(table, stdout);
	done();
}

static bus_proc_check_fn check_more;
static const char *config;

const char *bus_proc_config(void)
{
	return config;
}

void bus_proc_check(bus_proc_check_fn fn)
{
	check_more = fn;
}

void bus_proc_options(int argc, char **argv, const char *usage, const struct bus_conf_option *table,
		      void *conf)
{
	const char *path = NULL;
	const char *sets[SETS_MAX + 1] = { NULL };
	size_t n_sets = 0;
	bool check = false;
	bool dump = false;
	bool json = false;
	enum bus_log_level level = BUS_LOG_INFO;
	struct bus_error err;
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case O_CONFIG:
			path = optarg;
			break;
		case O_SET:
			if (n_sets == SETS_MAX)
				refuse("--set: too many; use a file");
			sets[n_sets++] = optarg;
			break;
		case O_CHECK:
			check = true;
			break;
		case O_DUMP:
			dump = true;
			break;
		case O_HELP:
			print_help(usage, table);
		case O_VERSION:
			printf("%s %s\n", program_invocation_short_name, TITIAN_VERSION);
			done();
		case O_LOG_LEVEL:
			if (bus_log_level_parse(optarg, &level) != BUS_OK)
				refuse("--log-level: debug, info, warn or error");
			break;
		case O_LOG_JSON:
			json = true;
			break;
		default:
			refuse("see --help"); /* getopt has said what is wrong */
		}
	}
	if (optind < argc)
		refuse("takes options only; see --help");
	config = path;
	bus_log_setup(level, json);
	if (bus_conf_load(path, sets, table, conf, &err) != BUS_OK)
		refuse(err.text);
	if (check && check_more && check_more(conf, &err) != BUS_OK)
		refuse(err.text);
	if (dump)
		bus_conf_dump(table, conf, stdout);
	else if (check)
		printf("%s: good\n", path ? path : "options");
	if (dump || check)
		done();
}
