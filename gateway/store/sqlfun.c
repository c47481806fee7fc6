#include "gateway/store/sqlfun.h"

#include <strings.h>

#include "bus/clock.h"
#include "gateway/store/db.h"
#include "gateway/store/name.h"
#include "gateway/store/origin.h"

static void nama_baku(struct gw_call *c)
{
	struct bus_buf b = { 0 };

	if (gw_call_null(c, 0))
		return;
	gw_name_plain(gw_call_text(c, 0), &b);
	gw_call_return_text(c, bus_buf_str(&b));
	bus_buf_release(&b);
}

struct day {
	int year, month, day;
};

static bool parse_day(struct gw_call *c, int i, struct day *out)
{
	struct bus_str s = gw_call_null(c, i) ? (struct bus_str){ 0 } : gw_call_text(c, i);
	int part[3] = { 0 }, k = 0;

	if (s.n < 10)
		return false;
	for (size_t j = 0; j < 10; j++) {
		if (j == 4 || j == 7) {
			if (s.p[j] != '-')
				return false;
			k++;
		} else if (s.p[j] >= '0' && s.p[j] <= '9') {
			part[k] = part[k] * 10 + (s.p[j] - '0');
		} else {
			return false;
		}
	}
	*out = (struct day){ part[0], part[1], part[2] };
	return true;
}

static void usia_tahun(struct gw_call *c)
{
	struct day born, at;

	if (parse_day(c, 0, &born) && parse_day(c, 1, &at))
		gw_call_return_int(
		    c, at.year - born.year -
			   (at.month < born.month || (at.month == born.month && at.day < born.day)));
}

static void usia_bulan(struct gw_call *c)
{
	struct day born, at;

	if (parse_day(c, 0, &born) && parse_day(c, 1, &at))
		gw_call_return_int(c,
				   (at.year - born.year) * 12 + at.month - born.month - (at.day < born.day));
}

/* The first that says something: not NULL, not empty. */
static void otoritas(struct gw_call *c)
{
	for (int i = 0; i < gw_call_args(c); i++) {
		if (!gw_call_null(c, i) && gw_call_text(c, i).n > 0) {
			gw_call_return_arg(c, i);
			return;
		}
	}
}

/* Milliseconds since 1970 as a time in WIB. */
static void waktu(struct gw_call *c)
{
	char text[40];

	if (!gw_call_null(c, 0))
		gw_call_return_text(c, bus_str(bus_clock_iso_wib(gw_call_int(c, 0), text, sizeof(text))));
}

void gw_sqlfun_register(struct gw_db *db)
{
	gw_db_function(db, "nama_baku", 1, nama_baku);
	gw_db_function(db, "usia_tahun", 2, usia_tahun);
	gw_db_function(db, "usia_bulan", 2, usia_bulan);
	gw_db_function(db, "otoritas", -1, otoritas);
	gw_db_function(db, "waktu", 1, waktu);
	gw_origin_register(db);
}

/* Deterministic ones only; nothing that makes large values from small ones (zeroblob, printf). */
static const struct {
	const char *name;
	enum gw_fun kind;
} functions[] = {
	{ "nama_baku", GW_FUN_PLAIN },
	{ "usia_tahun", GW_FUN_PLAIN },
	{ "usia_bulan", GW_FUN_PLAIN },
	{ "otoritas", GW_FUN_FIRST_TEXT },
	{ "waktu", GW_FUN_PLAIN },
	{ "abs", GW_FUN_PLAIN },
	{ "avg", GW_FUN_SUM },
	{ "coalesce", GW_FUN_FIRST },
	{ "count", GW_FUN_COUNT },
	{ "group_concat", GW_FUN_LIST },
	{ "ifnull", GW_FUN_FIRST },
	{ "iif", GW_FUN_IF },
	{ "instr", GW_FUN_PLAIN },
	{ "json_array", GW_FUN_PLAIN },
	{ "json_array_length", GW_FUN_PLAIN },
	{ "json_extract", GW_FUN_PLAIN },
	{ "json_group_array", GW_FUN_LIST_ALL },
	{ "json_object", GW_FUN_PLAIN },
	{ "length", GW_FUN_PLAIN },
	{ "like", GW_FUN_PLAIN },
	{ "lower", GW_FUN_PLAIN },
	{ "ltrim", GW_FUN_PLAIN },
	{ "max", GW_FUN_EXTREME },
	{ "min", GW_FUN_EXTREME },
	{ "nullif", GW_FUN_PLAIN },
	{ "replace", GW_FUN_PLAIN },
	{ "round", GW_FUN_PLAIN },
	{ "rtrim", GW_FUN_PLAIN },
	{ "sign", GW_FUN_PLAIN },
	{ "substr", GW_FUN_PLAIN },
	{ "substring", GW_FUN_PLAIN },
	{ "sum", GW_FUN_SUM },
	{ "total", GW_FUN_SUM },
	{ "trim", GW_FUN_PLAIN },
	{ "typeof", GW_FUN_PLAIN },
	{ "upper", GW_FUN_PLAIN },
	{ "->", GW_FUN_PLAIN },
	{ "->>", GW_FUN_PLAIN },
};

enum gw_fun gw_sqlfun_kind(struct bus_str name)
{
	for (size_t i = 0; i < BUS_LEN(functions); i++) {
		if (strlen(functions[i].name) == name.n &&
		    strncasecmp(functions[i].name, name.p, name.n) == 0)
			return functions[i].kind;
	}
	return GW_FUN_NONE;
}

bool gw_sqlfun_allowed(const char *name)
{
	return gw_sqlfun_kind(bus_str(name)) != GW_FUN_NONE;
}
