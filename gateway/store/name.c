#include "gateway/store/name.h"

#include <stdint.h>

/* One code point; *n bytes. An invalid byte comes back as itself with *bad. */
static uint32_t decode(const unsigned char *p, size_t left, size_t *n, bool *bad)
{
	uint32_t c = p[0];
	size_t more = c < 0x80 ? 0 : c >= 0xf0 && c < 0xf5 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 9;

	*n = 1;
	*bad = more > 3 || more >= left;
	if (*bad || more == 0)
		return c;
	c &= 0x3fu >> more;
	for (size_t i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80) {
			*bad = true;
			return p[0];
		}
		c = c << 6 | (p[i] & 0x3f);
	}
	*n = more + 1;
	return c;
}

static void put(struct bus_buf *b, uint32_t c)
{
	if (c < 0x80) {
		bus_buf_putc(b, (char)c);
	} else if (c < 0x800) {
		bus_buf_putc(b, (char)(0xc0 | c >> 6));
		bus_buf_putc(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		bus_buf_putc(b, (char)(0xe0 | c >> 12));
		bus_buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		bus_buf_putc(b, (char)(0x80 | (c & 0x3f)));
	} else {
		bus_buf_putc(b, (char)(0xf0 | c >> 18));
		bus_buf_putc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		bus_buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		bus_buf_putc(b, (char)(0x80 | (c & 0x3f)));
	}
}

/* Unicode's simple upper case for the Latin blocks (UnicodeData.txt): Latin-1, Extended-A, the regular
 * pairs of Extended-B and Extended Additional. */
static uint32_t upper(uint32_t c)
{
	if (c < 0x80)
		return c >= 'a' && c <= 'z' ? c - 32 : c;
	if (c == 0xb5)
		return 0x39c;
	if (c >= 0xe0 && c <= 0xfe)
		return c == 0xf7 ? c : c - 32;
	if (c == 0xff)
		return 0x178;
	if (c == 0x131)
		return 'I';
	if (c == 0x17f)
		return 'S';
	/* pairs whose small letter is odd */
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177) || (c >= 0x1de && c <= 0x1ef) ||
	    (c >= 0x1f8 && c <= 0x21f) || (c >= 0x222 && c <= 0x233) || (c >= 0x1e00 && c <= 0x1e95) ||
	    (c >= 0x1ea0 && c <= 0x1eff))
		return c & 1 ? c - 1 : c;
	/* pairs whose small letter is even */
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e) || (c >= 0x1cd && c <= 0x1dc))
		return c & 1 ? c : c - 1;
	return c;
}

static bool is_space(uint32_t c)
{
	return c == ' ' || (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x1f) || c == 0x85 || c == 0xa0 ||
	       c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
	       c == 0x205f || c == 0x3000;
}

static bool is_title(const char *p, size_t n)
{
	static const char *const title[] = { "H.", "HJ.", "DR.", "DRA.", "DRS.", "IR.", "DRG.", "PROF." };

	for (size_t i = 0; i < BUS_LEN(title); i++) {
		if (strlen(title[i]) == n && memcmp(title[i], p, n) == 0)
			return true;
	}
	return false;
}

void gw_name_plain(struct bus_str name, struct bus_buf *out)
{
	size_t begin = out->n, word = out->n, n;
	bool in_word = false, leading = true, bad;
	uint32_t c;

	for (size_t i = 0; i <= name.n; i += n) {
		n = 1;
		bad = false;
		c = i < name.n ? decode((const unsigned char *)name.p + i, name.n - i, &n, &bad) : ',';
		if (bad || (c != ',' && !is_space(c))) {
			if (!in_word) {
				if (out->n > begin)
					bus_buf_putc(out, ' ');
				word = out->n;
				in_word = true;
			}
			if (c == 0x2018 || c == 0x2019 || c == '`')
				c = '\'';
			if (bad)
				bus_buf_putc(out, name.p[i]);
			else if (c == 0xdf)
				bus_buf_puts(out, "SS");
			else if (c == 0x149)
				bus_buf_puts(out, "\xca\xbcN");
			else
				put(out, upper(c));
			continue;
		}
		if (in_word && leading) {
			leading = is_title(out->p + word, out->n - word);
			if (leading)
				out->n = word;
		}
		in_word = false;
		if (c == ',')
			break;
	}
}
