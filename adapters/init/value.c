#include "adapters/init/value.h"

#include <strings.h>

#define NUMBER_MAX 64 /* bytes of a number, with all its marks */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool adapter_init_is_null(struct bus_str s)
{
	static const char *const words[] = { "-",    "--",  "---",	    "na",	    "n/a",
					     "null", "nan", "#n/a",	    "none",	    "nil",
					     "...",  "..",  "\xe2\x80\xa6", "\xe2\x80\x93", "?",
					     "\\n" };

	for (size_t i = 0; i < BUS_LEN(words); i++)
		if (s.n == strlen(words[i]) && strncasecmp(s.p, words[i], s.n) == 0)
			return true;
	return false;
}

bool adapter_init_is_number(struct bus_str s)
{
	size_t digits = 0, i = 0;

	if (s.n == 0 || s.n > NUMBER_MAX)
		return false;
	if (s.n > 2 && strncasecmp(s.p, "rp", 2) == 0)
		i = s.p[2] == '.' ? 3 : 2;
	for (; i < s.n; i++) {
		char c = s.p[i];

		if (is_digit(c))
			digits++;
		else if (c == '\xc2' && i + 1 < s.n && s.p[i + 1] == '\xa0')
			i++;
		else if (c == 'E' && digits > 0 && i + 1 < s.n && strchr("+-", s.p[i + 1]))
			i++;
		else if ((c == 'T' || c == 'Z') && digits >= 8)
			continue;
		else if (!strchr(" .,-+/:%()'", c) || c == '\0')
			return false;
	}
	return digits > 0 && digits * 3 >= s.n;
}

bool adapter_init_is_year(struct bus_str s)
{
	return s.n == 4 && ((s.p[0] == '1' && s.p[1] == '9') || (s.p[0] == '2' && s.p[1] == '0')) &&
	       is_digit(s.p[2]) && is_digit(s.p[3]);
}

/* Digits from *i on, at most three; -1: none. */
static int few_digits(struct bus_str s, size_t *i)
{
	size_t from = *i;
	int v = 0;

	for (; *i < s.n && *i < from + 3 && is_digit(s.p[*i]); (*i)++)
		v = v * 10 + (s.p[*i] - '0');
	return *i > from ? v : -1;
}

bool adapter_init_is_span(struct bus_str s)
{
	size_t i = 0;
	int from = few_digits(s, &i), to;

	while (i < s.n && s.p[i] == ' ')
		i++;
	if (from < 0 || i == s.n || s.p[i++] != '-')
		return false;
	while (i < s.n && s.p[i] == ' ')
		i++;
	to = few_digits(s, &i);
	return to > from && i == s.n;
}

int adapter_init_small(struct bus_str s)
{
	int v = 0;

	if (s.n > 2 && s.p[0] == '(' && s.p[s.n - 1] == ')')
		s = (struct bus_str){ s.p + 1, s.n - 2 };
	if (s.n == 0 || s.n > 3)
		return -1;
	for (size_t i = 0; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return -1;
		v = v * 10 + (s.p[i] - '0');
	}
	return v;
}

bool adapter_init_amount(struct bus_str s, double *out)
{
	char text[NUMBER_MAX + 1];
	size_t n = 0, marks = 0, tail = 0;
	char last = 0;

	if (!adapter_init_is_number(s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '.' || s.p[i] == ',') {
			marks += s.p[i] == last;
			last = s.p[i];
		}
	/* The last mark is the decimal one, unless it comes twice or three digits follow it. */
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (is_digit(c) || (c == '-' && n == 0)) {
			text[n++] = c;
			tail++;
		} else if (c == last && marks == 0 && (s.n - i - 1 != 3)) {
			text[n++] = '.';
		} else if (c == '/' || c == ':' || (c == '-' && n > 0)) {
			return false;
		}
	}
	text[n] = '\0';
	*out = strtod(text, NULL);
	return tail > 0;
}

/* The word at the beginning, without regard to case, and no letter behind it. */
static bool begins(struct bus_str s, const char *word, size_t *n)
{
	*n = strlen(word);
	if (s.n < *n || strncasecmp(s.p, word, *n) != 0)
		return false;
	return s.n == *n || !((s.p[*n] >= 'a' && s.p[*n] <= 'z') || (s.p[*n] >= 'A' && s.p[*n] <= 'Z') ||
			      is_digit(s.p[*n]) || s.p[*n] == '_');
}

static bool only_marks(struct bus_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr(" .:;-=_*)", s.p[i]))
			return false;
	return true;
}

enum adapter_init_word adapter_init_word_of(struct bus_str s, size_t *n)
{
	static const char *const totals[] = { "jumlah",	    "total",	 "subtotal",	"sub total",
					      "sub jumlah", "sub-total", "grand total", "jml",
					      "rata-rata",  "rata rata", "rerata",	"average" };
	static const char *const whole[] = { "total",  "jumlah",  "keseluruhan", "seluruhnya", "seluruh",
					     "semua",  "umum",	  "besar",	 "akhir",      "/ total",
					     "/total", "(total)", "/ jumlah",	 "all" };
	static const char *const notes[] = { "sumber",	"catatan",	 "keterangan", "ket",	   "note",
					     "notes",	"source",	 "mengetahui", "dicetak",  "diunduh",
					     "printed", "tanggal cetak", "diolah",     "demikian", "halaman",
					     "page",	"menyetujui",	 "hormat kami" };

	while (s.n > 0 && (s.p[0] == '(' || s.p[0] == '*')) {
		s.p++;
		s.n--;
	}
	for (size_t i = 0; i < BUS_LEN(totals); i++) {
		struct bus_str rest;
		size_t more;

		if (!begins(s, totals[i], n))
			continue;
		rest = (struct bus_str){ s.p + *n, s.n - *n };
		while (rest.n > 0 && rest.p[0] == ' ')
			rest = (struct bus_str){ rest.p + 1, rest.n - 1 };
		if (only_marks(rest))
			return ADAPTER_INIT_TOTAL;
		for (size_t k = 0; k < BUS_LEN(whole); k++)
			if (begins(rest, whole[k], &more) &&
			    only_marks((struct bus_str){ rest.p + more, rest.n - more }))
				return ADAPTER_INIT_TOTAL;
		return ADAPTER_INIT_TOTAL_OF;
	}
	for (size_t i = 0; i < BUS_LEN(notes); i++)
		if (begins(s, notes[i], n))
			return ADAPTER_INIT_NOTE_WORD;
	*n = 0;
	return ADAPTER_INIT_NO_WORD;
}
