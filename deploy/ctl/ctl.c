#include "deploy/ctl/ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bus/log.h"
#include "bus/mem.h"
#include "bus/proc.h"
#include "bus/yaml.h"

bool ctl_indonesian(void)
{
	static const char *const name[] = { "LC_ALL", "LC_MESSAGES", "LANG" };
	size_t i;

	for (i = 0; i < BUS_LEN(name); i++) {
		const char *v = getenv(name[i]);

		if (v && v[0])
			return strncmp(v, "id", 2) == 0;
	}
	return false;
}

const char *ctl_say(const char *en, const char *id)
{
	return ctl_indonesian() ? id : en;
}

void ctl_complain(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("titian: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void ctl_put_line(struct bus_buf *b, const char *text)
{
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		const bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0; /* U+0080 to U+009F in UTF-8 */

		if (*c >= '\t' && *c <= '\r')
			bus_buf_putc(b, ' ');
		else if (*c < ' ' || *c == 0x7f || c1)
			bus_buf_printf(b, "\\x%02X", c1 ? *++c : *c);
		else
			bus_buf_putc(b, (char)*c);
	}
}

enum ctl_exit ctl_fail(const struct bus_error *err, bool outside)
{
	ctl_complain("%s", err->text);
	switch (err->code) {
	case BUS_ENOENT:
		return CTL_NOT_FOUND;
	case BUS_EDENIED:
		return CTL_DENIED;
	case BUS_ETIMEOUT:
	case BUS_EKAFKA:
		return CTL_UNREACHABLE;
	case BUS_EIO:
		return outside ? CTL_UNREACHABLE : CTL_FAILED;
	default:
		return CTL_FAILED;
	}
}

bool ctl_kafka(const struct ctl_args *args, size_t i, struct bus_kafka_conf *out)
{
	if (!args->option[i]) {
		ctl_complain("%s", ctl_say("--bootstrap HOST:PORT is missing (or TITIAN_BOOTSTRAP)",
					   "--bootstrap HOST:PORT belum diberikan (atau TITIAN_BOOTSTRAP)"));
		return false;
	}
	*out = (struct bus_kafka_conf){ .bootstrap = args->option[i],
					.client_id = "titian",
					.extra = &args->kafka };
	return true;
}

bool ctl_number(const char *name, const char *text, long min, long max, long fallback, long *out)
{
	char *end;

	*out = fallback;
	if (!text)
		return true;
	errno = 0;
	*out = strtol(text, &end, 10);
	if (errno == 0 && end != text && !*end && *out >= min && *out <= max)
		return true;
	ctl_complain(ctl_say("%s: '%s' is not a whole number from %ld to %ld",
			     "%s: '%s' bukan bilangan bulat dari %ld sampai %ld"),
		     name, text, min, max);
	return false;
}

/* Whether a command talks to Kafka: only then is there --kafka. */
static bool takes_kafka(const struct ctl_command *c)
{
	for (const struct ctl_option *o = c->option; o && o->name; o++)
		if (strcmp(o->name, "--bootstrap") == 0)
			return true;
	return false;
}

/* --- help --- */

static void print_commands(FILE *out)
{
	size_t i;

	fprintf(out, "%s\n\n",
		ctl_say("titian: operate the city's interoperability bus",
			"titian: menjalankan bus interoperabilitas kota"));
	for (i = 0; ctl_commands[i]; i++) {
		const struct ctl_command *c = ctl_commands[i];

		fprintf(out, "  titian %-10s %-9s %s\n", c->noun, c->verb, ctl_say(c->en, c->id));
	}
	fprintf(out, "  titian adapter    ...       %s\n",
		ctl_say("titian-adapter's own command line: init, check, preview, explain, test-connection, "
			"quarantine, undo, status",
			"perintah titian-adapter sendiri: init, check, preview, explain, test-connection, "
			"quarantine, undo, status"));
	fprintf(out, "\n  %s\n  %s\n",
		ctl_say("titian help NOUN [VERB]      one command in detail, with an example",
			"titian help NOUN [VERB]      satu perintah secara rinci, dengan contoh"),
		ctl_say("titian --version", "titian --version"));
	fprintf(
	    out, "\n%s\n",
	    ctl_say("Exit codes: 0 done, 1 failed, 2 usage, 3 incompatible, 4 not allowed, 5 not found, "
		    "6 unreachable",
		    "Kode keluar: 0 selesai, 1 gagal, 2 salah pakai, 3 tidak kompatibel, 4 tidak diizinkan, "
		    "5 tidak ada, 6 tak terjangkau"));
}

static void print_command(const struct ctl_command *c, FILE *out)
{
	const struct ctl_option *o;

	fprintf(out, "%s\n\n  titian %s%s%s%s%s%s\n", ctl_say(c->en, c->id), c->noun, c->verb[0] ? " " : "",
		c->verb, c->option ? ctl_say(" [OPTIONS]", " [OPSI]") : "", c->operands[0] ? " " : "",
		c->operands);
	for (o = c->option; o && o->name; o++)
		fprintf(out, "    %-14s %-12s %s%s%s%s\n", o->name, o->value ? o->value : "",
			ctl_say(o->en, o->id), o->env ? " [" : "", o->env ? o->env : "", o->env ? "]" : "");
	if (takes_kafka(c))
		fprintf(out, "    %-14s %-12s %s\n", "--kafka", "NAME=VALUE",
			ctl_say("a librdkafka property (TLS, SASL); may be repeated",
				"properti librdkafka (TLS, SASL); boleh diulang"));
	fprintf(out, "\n  %s %s\n", ctl_say("Example:", "Contoh:"), c->example);
}

static const struct ctl_command *find(const char *noun, const char *verb)
{
	for (size_t i = 0; noun && ctl_commands[i]; i++) {
		const struct ctl_command *c = ctl_commands[i];

		if (strcmp(c->noun, noun) == 0 && (!c->verb[0] || (verb && strcmp(c->verb, verb) == 0)))
			return c;
	}
	return NULL;
}

/* `titian noun`: its verbs. False: no such noun. */
static bool print_noun(const char *noun, FILE *out)
{
	bool any = false;
	size_t i;

	for (i = 0; ctl_commands[i]; i++) {
		if (strcmp(ctl_commands[i]->noun, noun) != 0)
			continue;
		if (any)
			fputc('\n', out);
		print_command(ctl_commands[i], out);
		any = true;
	}
	if (strcmp(noun, "quarantine") == 0)
		fprintf(out, "\n%s\n",
			ctl_say("list, show, history, mend, redrive, discard work beside the department's "
				"adapter: titian adapter --help",
				"list, show, history, mend, redrive, discard bekerja di samping adapter OPD: "
				"titian adapter --help"));
	return any;
}

static enum ctl_exit unknown(const char *noun, const char *verb)
{
	const char *name[64], *near;
	const char *word = noun;
	size_t i, n = 0;

	for (i = 0; ctl_commands[i] && n < BUS_LEN(name); i++)
		if (!verb)
			name[n++] = ctl_commands[i]->noun;
		else if (strcmp(ctl_commands[i]->noun, noun) == 0)
			name[n++] = ctl_commands[i]->verb;
	if (verb && n > 0)
		word = verb;
	else if (verb)
		return unknown(noun, NULL);
	near = bus_nearest(word, name, n);
	ctl_complain(ctl_say("no command '%s%s%s'%s%s%s; see: titian help",
			     "tidak ada perintah '%s%s%s'%s%s%s; lihat: titian help"),
		     noun, verb ? " " : "", verb ? verb : "",
		     near ? ctl_say(", perhaps '", ", mungkin '") : "", near ? near : "", near ? "'" : "");
	return CTL_USAGE;
}

static enum ctl_exit help(const char *noun, const char *verb)
{
	const struct ctl_command *c = find(noun, verb);

	if (!noun)
		print_commands(stdout);
	else if (c)
		print_command(c, stdout);
	else if (verb || !print_noun(noun, stdout))
		return unknown(noun, verb);
	return CTL_OK;
}

/* --- options --- */

static bool take_kafka(struct ctl_args *args, char *text)
{
	char *eq = text ? strchr(text, '=') : NULL;

	if (!eq || args->kafka.n == CTL_KAFKA_MAX) {
		ctl_complain("%s", ctl_say("--kafka wants NAME=VALUE, at most 32 times",
					   "--kafka meminta NAME=VALUE, paling banyak 32 kali"));
		return false;
	}
	*eq = '\0';
	args->kafka_key[args->kafka.n] = text;
	args->kafka_value[args->kafka.n++] = eq + 1;
	return true;
}

static const struct ctl_option *find_option(const struct ctl_command *c, const char *text, size_t len)
{
	const struct ctl_option *o;

	for (o = c->option; o && o->name; o++)
		if (strlen(o->name) == len && strncmp(o->name, text, len) == 0)
			return o;
	return NULL;
}

static bool unknown_option(const struct ctl_command *c, const char *text, size_t len)
{
	const char *name[CTL_OPTIONS_MAX], *near;
	char *word = bus_xstrndup(text, len);
	size_t n = 0;

	for (; c->option && c->option[n].name; n++)
		name[n] = c->option[n].name;
	near = bus_nearest(word, name, n);
	ctl_complain(ctl_say("no option '%s'%s%s; see: titian help %s %s",
			     "tidak ada opsi '%s'%s%s; lihat: titian help %s %s"),
		     word, near ? ctl_say(", perhaps ", ", mungkin ") : "", near ? near : "", c->noun,
		     c->verb);
	free(word);
	return false;
}

/* argv: after noun and verb. Operands are moved to its front. */
static bool parse(const struct ctl_command *c, int argc, char **argv, struct ctl_args *args)
{
	const struct ctl_option *o;
	bool only_operands = false;
	int i;

	args->rest = argv;
	args->kafka = (struct bus_conf_map){ args->kafka_key, args->kafka_value, 0 };
	for (i = 0; i < argc; i++) {
		size_t len = strcspn(argv[i], "=");
		char *value = argv[i][len] ? argv[i] + len + 1 : NULL;
		bool kafka = takes_kafka(c) && len == 7 && strncmp(argv[i], "--kafka", 7) == 0;

		if (only_operands || argv[i][0] != '-' || !argv[i][1]) {
			args->rest[args->n_rest++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			only_operands = true;
			continue;
		}
		o = find_option(c, argv[i], len);
		if (!o && !kafka)
			return unknown_option(c, argv[i], len);
		if (!value && (kafka || o->value) && i + 1 < argc)
			value = argv[++i];
		if (kafka) {
			if (!take_kafka(args, value))
				return false;
			continue;
		}
		if ((o->value != NULL) != (value != NULL)) {
			ctl_complain(o->value ? ctl_say("%s wants a value: %s", "%s meminta nilai: %s")
					      : ctl_say("%s takes no value%s", "%s tidak meminta nilai%s"),
				     o->name, o->value ? o->value : "");
			return false;
		}
		args->option[o - c->option] = value ? value : "";
	}
	for (o = c->option; o && o->name; o++) {
		const char *v = o->env ? getenv(o->env) : NULL;

		if (!args->option[o - c->option] && v && v[0])
			args->option[o - c->option] = v;
	}
	if (args->n_rest >= c->least && args->n_rest <= c->most)
		return true;
	ctl_complain(ctl_say("wants: titian %s %s %s", "meminta: titian %s %s %s"), c->noun, c->verb,
		     c->operands);
	return false;
}

int ctl_main(int argc, char **argv)
{
	const char *noun = argc > 1 ? argv[1] : NULL, *verb = argc > 2 ? argv[2] : NULL;
	const struct ctl_command *c;
	struct ctl_args args = { 0 };
	int i;

	bus_log_setup(BUS_LOG_ERROR, false);
	if (noun && (strcmp(noun, "--version") == 0 || strcmp(noun, "-V") == 0)) {
		printf("titian %s\n", TITIAN_VERSION);
		return CTL_OK;
	}
	if (!noun) {
		print_commands(stderr);
		return CTL_USAGE;
	}
	if (strcmp(noun, "help") == 0 || strcmp(noun, "--help") == 0 || strcmp(noun, "-h") == 0)
		return (int)help(verb, argc > 3 ? argv[3] : NULL);
	c = find(noun, verb);
	for (i = 2; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return (int)help(noun, c ? verb : NULL);
	if (!c && !verb && print_noun(noun, stderr))
		return CTL_USAGE;
	if (!c)
		return (int)unknown(noun, verb);
	i = c->verb[0] ? 3 : 2;
	if (!parse(c, argc - i, argv + i, &args))
		return CTL_USAGE;
	i = (int)c->run(&args);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		ctl_complain(ctl_say("cannot write: %s", "tidak dapat menulis: %s"), strerror(errno));
		return i ? i : CTL_FAILED;
	}
	return i;
}
