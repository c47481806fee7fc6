#include "adapters/init/forms.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "adapters/init/column.h"

#define DIGITS_MAX 18 /* of a long, safely */

static const char *const dates[ADAPTER_INIT_DATES] = { "YYYY-MM-DD", "DD-MM-YYYY", "DD/MM/YYYY", "YYYY/MM/DD",
						       "DD.MM.YYYY", "MM/DD/YYYY", "YYYYMMDD",	 "DDMMYYYY" };
#define DIGITS_ONLY 6 /* from here on dates look like numbers */
static const char *const times[ADAPTER_INIT_TIMES] = { "iso",
						       "iso_local",
						       "YYYY-MM-DD hh:mm:ss",
						       "DD-MM-YYYY hh:mm:ss",
						       "DD/MM/YYYY hh:mm:ss",
						       "DD/MM/YYYY hh:mm",
						       "YYYY-MM-DD hh:mm",
						       "DD-MM-YYYY hh:mm" };
static const char *const time_shapes[ADAPTER_INIT_TIMES] = { "YYYY-MM-DDThh:mm:ssfz", "YYYY-MM-DDThh:mm:ssf",
							     "YYYY-MM-DD hh:mm:ss",   "DD-MM-YYYY hh:mm:ss",
							     "DD/MM/YYYY hh:mm:ss",   "DD/MM/YYYY hh:mm",
							     "YYYY-MM-DD hh:mm",      "DD-MM-YYYY hh:mm" };

/* ---- one value ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int two(const char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* The text has this shape, and month, day, hour and minute are such. A fraction (f) and a zone (z) may be left out or not
 * as their letters say. */
static bool has_shape(struct bus_str s, const char *shape)
{
	size_t i = 0;

	for (; *shape; shape++) {
		if (*shape == 'f') {
			if (i < s.n && s.p[i] == '.')
				for (i++; i < s.n && is_digit(s.p[i]); i++)
					;
			continue;
		}
		if (*shape == 'z')
			return i < s.n &&
			       (s.p[i] == 'Z' || ((s.p[i] == '+' || s.p[i] == '-') && s.n - i >= 3));
		if (i == s.n)
			return false;
		if (strchr("YMDhms", *shape) ? !is_digit(s.p[i]) : s.p[i] != *shape)
			return false;
		i++;
		if (i >= 2 && strchr("MDhms", *shape) && shape[1] != *shape) {
			int v = two(s.p + i - 2), most = *shape == 'M'	 ? 12
							 : *shape == 'D' ? 31
							 : *shape == 'h' ? 23
									 : 59;

			if (v > most || (v == 0 && (*shape == 'M' || *shape == 'D')))
				return false;
		}
		if (*shape == 'Y' && shape[1] != 'Y' && (s.p[i - 4] < '1' || s.p[i - 4] > '2'))
			return false;
	}
	return i == s.n;
}

static bool is_nik(const char *d)
{
	int province = two(d), day = two(d + 6), month = two(d + 8);

	if (day > 40)
		day -= 40;
	return province >= 11 && province <= 97 && day >= 1 && day <= 31 && month >= 1 && month <= 12;
}

static void take_digits(struct adapter_init_forms *f, struct bus_str s)
{
	char d[32];
	size_t n = 0;
	bool plain = true;

	for (size_t i = 0; i < s.n; i++) {
		if (is_digit(s.p[i])) {
			if (n < sizeof(d))
				d[n] = s.p[i];
			n++;
		} else if (strchr(".- ", s.p[i]) && s.p[i]) {
			plain = false;
		} else {
			return;
		}
	}
	if (n == 0)
		return;
	f->of_length[n < 31 ? n : 31]++;
	if (!plain)
		return;
	f->digits++;
	f->zero += n > 1 && d[0] == '0';
	f->too_long += n > DIGITS_MAX;
	f->nik += n == 16 && is_nik(d);
}

/* Digits in groups of three: 1.234.567 with mark '.'. *rest: what stands behind the last group. */
static size_t groups(struct bus_str s, char mark, size_t *rest)
{
	size_t i = 0, n = 0;

	while (i < s.n && i < 3 && is_digit(s.p[i]))
		i++;
	while (i > 0 && i + 3 < s.n && s.p[i] == mark && is_digit(s.p[i + 1]) && is_digit(s.p[i + 2]) &&
	       is_digit(s.p[i + 3])) {
		i += 4;
		n++;
	}
	*rest = i;
	return n;
}

static bool all_digits(struct bus_str s, size_t from)
{
	for (size_t i = from; i < s.n; i++)
		if (!is_digit(s.p[i]))
			return false;
	return from < s.n;
}

static void take_amount(struct adapter_init_forms *f, struct bus_str s)
{
	static const char marks[] = { '.', ',', ' ' };
	size_t rest;

	if (s.n > 2 && strncasecmp(s.p, "rp", 2) == 0) {
		size_t skip = s.p[2] == '.' ? 3 : 2;

		while (skip < s.n && s.p[skip] == ' ')
			skip++;
		f->rupiah++;
		s = (struct bus_str){ s.p + skip, s.n - skip };
	} else if (s.n > 0 && s.p[0] == '-') {
		s = (struct bus_str){ s.p + 1, s.n - 1 };
	}
	if (all_digits(s, 0)) {
		f->whole++;
		f->amount++;
		return;
	}
	for (size_t i = 0; i < sizeof(marks); i++) {
		size_t n = groups(s, marks[i], &rest);
		bool tail = rest < s.n && marks[i] != s.p[rest] && (s.p[rest] == '.' || s.p[rest] == ',') &&
			    all_digits(s, rest + 1);

		if (n == 0 || (rest < s.n && !tail))
			continue;
		f->amount++;
		f->group_comma += marks[i] == ',';
		f->group_point += marks[i] == '.';
		f->group_space += marks[i] == ' ';
		if (tail && s.p[rest] == ',')
			f->comma++;
		else if (tail)
			f->point++;
		return;
	}
	for (rest = 0; rest < s.n && is_digit(s.p[rest]);)
		rest++;
	if (rest < s.n && (s.p[rest] == '.' || s.p[rest] == ',') && all_digits(s, rest + 1)) {
		f->amount++;
		f->point += s.p[rest] == '.';
		f->comma += s.p[rest] == ',';
	}
}

/* One or two digits, no more than max; *i moves past them. */
static bool small(struct bus_str s, size_t *i, int max)
{
	size_t from = *i;
	int v = 0;

	for (; *i < s.n && *i < from + 2 && is_digit(s.p[*i]); (*i)++)
		v = v * 10 + (s.p[*i] - '0');
	return v >= 1 && v <= max;
}

static bool month_name(struct bus_str s, size_t *i)
{
	static const char *const names[] = { "jan", "feb", "mar", "apr", "mei", "may", "jun", "jul", "agu",
					     "ags", "aug", "sep", "okt", "oct", "nov", "nop", "des", "dec" };
	bool known = false;

	for (size_t k = 0; k < BUS_LEN(names) && !known; k++)
		known = s.n - *i >= 3 && strncasecmp(s.p + *i, names[k], 3) == 0;
	while (known && *i < s.n && isalpha((unsigned char)s.p[*i]))
		(*i)++;
	return known;
}

/* Day, month and year as people write them: 1/2/2024, 01-02-24, 1 Februari 2024. No format of the mapping reads these. */
static bool is_loose_date(struct bus_str s)
{
	size_t i = 0, year;
	char mark;

	if (!small(s, &i, 31) || i >= s.n || !strchr("/-. ", s.p[i]))
		return false;
	mark = s.p[i++];
	if (i >= s.n || !(is_digit(s.p[i]) ? small(s, &i, 12) : month_name(s, &i)) || i >= s.n ||
	    s.p[i] != mark)
		return false;
	year = s.n - ++i;
	return (year == 2 || year == 4) && all_digits(s, i);
}

void adapter_init_forms_take(struct adapter_init_forms *f, struct bus_str s, bool number)
{
	const char *e = memchr(s.p, 'E', s.n);
	bool dated = is_loose_date(s);

	f->number += number;
	take_digits(f, s);
	take_amount(f, s);
	f->scientific +=
	    e && e > s.p && e + 2 < s.p + s.n && e[1] == '+' && is_digit(e[-1]) && is_digit(e[2]);
	f->email += memchr(s.p, '@', s.n) && memchr(s.p, '.', s.n) && !memchr(s.p, ' ', s.n);
	for (size_t i = 0; i < ADAPTER_INIT_DATES; i++) {
		bool fits = has_shape(s, dates[i]);

		f->date[i] += fits;
		dated |= fits && i < DIGITS_ONLY;
	}
	f->dated += dated;
	for (size_t i = 0; i < ADAPTER_INIT_TIMES; i++)
		f->time[i] += has_shape(s, time_shapes[i]);
	if (s.n == 10 && s.p[2] == '/' && s.p[5] == '/' && is_digit(s.p[0]) && is_digit(s.p[1]) &&
	    is_digit(s.p[3]) && is_digit(s.p[4])) {
		f->day_first += two(s.p) > 12;
		f->month_first += two(s.p + 3) > 12;
	}
}

/* ---- the column ---- */

/* The word stands in the name by itself. */
static bool named(const char *name, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = name; *p; p++) {
		if (p > name && isalnum((unsigned char)p[-1]))
			continue;
		if (strncasecmp(p, word, n) == 0 && !isalpha((unsigned char)p[n]))
			return true;
	}
	return false;
}

static bool named_any(const char *name, const char *const *words)
{
	for (; *words; words++)
		if (named(name, *words))
			return true;
	return false;
}

static void say(struct adapter_init_guess *out, enum adapter_init_type type, enum adapter_init_sure sure,
		const char *as, const char *why)
{
	out->type = type;
	out->sure = sure;
	snprintf(out->as, sizeof(out->as), "%s", as);
	snprintf(out->why, sizeof(out->why), "%s", why);
}

static bool most(uint64_t n, uint64_t filled, unsigned percent)
{
	return filled > 0 && n * 100 >= filled * percent;
}

/* Identifiers: the name says so, and most values have as many digits. */
static bool guess_id(const struct adapter_init_forms *f, const char *name, uint64_t filled,
		     struct adapter_init_guess *out)
{
	static const struct {
		const char *name;
		size_t a, b; /* digits */
		const char *as;
		char class;
	} ids[] = {
		{ "nik", 16, 16, "nik_lenient", 'U' }, { "ktp", 16, 16, "nik_lenient", 'U' },
		{ "kk", 16, 16, "kk", 'U' },	       { "npwp", 15, 16, "npwp", 'S' },
		{ "nitku", 22, 22, "nitku", 'S' },     { "nip", 18, 18, "nip", 'U' },
		{ "nop", 18, 18, "nop", 'N' },	       { "nib", 13, 13, "nib", 'N' },
		{ "npsn", 8, 8, "npsn", 'N' },	       { "nisn", 10, 10, "nisn", 'A' },
	};

	for (size_t i = 0; i < BUS_LEN(ids); i++) {
		uint64_t n = f->of_length[ids[i].a] + (ids[i].b != ids[i].a ? f->of_length[ids[i].b] : 0);

		if (!named(name, ids[i].name) || !most(n, filled, 80) || f->scientific > 0)
			continue;
		say(out, ADAPTER_INIT_ID, most(n, filled, 99) ? ADAPTER_INIT_HIGH : ADAPTER_INIT_MEDIUM,
		    ids[i].as, "");
		snprintf(out->why, sizeof(out->why),
			 "nama kolom dan %llu dari %llu nilai sepanjang nomor ini / its name, and %llu of "
			 "%llu values have "
			 "that many digits",
			 (unsigned long long)n, (unsigned long long)filled, (unsigned long long)n,
			 (unsigned long long)filled);
		out->class = ids[i].class;
		return true;
	}
	if (!most(f->nik, filled, 90))
		return false;
	say(out, ADAPTER_INIT_ID, ADAPTER_INIT_MEDIUM, "nik_lenient",
	    "16 digit dengan provinsi dan tanggal lahir seperti NIK / 16 digits with a province and a day of "
	    "birth, as in a "
	    "NIK");
	out->class = 'U';
	return true;
}

static bool guess_date(const struct adapter_init_forms *f, const char *name, uint64_t filled,
		       struct adapter_init_guess *out)
{
	static const char *const words[] = { "tgl", "tanggal", "date", "tmt", "lahir", NULL };
	char as[64];
	size_t best = 0;

	for (size_t i = 1; i < ADAPTER_INIT_DATES; i++)
		if (f->date[i] > f->date[best])
			best = i;
	/* DD/MM and MM/DD look alike until a day is over 12. */
	if (best == 5 && f->month_first <= f->day_first)
		best = 2;
	if (best == 2 && f->month_first > f->day_first)
		best = 5;
	if (most(f->date[best], filled, 90) && (best < DIGITS_ONLY || named_any(name, words))) {
		bool open = (best == 2 || best == 5) && f->day_first + f->month_first == 0;

		snprintf(as, sizeof(as), "{date: %s}", dates[best]);
		say(out, ADAPTER_INIT_DATE, open ? ADAPTER_INIT_MEDIUM : ADAPTER_INIT_HIGH, as,
		    open ? "tanggal; tiada hari di atas 12, maka hari dianggap di depan / dates; no day is "
			   "over 12, so the "
			   "day is taken to come first"
			 : "semua nilainya tanggal dalam bentuk ini / its values are dates in this form");
		if (!most(f->date[best], filled, 100))
			out->sure = ADAPTER_INIT_MEDIUM;
		return true;
	}
	for (size_t i = 1, k = 0; i <= ADAPTER_INIT_TIMES; i++) {
		if (i < ADAPTER_INIT_TIMES && f->time[i] > f->time[k])
			k = i;
		if (i < ADAPTER_INIT_TIMES || !most(f->time[k], filled, 90))
			continue;
		snprintf(as, sizeof(as), strchr(times[k], ':') ? "{time: \"%s\"}" : "{time: %s}", times[k]);
		say(out, ADAPTER_INIT_TIME, ADAPTER_INIT_HIGH, as,
		    "semua nilainya waktu dalam bentuk ini / its values are times in this form");
		return true;
	}
	return false;
}

/* Digits that are no amount. */
static bool guess_code(const struct adapter_init_forms *f, const char *name, uint64_t filled,
		       struct adapter_init_guess *out)
{
	static const char *const words[] = { "kode",	"kd",	    "id",      "code", "nomor",	  "no",
					     "npsn",	"telp",	    "telepon", "hp",   "phone",	  "rekening",
					     "rt",	"rw",	    "pos",     "nis",  "osm_id",  "pin",
					     "kodepos", "postcode", "postal",  "zip",  "zipcode", NULL };

	if (f->zero > 0 && most(f->digits, filled, 60)) {
		say(out, ADAPTER_INIT_CODE, ADAPTER_INIT_HIGH, "",
		    "ada nilai berawalan 0: kode, bukan bilangan / some begin with 0: a code, no number");
		return true;
	}
	if (f->too_long > 0 && most(f->digits, filled, 60)) {
		say(out, ADAPTER_INIT_CODE, ADAPTER_INIT_HIGH, "",
		    "terlalu panjang untuk bilangan / too long for a number");
		return true;
	}
	if (most(f->whole + f->point, filled, 60) && named_any(name, words)) {
		say(out, ADAPTER_INIT_CODE, f->point > 0 ? ADAPTER_INIT_LOW : ADAPTER_INIT_MEDIUM, "",
		    f->point > 0
			? "menurut namanya nomor, tetapi lembar sebar membuatnya pecahan (.0): perbaiki di "
			  "sumbernya / "
			  "by its name a number of something, but a spreadsheet made it a fraction (.0): "
			  "mend it at "
			  "the source"
			: "menurut namanya nomor atau kode / by its name a number or code of something");
		return true;
	}
	return false;
}

static bool guess_number(const struct adapter_init_forms *f, uint64_t filled, struct adapter_init_guess *out)
{
	uint64_t fractions = f->point + f->comma;
	char as[48];
	bool comma;

	if (f->scientific > 0 && most(f->scientific + f->whole, filled, 90)) {
		say(out, ADAPTER_INIT_TEXT, ADAPTER_INIT_LOW, "",
		    "lembar sebar menulisnya 1,47E+15: angkanya hilang / a spreadsheet wrote it as 1,47E+15: "
		    "digits are lost");
		return true;
	}
	if (most(f->rupiah, filled, 60) && f->group_comma == 0) {
		say(out, ADAPTER_INIT_RUPIAH,
		    most(f->amount, filled, 99) ? ADAPTER_INIT_HIGH : ADAPTER_INIT_MEDIUM, "rupiah",
		    "didahului Rp / with Rp in front");
		return true;
	}
	if (most(f->rupiah, filled, 60)) {
		say(out, ADAPTER_INIT_WHOLE, ADAPTER_INIT_MEDIUM,
		    "[{strip_prefix: Rp}, {remove: \",\"}, whole]",
		    "rupiah dengan koma sebagai pemisah ribuan / rupiah with commas between thousands");
		return true;
	}
	if (most(f->whole, filled, 100)) {
		say(out, ADAPTER_INIT_WHOLE, ADAPTER_INIT_HIGH, "whole",
		    "semuanya bilangan bulat / all are whole numbers");
		return true;
	}
	if (!most(f->amount, filled, 95))
		return false;
	/* One mark parts thousands, or marks fractions; 1.234 says nothing by itself. */
	if (fractions > 0 ? f->point > 0 && f->comma > 0 : f->group_comma > 0 && f->group_point > 0) {
		say(out, ADAPTER_INIT_TEXT, ADAPTER_INIT_LOW, "",
		    "titik dan koma bercampur: mana yang desimal tidak dapat diketahui, dibiarkan sebagai "
		    "teks / points and commas mixed: which is the decimal one cannot be known, left as text");
		return true;
	}
	comma = fractions > 0 ? f->comma > 0 : f->group_comma == 0;
	snprintf(as, sizeof(as),
		 f->group_space > 0 ? "[{remove: \" \"}, {decimal: \"%c\"}]" : "{decimal: \"%c\"}",
		 comma ? ',' : '.');
	if (fractions > 0)
		say(out, ADAPTER_INIT_DECIMAL, ADAPTER_INIT_HIGH, as,
		    comma ? "bilangan pecahan dengan koma / fractions with a comma"
			  : "bilangan pecahan dengan titik / fractions with a point");
	else
		say(out, ADAPTER_INIT_DECIMAL, ADAPTER_INIT_MEDIUM, as,
		    f->group_comma > 0	 ? "koma memisahkan ribuan / commas part thousands"
		    : f->group_point > 0 ? "titik memisahkan ribuan / points part thousands"
					 : "spasi memisahkan ribuan / spaces part thousands");
	return true;
}

void adapter_init_forms_guess(const struct adapter_init_forms *f, const char *name, uint64_t filled,
			      struct adapter_init_guess *out)
{
	if (filled == 0) {
		say(out, ADAPTER_INIT_TEXT, ADAPTER_INIT_LOW, "", "selalu kosong / always empty");
		return;
	}
	if (most(f->email, filled, 80))
		out->class = 'U';
	if (guess_id(f, name, filled, out) || guess_date(f, name, filled, out) ||
	    guess_code(f, name, filled, out) || guess_number(f, filled, out))
		return;
	if (most(f->dated, filled, 90))
		say(out, ADAPTER_INIT_TEXT, ADAPTER_INIT_MEDIUM, "clean",
		    "tanggal dalam bentuk yang tidak dibaca pemetaan, atau dalam beberapa bentuk: dibiarkan "
		    "sebagai teks / dates in a form that a mapping does not read, or in several: left as "
		    "text");
	else if (most(f->amount, filled, 60))
		say(out, ADAPTER_INIT_TEXT, ADAPTER_INIT_MEDIUM, "clean",
		    "kebanyakan bilangan, sebagian bukan: dibiarkan sebagai teks / most are numbers, some "
		    "are not: "
		    "left as text");
	else
		say(out, ADAPTER_INIT_TEXT, ADAPTER_INIT_HIGH, "clean", "teks / text");
}
