/* Identifiers of the administration: their digits are what makes one, the rest only makes it doubtful. An
 * identifier outlives the rule it was made by: nobody's NIK changes when a date of birth is corrected, and a
 * place in it may have been divided since. So a row is refused for the number of digits, and for nothing else.
 *
 * Written with points, dashes and spaces it is the same identifier. A number out of a spreadsheet is not: its
 * last digits are rounded (1,47E+15), or its leading zeros gone.
 */
#include "adapters/map_impl.h"
#include "bus/clock.h"

static int two(const char *p)
{
	return (p[0] - '0') * 10 + (p[1] - '0');
}

/* The 38 provinces of today (Kepmendagri 300.2.2-2430/2025). Those before them had no other numbers. */
static bool province(const char *p)
{
	static const struct {
		int8_t from, to;
	} range[] = { { 11, 19 }, { 21, 21 }, { 31, 36 }, { 51, 53 },
		      { 61, 65 }, { 71, 76 }, { 81, 82 }, { 91, 96 } };
	int n = two(p);

	for (size_t i = 0; i < BUS_LEN(range); i++)
		if (n >= range[i].from && n <= range[i].to)
			return true;
	return false;
}

static bool day(int year, int month, int d)
{
	int32_t days;

	return bus_clock_days(year, month, d, &days);
}

/* DDMMYY of a year without a century: 29 February is one in 2000, and none in 1900. */
static bool short_day(const char *p, int d)
{
	return day(1900 + two(p + 4), two(p + 2), d) || day(2000 + two(p + 4), two(p + 2), d);
}

/* Place of first registration 6, DDMMYY of birth (women: day + 40), serial 4. No check digit is known. */
static enum map_why nik(const char *p)
{
	int d = two(p + 6);

	if (!province(p))
		return MAP_WHY_PART;
	return short_day(p + 6, d > 40 ? d - 40 : d) ? MAP_WHY_NONE : MAP_WHY_NIK_DATE;
}

/* Place 6, DDMMYY of the day on which the card was recorded, serial 4. */
static enum map_why kk(const char *p)
{
	if (!province(p))
		return MAP_WHY_PART;
	return short_day(p + 6, two(p + 6)) ? MAP_WHY_NONE : MAP_WHY_NO_DAY;
}

/* The number before 2024: the ninth of its 15 digits checks the eight before it by Luhn's rule (ISO/IEC 7812-1,
 * annex B). So say Business::ID::NPWP, python-stdnum and what bookkeepers write; the tax office has not
 * published it: hence a doubt, no defect. */
static bool luhn(const char *p)
{
	int sum = 0;

	for (int i = 0; i < 9; i++) {
		int d = (p[i] - '0') * (i % 2 + 1);

		sum += d > 9 ? d - 9 : d;
	}
	return sum % 10 == 0;
}

/* Since PMK 112/PMK.03/2022: a resident's is the NIK, everybody else's a 0 and the 15 digits of before. */
static enum map_why npwp(const char *p)
{
	if (p[0] != '0')
		return nik(p);
	return luhn(p + 1) ? MAP_WHY_NONE : MAP_WHY_CHECK_DIGIT;
}

/* Province 2, city 2, kecamatan 3, kelurahan 3, block 3, number 4, kind of object 1: 0, 7 or 9. */
static enum map_why nop(const char *p)
{
	return province(p) && strchr("079", p[17]) ? MAP_WHY_NONE : MAP_WHY_PART;
}

/* Birth YYYYMMDD, appointment YYYYMM (BKN 22/2007; with a contract, PPPK: YYYY and 21), sex 1 or 2, serial 3. */
static enum map_why nip(const char *p)
{
	int year = two(p) * 100 + two(p + 2), since = two(p + 8) * 100 + two(p + 10), month = two(p + 12);

	if (!day(year, two(p + 4), two(p + 6)))
		return MAP_WHY_NO_DAY;
	if (since <= year || ((month < 1 || month > 12) && month != 21) || (p[14] != '1' && p[14] != '2'))
		return MAP_WHY_PART;
	return MAP_WHY_NONE;
}

const struct map_id adapter_map_ids[] = {
	{ "nik_lenient", 16, true, nik },
	{ "kk", 16, true, kk },
	{ "npwp", 16, true, npwp },  /* also 15 */
	{ "nitku", 22, true, npwp }, /* NPWP 16 and place of business 6 */
	{ "nop", 18, false, nop },
	{ "nib", 13, false, NULL }, /* random digits (PP 24/2018) */
	{ "npsn", 8, false, NULL }, /* a course or a centre of learning has a letter in front */
	{ "nisn", 10, true, NULL },
	{ "nip", 18, true, nip },
	{ 0 },
};

const struct map_id *adapter_map_id_find(const char *name)
{
	for (const struct map_id *id = adapter_map_ids; id->name; id++)
		if (strcmp(id->name, name) == 0)
			return id;
	return NULL;
}

/* Length of the separator at p: space, point, dash; NBSP and en dash, which Word makes of them. */
static size_t separator(const char *p, size_t n)
{
	if (*p == ' ' || *p == '.' || *p == '-')
		return 1;
	if (n >= 2 && memcmp(p, "\xc2\xa0", 2) == 0)
		return 2;
	return n >= 3 && memcmp(p, "\xe2\x80\x93", 3) == 0 ? 3 : 0;
}

/* "131216600910.0": what a program writes that took the column for numbers. */
static bool is_float(struct bus_str s)
{
	const char *point = memchr(s.p, '.', s.n);
	size_t at = point ? (size_t)(point - s.p) : 0;

	if (!point || s.n - at > 3)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (i != at && (s.p[i] < '0' || s.p[i] > '9' || (i > at && s.p[i] != '0')))
			return false;
	return s.n - at > 1;
}

static enum map_why wrong_length(const struct map_id *id, size_t n, bool number)
{
	return number && n < id->digits ? MAP_WHY_ZEROS : MAP_WHY_LENGTH;
}

enum map_why adapter_map_id(const struct map_id *id, struct bus_str s, bool number, char *out, size_t *len,
			    enum map_why *doubt)
{
	bool letter = false, some = false;
	size_t n = 0, step;

	*doubt = MAP_WHY_NONE;
	if (adapter_map_scientific(s))
		return MAP_WHY_ROUNDED;
	if (is_float(s))
		return MAP_WHY_ZEROS;
	for (size_t i = 0; i < s.n; i += step) {
		step = separator(s.p + i, s.n - i);
		if (step > 0)
			continue;
		step = 1;
		if (n == 0 && id->digits == 8 && s.p[i] >= 'A' && s.p[i] <= 'Z')
			letter = true;
		else if (s.p[i] < '0' || s.p[i] > '9')
			return MAP_WHY_DIGITS;
		if (n == id->digits)
			return MAP_WHY_LENGTH;
		some |= s.p[i] != '0';
		out[n++] = s.p[i];
	}
	if (n == 15 && id->digits == 16 && id->doubt == npwp && !number) {
		memmove(out + 1, out, 15);
		out[0] = '0';
		n = 16;
	}
	if (n != id->digits)
		return wrong_length(id, n, number);
	if (!some)
		return MAP_WHY_NO_NUMBER;
	if (letter)
		*doubt = MAP_WHY_PART;
	else if (id->doubt)
		*doubt = id->doubt(out);
	*len = n;
	return MAP_WHY_NONE;
}
