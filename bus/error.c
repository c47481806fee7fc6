#include "bus/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bus/plain.h"

static void put_text(struct bus_error *err, enum bus_err code, const char *fmt, va_list ap)
{
	int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);

	err->code = code;
	if (n < 0)
		err->text[0] = '\0';
	else if ((size_t)n >= sizeof(err->text))
		memcpy(err->text + sizeof(err->text) - 4, "...", 4);
	bus_plain(err->text, strlen(err->text), true);
}

enum bus_err bus_fail(struct bus_error *err, enum bus_err code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	va_start(ap, fmt);
	put_text(err, code, fmt, ap);
	va_end(ap);
	return code;
}

enum bus_err bus_fail_prefix(struct bus_error *err, enum bus_err code, const char *fmt, ...)
{
	struct bus_error old;
	va_list ap;
	size_t n;

	if (!err)
		return code;
	old = *err;
	va_start(ap, fmt);
	put_text(err, old.code, fmt, ap);
	va_end(ap);
	n = strlen(err->text);
	snprintf(err->text + n, sizeof(err->text) - n, ": %s", old.text);
	return err->code;
}

const char *bus_err_name(enum bus_err code)
{
	static const char *const name[] = {
		[BUS_OK] = "ok",	     [BUS_EINVAL] = "einval",	[BUS_EPARSE] = "eparse",
		[BUS_ESCHEMA] = "eschema",   [BUS_EDATA] = "edata",	[BUS_ETOOBIG] = "etoobig",
		[BUS_ENOENT] = "enoent",     [BUS_EEXIST] = "eexist",	[BUS_EDENIED] = "edenied",
		[BUS_ECONFLICT] = "econflict", [BUS_EIO] = "eio",	[BUS_EFULL] = "efull",
		[BUS_ETIMEOUT] = "etimeout", [BUS_EKAFKA] = "ekafka",	[BUS_EFATAL] = "efatal",
		[BUS_EDB] = "edb",	     [BUS_ECRYPTO] = "ecrypto", [BUS_ESTOPPED] = "estopped",
	};

	return (size_t)code < sizeof(name) / sizeof(name[0]) ? name[code] : "unknown";
}

bool bus_err_retriable(enum bus_err code)
{
	return code == BUS_EIO || code == BUS_EFULL || code == BUS_ETIMEOUT || code == BUS_EKAFKA ||
	       code == BUS_ECONFLICT;
}

bool bus_err_fatal(enum bus_err code)
{
	return code == BUS_EFATAL;
}
