#include "adapters/reference/copy.h"

#include <stdio.h>

#include "bus/file.h"
#include "bus/mem.h"

#define HEAD "#titian-reference 1 "
#define HEAD_LEN (sizeof(HEAD) - 1 + 2 * BUS_SHA256_LEN + 1)

char *adapter_reference_copy_path(const char *dir, const char *topic)
{
	return bus_xasprintf("%s/%s.csv", dir ? dir : ".", topic);
}

static void put_head(struct bus_str csv, uint8_t digest[BUS_SHA256_LEN], char head[HEAD_LEN + 1])
{
	char hex[2 * BUS_SHA256_LEN + 1];

	bus_sha256(csv.p, csv.n, digest);
	bus_hex(digest, BUS_SHA256_LEN, hex);
	snprintf(head, HEAD_LEN + 1, HEAD "%s\n", hex);
}

enum bus_err adapter_reference_copy_check(const char *path, const char *text, size_t n,
					  uint8_t digest[BUS_SHA256_LEN], size_t *begin,
					  struct bus_error *err)
{
	char head[HEAD_LEN + 1];

	if (n > HEAD_LEN) {
		put_head((struct bus_str){ text + HEAD_LEN, n - HEAD_LEN }, digest, head);
		if (memcmp(text, head, HEAD_LEN) == 0) {
			*begin = HEAD_LEN;
			return BUS_OK;
		}
	}
	return bus_fail(err, BUS_EDATA,
			"%s: the copy of the reference topic is damaged: it is made anew from the bus", path);
}

static bool read_whole(const char *path, struct bus_buf *out)
{
	FILE *f = bus_file_open(path);
	char part[16384];
	size_t n;

	if (!f)
		return false;
	while ((n = fread(part, 1, sizeof(part), f)) > 0 && out->n <= ADAPTER_REFERENCE_MAX)
		bus_buf_put(out, part, n);
	fclose(f);
	return out->n <= ADAPTER_REFERENCE_MAX;
}

bool adapter_reference_copy_whole(const char *path)
{
	struct bus_buf text = { 0 };
	uint8_t digest[BUS_SHA256_LEN];
	size_t begin;
	bool whole = read_whole(path, &text) &&
		     adapter_reference_copy_check(path, text.p, text.n, digest, &begin, NULL) == BUS_OK;

	bus_buf_release(&text);
	return whole;
}

static bool is_same(const char *path, const char *head)
{
	char have[HEAD_LEN];
	FILE *f = bus_file_open(path);
	bool same = f && fread(have, 1, HEAD_LEN, f) == HEAD_LEN && memcmp(have, head, HEAD_LEN) == 0;

	if (f)
		fclose(f);
	return same && adapter_reference_copy_whole(path);
}

enum bus_err adapter_reference_copy_write(const char *path, struct bus_str csv, bool *changed,
					  struct bus_error *err)
{
	uint8_t digest[BUS_SHA256_LEN];
	struct bus_buf text = { 0 };
	char head[HEAD_LEN + 1];
	enum bus_err rc;

	put_head(csv, digest, head);
	*changed = !is_same(path, head);
	if (!*changed)
		return BUS_OK;
	bus_buf_put(&text, head, HEAD_LEN);
	bus_buf_put(&text, csv.p, csv.n);
	rc = bus_file_put(path, bus_buf_str(&text), 0640, BUS_FILE_DURABLE, err);
	bus_buf_release(&text);
	return rc;
}
