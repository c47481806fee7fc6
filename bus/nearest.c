#include <ctype.h>

#include "bus/yaml.h"

#define WORD_MAX 48

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Letters to add, drop or change, or neighbours to swap, to make a of b; case does not count. */
static size_t distance(const char *a, size_t na, const char *b, size_t nb)
{
	size_t row[3][WORD_MAX + 1]; /* of the table: this one and the two above it */

	for (size_t j = 0; j <= nb; j++)
		row[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t *here = row[i % 3];
		const size_t *above = row[(i + 2) % 3];
		const size_t *two_above = row[(i + 1) % 3];

		here[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			int x = tolower((unsigned char)a[i - 1]);
			int y = tolower((unsigned char)b[j - 1]);

			here[j] = least(above[j - 1] + (x != y), least(above[j], here[j - 1]) + 1);
			if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
			    y == tolower((unsigned char)a[i - 2]))
				here[j] = least(here[j], two_above[j - 2] + 1);
		}
	}
	return row[na % 3][nb];
}

const char *bus_nearest(const char *word, const char *const *names, size_t n)
{
	size_t len = strnlen(word, WORD_MAX + 1);
	size_t best = (len + 2) / 3; /* one slip in three letters is still a slip */
	const char *near = NULL;

	if (len == 0 || len > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		size_t name_len = strlen(names[i]);
		size_t d;

		if (name_len > WORD_MAX)
			continue;
		d = distance(word, len, names[i], name_len);
		if (d < best || (d == best && !near)) {
			best = d;
			near = names[i];
		}
	}
	return near;
}
