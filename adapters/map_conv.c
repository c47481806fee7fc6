/* Conversions of text. None of them guesses: what could be read two ways is bad. */
#include "adapters/map_impl.h"
#include "bus/utf8.h"

static const char *const why_text[] = {
	[MAP_WHY_NONE] = "",
	[MAP_WHY_EMPTY] = "kosong / empty",
	[MAP_WHY_LENGTH] = "panjangnya salah / wrong length",
	[MAP_WHY_DIGITS] = "ada yang bukan angka / not all digits",
	[MAP_WHY_NIK_DATE] = "tanggal lahir di dalam NIK tidak ada / its date of birth does not exist",
	[MAP_WHY_FORMAT] = "bentuknya tidak dikenal / not in a declared format",
	[MAP_WHY_NO_DAY] = "tanggal itu tidak ada / no such day",
	[MAP_WHY_YEAR] = "tahun di luar 1800-2199 / year outside 1800 to 2199",
	[MAP_WHY_NUMBER] = "bukan bilangan bulat / not a whole number",
	[MAP_WHY_FRACTION] = "ada pecahan rupiah / not a whole amount",
	[MAP_WHY_RANGE] = "di luar batas / out of range",
	[MAP_WHY_WORD] = "kata tidak dikenal / not one of the declared words",
	[MAP_WHY_TABLE] = "kode tidak ada dalam tabel acuan / code is not in the reference table",
	[MAP_WHY_PERIOD] = "kode tidak berlaku pada tanggal itu / code was not in force on that day",
	[MAP_WHY_AMBIGUOUS] = "kode punya lebih dari satu arti / code stands for more than one thing",
	[MAP_WHY_SHORT] = "terlalu pendek / too short",
	[MAP_WHY_TREE] = "bukan nilai tunggal / not a single value",
	[MAP_WHY_LIST] = "bukan daftar / not a list",
	[MAP_WHY_ITEM] = "ada isi daftar yang tidak terbaca / an item of the list is bad",
	[MAP_WHY_MANY] = "daftar terlalu panjang / too many items",
	[MAP_WHY_CELL_ERROR] = "sel berisi galat (#N/A) / the cell shows an error (#N/A)",
	[MAP_WHY_CELL_NO_RESULT] =
	    "rumus tanpa hasil: buka dan simpan lagi di Excel / a formula without its result: "
	    "open and save it in Excel",
	[MAP_WHY_CELL_NO_DAY] = "sel bertanggal yang tidak ada / the cell shows a date that does not exist",
	[MAP_WHY_CELL_UNREADABLE] = "isi sel tidak terbaca / the cell cannot be read",
	[MAP_WHY_ROUNDED] =
	    "angka terakhir hilang di Excel: kolom harus teks / lost its last digit in Excel: the "
	    "column must be text",
	[MAP_WHY_ZEROS] =
	    "bilangan, bukan teks: nol di depan mungkin hilang / a number, not text: zeros in front may be "
	    "lost; the column must be text",
	[MAP_WHY_NO_NUMBER] = "hanya nol / nothing but zeros",
	[MAP_WHY_CHECK_DIGIT] = "angka pengaman tidak cocok / its check digit does not fit",
	[MAP_WHY_PART] = "ada bagian yang tidak lazim / a part of it is unusual",
	[MAP_WHY_DECIMAL] = "bukan bilangan desimal / not a decimal number",
	[MAP_WHY_SCALE] = "tidak muat dalam desimal skema / does not fit the schema's digits",
};

const char *adapter_map_why_text(enum map_why why)
{
	return why_text[why];
}

static bool is_space(unsigned char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Spaces, tabs, line breaks and no-break spaces (C2 A0) at both ends. */
struct bus_str adapter_map_trim(struct bus_str s)
{
	for (;;) {
		if (s.n > 0 && is_space((unsigned char)s.p[0])) {
			s.p++;
			s.n--;
		} else if (s.n > 1 && s.p[0] == '\xc2' && s.p[1] == '\xa0') {
			s.p += 2;
			s.n -= 2;
		} else {
			break;
		}
	}
	for (;;) {
		if (s.n > 0 && is_space((unsigned char)s.p[s.n - 1]))
			s.n--;
		else if (s.n > 1 && s.p[s.n - 1] == '\xa0' && s.p[s.n - 2] == '\xc2')
			s.n -= 2;
		else
			break;
	}
	return s;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the next character is the next higher byte");

/* Almost every text is clean already; this asks eight bytes at a time, and errs on the side of yes. */
bool adapter_map_clean_needed(struct bus_str s)
{
	const uint64_t low = 0x0101010101010101u, seven = 0x7f7f7f7f7f7f7f7fu, high = ~seven;
	uint64_t last = 0; /* 0x80: the byte before was a space */
	size_t i = 0;

	for (; i + 8 <= s.n; i += 8) {
		uint64_t w, x, space;

		memcpy(&w, s.p + i, 8);
		x = w ^ low * ' ';
		space = ~(((x & seven) + seven) | x | seven); /* 0x80 in each byte that is a space */
		/* The second: a byte below a space (or its neighbour: the borrow), or one of no ASCII. */
		if ((space & (space << 8 | last)) || (((w - low * ' ') | w) & high))
			return true;
		last = space >> 56;
	}
	for (; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c >= 0x80 || c < ' ' || (c == ' ' && last))
			return true;
		last = c == ' ' ? 0x80 : 0;
	}
	return false;
}

size_t adapter_map_clean(struct bus_str s, char *out)
{
	size_t n = 0;
	bool space = false;

	for (size_t i = 0; i < s.n; i++) {
		if (is_space((unsigned char)s.p[i]) ||
		    (s.p[i] == '\xc2' && i + 1 < s.n && s.p[i + 1] == '\xa0')) {
			i += s.p[i] == '\xc2';
			space = true;
			continue;
		}
		if (space && n > 0)
			out[n++] = ' ';
		space = false;
		out[n++] = s.p[i];
	}
	return n;
}

/* ASCII and the Latin-1 letters (U+00C0 to U+00FE, but for the signs of times and division). */
size_t adapter_map_case(struct bus_str s, bool upper, char *out)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (upper && c >= 'a' && c <= 'z') {
			c -= 0x20;
		} else if (!upper && c >= 'A' && c <= 'Z') {
			c += 0x20;
		} else if (i > 0 && s.p[i - 1] == '\xc3') {
			if (upper && c >= 0xa0 && c <= 0xbe && c != 0xb7)
				c -= 0x20;
			else if (!upper && c >= 0x80 && c <= 0x9e && c != 0x97)
				c += 0x20;
		}
		out[i] = (char)c;
	}
	return s.n;
}

bool adapter_map_same_word(struct bus_str s, struct bus_str upper)
{
	if (s.n != upper.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 0x20);
		if (c != upper.p[i])
			return false;
	}
	return true;
}

bool adapter_map_scientific(struct bus_str s)
{
	size_t i = 0, before = 0, after = 0, power = 0;

	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		before++;
	if (i < s.n && (s.p[i] == ',' || s.p[i] == '.'))
		for (i++; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
			after++;
	if (before + after == 0 || i == s.n || (s.p[i] != 'E' && s.p[i] != 'e'))
		return false;
	i++;
	if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
		i++;
	for (; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		power++;
	return power > 0 && i == s.n;
}

enum map_why adapter_map_whole(struct bus_str s, int64_t *out)
{
	bool minus = s.n > 0 && s.p[0] == '-';
	int64_t v = 0;

	if (s.n == (size_t)minus)
		return MAP_WHY_NUMBER;
	for (size_t i = minus; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return MAP_WHY_NUMBER;
		if (__builtin_mul_overflow(v, (int64_t)10, &v) ||
		    __builtin_add_overflow(v, (int64_t)(s.p[i] - '0'), &v))
			return MAP_WHY_RANGE;
	}
	*out = minus ? -v : v;
	return MAP_WHY_NONE;
}

/* "Rp 750.000,00", "750.000", "750000", "36000000.00". A comma is the decimal mark; a point is one only when
 * no comma follows and one or two digits do; other points part groups of exactly three. Cents must be 0. */
enum map_why adapter_map_rupiah(struct bus_str s, int64_t *out)
{
	size_t i = 0, whole, groups = 0, run = 0;
	const char *comma;
	int64_t v = 0;

	if (s.n >= 2 && (s.p[0] == 'R' || s.p[0] == 'r') && (s.p[1] == 'p' || s.p[1] == 'P')) {
		s.p += 2;
		s.n -= 2;
		if (s.n > 0 && s.p[0] == '.') {
			s.p++;
			s.n--;
		}
		s = adapter_map_trim(s);
	}
	if (s.n == 0)
		return MAP_WHY_NUMBER;
	comma = memchr(s.p, ',', s.n);
	whole = comma ? (size_t)(comma - s.p) : s.n;
	if (!comma) {
		const char *dot = memchr(s.p, '.', s.n);

		if (dot && s.n - (size_t)(dot - s.p) <= 3)
			whole = (size_t)(dot - s.p);
	}
	for (i = 0; i < whole; i++) {
		if (s.p[i] == '.') {
			if (run == 0 || run > 3 || (groups > 0 && run != 3))
				return MAP_WHY_NUMBER;
			groups++;
			run = 0;
			continue;
		}
		if (s.p[i] < '0' || s.p[i] > '9')
			return MAP_WHY_NUMBER;
		run++;
		if (__builtin_mul_overflow(v, (int64_t)10, &v) ||
		    __builtin_add_overflow(v, (int64_t)(s.p[i] - '0'), &v))
			return MAP_WHY_RANGE;
	}
	if (run == 0 || (groups > 0 && run != 3))
		return MAP_WHY_NUMBER;
	if (whole < s.n && (s.n - whole < 2 || s.n - whole > 3))
		return MAP_WHY_NUMBER;
	for (i = whole + 1; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return MAP_WHY_NUMBER;
		if (s.p[i] != '0')
			return MAP_WHY_FRACTION;
	}
	*out = v;
	return MAP_WHY_NONE;
}

/* Characters from..to, counted from 1, both included. */
enum map_why adapter_map_cut(struct bus_str s, size_t from, size_t to, struct bus_str *out)
{
	size_t i = 0, start = 0;

	for (size_t at = 1; at <= to; at++) {
		size_t len;

		if (i == s.n)
			return MAP_WHY_SHORT;
		if (at == from)
			start = i;
		len = bus_utf8_len(s.p + i, s.n - i);
		i += len > 0 ? len : 1;
	}
	*out = (struct bus_str){ s.p + start, i - start };
	return MAP_WHY_NONE;
}

enum map_why adapter_map_rupiah_number(struct bus_str s, int64_t *out)
{
	const char *point = s.n > 0 ? memchr(s.p, '.', s.n) : NULL;
	struct bus_str whole = { s.p, point ? (size_t)(point - s.p) : s.n };

	for (size_t i = whole.n + 1; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return MAP_WHY_NUMBER;
		if (s.p[i] != '0')
			return MAP_WHY_FRACTION;
	}
	return adapter_map_whole(whole, out);
}

bool adapter_map_texts_have(const struct map_texts *t, struct bus_str s)
{
	if (!(t->lengths & (uint64_t)1 << (s.n < 63 ? s.n : 63)))
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (bus_str_eq(t->text[i], s))
			return true;
	return false;
}
