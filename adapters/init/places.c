/* Fields at fixed places: found by what all lines have in common at a byte. */
#include "adapters/init/text.h"

#include <ctype.h>

#include "adapters/source.h"

#define LENGTH_MAX 4096
#define LINES_MIN 2

struct byte { /* of a place, over all lines of the sample */
	uint32_t space, digit, other;
};

struct lines {
	char **text;
	size_t *len;
	size_t n;
};

static enum bus_err read_lines(const char *path, struct lines *out, struct bus_error *err)
{
	struct adapter_input *in = NULL;
	struct bus_str line, before = { NULL, 0 };
	bool long_line;
	enum bus_err rc = adapter_input_open(path, &in, err);

	out->text = bus_xcalloc(ADAPTER_INIT_SAMPLE + 1, sizeof(*out->text));
	out->len = bus_xcalloc(ADAPTER_INIT_SAMPLE + 1, sizeof(*out->len));
	if (rc == BUS_OK)
		rc = adapter_source_sniff(in, err);
	while (rc == BUS_OK && (rc = adapter_input_line(in, &line, &long_line, err)) == BUS_OK) {
		size_t n = line.n > LENGTH_MAX ? LENGTH_MAX : line.n;

		if (n == 0)
			continue;
		/* The last line of a long file takes the last place: it may be a trailer. */
		if (out->n == ADAPTER_INIT_SAMPLE) {
			free(out->text[--out->n]);
			before.n++;
		}
		out->text[out->n] = bus_xstrndup(line.p, n);
		out->len[out->n++] = n;
	}
	adapter_input_close(&in);
	return rc == BUS_ENOENT ? BUS_OK : rc;
}

static void release(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->text[i]);
	free(l->text);
	free(l->len);
}

static void find_type(const struct lines *l, struct adapter_init_places *out)
{
	size_t count[256] = { 0 }, best = 0;

	for (size_t i = 0; i < l->n; i++)
		count[(unsigned char)l->text[i][0]]++;
	for (size_t c = 1; c < 256; c++)
		if (count[c] > count[best])
			best = c;
	if (l->n < 3 || count[best] * 10 < l->n * 8 || count[best] == l->n || !isalnum((int)best))
		return;
	/* A letter before all records, and another before the first line or the last. */
	if ((unsigned char)l->text[0][0] != best && count[(unsigned char)l->text[0][0]] == 1 &&
	    isalnum((unsigned char)l->text[0][0]))
		out->header = l->text[0][0];
	if ((unsigned char)l->text[l->n - 1][0] != best && count[(unsigned char)l->text[l->n - 1][0]] == 1 &&
	    isalnum((unsigned char)l->text[l->n - 1][0]))
		out->trailer = l->text[l->n - 1][0];
	if (count[best] + (out->header != 0) + (out->trailer != 0) == l->n && isalpha((int)best))
		out->type = (char)best;
	else
		out->header = out->trailer = 0;
}

static size_t usual_length(const struct lines *l, char type, size_t *n_same, size_t *n_shorter)
{
	size_t *count = bus_xcalloc(LENGTH_MAX + 1, sizeof(*count)), best = 0, most = 0;

	*n_shorter = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (type && l->text[i][0] != type)
			continue;
		count[l->len[i]]++;
	}
	for (size_t i = 1; i <= LENGTH_MAX; i++) {
		if (count[i] > count[best])
			best = i;
		if (count[i] > 0)
			most = i;
	}
	*n_same = count[best];
	for (size_t i = best + 1; i <= most; i++)
		*n_shorter += count[i];
	free(count);
	return best;
}

static bool is_drawn(const char *line)
{
	return line[strspn(line, "-=_+|* ")] == '\0';
}

/* What stands at each byte in the lines that are records, as far as that is known. */
static size_t look(const struct lines *l, char type, size_t length, struct byte *at)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (type ? l->text[i][0] != type : l->len[i] * 2 < length || is_drawn(l->text[i]))
			continue;
		n++;
		for (size_t k = 0; k < length; k++) {
			char c = k < l->len[i] ? l->text[i][k] : ' ';

			at[k].space += c == ' ';
			at[k].digit += c >= '0' && c <= '9';
			at[k].other += c != ' ' && !(c >= '0' && c <= '9');
		}
	}
	return n;
}

static void add_field(struct adapter_init_places *out, size_t from, size_t end)
{
	if (out->fields == BUS_LEN(out->from))
		return;
	out->from[out->fields] = from;
	out->n[out->fields++] = end - from;
}

/* Between two runs of bytes that are never spaces together lie at least `gap` that always are. */
static void by_spaces(const struct byte *at, size_t lines, size_t length, size_t gap,
		      struct adapter_init_places *out)
{
	size_t from = 0, run = 0;
	bool some = false;

	for (size_t k = 0; k <= length; k++) {
		bool blank = k < length && at[k].space == lines;

		if (k < length && blank) {
			run++;
			continue;
		}
		if (k == length || (some && run >= gap)) {
			if (some)
				add_field(out, from, k);
			from = k;
			some = false;
		}
		some = true;
		run = 0;
	}
}

/* One space parts words too: two fields of which the first line, the header perhaps, fills only the left one are one. */
static void join_words(const struct lines *l, struct adapter_init_places *out)
{
	size_t first = 0, n = 0;

	while (first < l->n && (l->len[first] * 2 < out->length || is_drawn(l->text[first])))
		first++;
	if (first == l->n)
		return;
	for (size_t i = 0; i < out->fields; i++) {
		size_t from = out->from[i],
		       end = from + out->n[i] < l->len[first] ? from + out->n[i] : l->len[first];
		bool empty = true;

		for (size_t k = from; k < end; k++)
			empty = empty && l->text[first][k] == ' ';
		if (empty && n > 0) {
			out->n[n - 1] = from + out->n[i] - out->from[n - 1];
			continue;
		}
		out->from[n] = from;
		out->n[n++] = out->n[i];
	}
	out->fields = n;
}

/* Records without spaces between fields: a new one where digits end or begin in all lines alike. */
static void by_kinds(const struct byte *at, size_t lines, size_t length, struct adapter_init_places *out)
{
	size_t from = out->type ? 1 : 0;

	for (size_t k = from + 1; k <= length; k++) {
		bool digits = k < length && at[k].digit == lines, before = at[k - 1].digit == lines;

		if (k < length && digits == before)
			continue;
		add_field(out, from, k);
		from = k;
	}
}

enum bus_err adapter_init_places_find(const char *path, bool *fixed, struct adapter_init_places *out,
				      struct bus_error *err)
{
	struct byte *at = bus_xcalloc(LENGTH_MAX, sizeof(*at));
	struct lines l = { 0 };
	size_t same = 0, longer = 0, n;
	enum bus_err rc = read_lines(path, &l, err);

	*fixed = false;
	*out = (struct adapter_init_places){ 0 };
	if (rc == BUS_OK && l.n >= LINES_MIN) {
		find_type(&l, out);
		out->length = usual_length(&l, out->type, &same, &longer);
		n = l.n - (out->header != 0) - (out->trailer != 0);
		if (same * 10 < n * 7 && !out->type) { /* the last spaces may have been cut off */
			for (size_t i = 0; i < l.n; i++)
				out->length = l.len[i] > out->length ? l.len[i] : out->length;
			out->shorter = true;
		}
		n = look(&l, out->type, out->length, at);
		if (out->type)
			by_kinds(at, n, out->length, out);
		else
			by_spaces(at, n, out->length, n >= 10 ? 1 : 2, out);
		if (!out->type)
			join_words(&l, out);
		*fixed = out->fields > 1 && out->length >= 4;
	}
	release(&l);
	free(at);
	return rc;
}
