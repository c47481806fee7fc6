#include "adapters/package.h"

#include <zip.h>

#define RATIO_MAX 250
#define RATIO_FROM ((uint64_t)64 * 1024 * 1024)
#define TAIL ((size_t)66 * 1024) /* where the end record of a ZIP lies: 22 bytes and a comment of 65,535 */

struct adapter_package {
	zip_t *zip;
	struct adapter_input *in;
	uint64_t at;	     /* of libzip's reading */
	zip_error_t error;   /* of it */
	struct bus_error io; /* the file could not be read: no fault of what is in it */
};

struct adapter_part {
	const struct adapter_package *package;
	zip_file_t *file;
	char *name;
	uint64_t limit, packed, given;
};

/* ---- the bytes, as libzip asks for them ---- */

static zip_int64_t seek_to(struct adapter_package *p, void *data, zip_uint64_t len)
{
	zip_int64_t to = zip_source_seek_compute_offset(p->at, (zip_uint64_t)adapter_input_size(p->in), data,
							len, &p->error);

	if (to < 0)
		return -1;
	p->at = (uint64_t)to;
	return 0;
}

static zip_int64_t read_some(struct adapter_package *p, void *data, zip_uint64_t len)
{
	size_t got;

	if (adapter_input_read_at(p->in, p->at, data, len, &got, &p->io) != BUS_OK) {
		zip_error_set(&p->error, ZIP_ER_READ, 0);
		return -1;
	}
	p->at += got;
	return (zip_int64_t)got;
}

static zip_int64_t answer(void *ctx, void *data, zip_uint64_t len, zip_source_cmd_t cmd)
{
	struct adapter_package *p = ctx;
	zip_stat_t *st = data;

	switch (cmd) {
	case ZIP_SOURCE_OPEN:
		p->at = 0;
		return 0;
	case ZIP_SOURCE_READ:
		return read_some(p, data, len);
	case ZIP_SOURCE_SEEK:
		return seek_to(p, data, len);
	case ZIP_SOURCE_TELL:
		return (zip_int64_t)p->at;
	case ZIP_SOURCE_STAT:
		zip_stat_init(st);
		st->size = (zip_uint64_t)adapter_input_size(p->in);
		st->valid = ZIP_STAT_SIZE;
		return sizeof(*st);
	case ZIP_SOURCE_ERROR:
		return zip_error_to_data(&p->error, data, len);
	case ZIP_SOURCE_CLOSE:
	case ZIP_SOURCE_FREE:
		return 0;
	case ZIP_SOURCE_SUPPORTS:
		return zip_source_make_command_bitmap(
		    ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
		    ZIP_SOURCE_FREE, ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_SUPPORTS, -1);
	default:
		zip_error_set(&p->error, ZIP_ER_OPNOTSUPP, 0);
		return -1;
	}
}

/* ---- opening ---- */

/* libzip keeps something for each entry of the directory. Only ZIP64 can count beyond 65,535, and no spreadsheet has
 * that many parts: its end record is looked at before libzip sees the file. Where that lies says the locator before the
 * file's end (APPNOTE 4.3.15), and which of several is meant libzip decides: none may count so many. */
static bool too_many(struct adapter_package *p)
{
	uint64_t size = (uint64_t)adapter_input_size(p->in);
	uint64_t from = size > TAIL ? size - TAIL : 0;
	char *tail = bus_xmalloc(TAIL), *at = tail;
	size_t n = 0, got;
	bool many = false;

	if (adapter_input_read_at(p->in, from, tail, TAIL, &n, NULL) != BUS_OK)
		n = 0;
	while (!many && (at = memmem(at, n - (size_t)(at - tail), "PK\6\7", 4))) {
		char end[40]; /* of the record; its count of entries is 32 bytes in (4.3.14) */
		uint64_t where, entries;

		if (n - (size_t)(at - tail) < 16)
			break;
		memcpy(&where, at + 8, 8);
		if (adapter_input_read_at(p->in, where, end, sizeof(end), &got, NULL) == BUS_OK &&
		    got == sizeof(end)) {
			memcpy(&entries, end + 32, 8);
			many = memcmp(end, "PK\6\6", 4) == 0 && entries > 65534;
		}
		at += 4;
	}
	free(tail);
	return many;
}

enum bus_err adapter_package_open(struct adapter_input *in, struct adapter_package **out,
				  struct bus_error *err)
{
	struct adapter_package *p = bus_xcalloc(1, sizeof(*p));
	zip_source_t *source;
	zip_error_t why;
	enum bus_err rc;

	*out = NULL;
	p->in = in;
	zip_error_init(&p->error);
	zip_error_init(&why);
	if (too_many(p)) {
		adapter_package_close(&p);
		return bus_fail(
		    err, BUS_EDATA,
		    "ZIP dengan lebih dari 65.534 isi ditolak / a ZIP of more than 65,534 parts is refused");
	}
	source = zip_source_function_create(answer, p, &why);
	p->zip = source ? zip_open_from_source(source, ZIP_RDONLY, &why) : NULL;
	if (p->zip) {
		*out = p;
		return BUS_OK;
	}
	if (p->io.code != BUS_OK)
		rc = bus_fail(err, p->io.code, "%s", p->io.text);
	else
		rc = bus_fail(
		    err, BUS_EDATA,
		    "berkas rusak atau terpotong: kirim lagi / the file is damaged or cut off: send it "
		    "again (%s)",
		    zip_error_strerror(&why));
	if (source)
		zip_source_free(source);
	zip_error_fini(&why);
	adapter_package_close(&p);
	return rc;
}

void adapter_package_close(struct adapter_package **p)
{
	if (!*p)
		return;
	if ((*p)->zip)
		zip_discard((*p)->zip);
	zip_error_fini(&(*p)->error);
	free(*p);
	*p = NULL;
}

const char *adapter_package_tmp(const struct adapter_package *p)
{
	return adapter_input_tmp(p->in);
}

bool adapter_package_has(const struct adapter_package *p, const char *name)
{
	return zip_name_locate(p->zip, name, ZIP_FL_NOCASE) >= 0;
}

/* ---- parts ---- */

enum bus_err adapter_part_open(struct adapter_package *p, const char *name, uint64_t limit,
			       struct adapter_part **out, struct bus_error *err)
{
	zip_int64_t at = zip_name_locate(p->zip, name, ZIP_FL_NOCASE);
	struct adapter_part *part;
	zip_stat_t st;
	zip_file_t *file;

	*out = NULL;
	if (at < 0)
		return bus_fail(err, BUS_ENOENT, "bagian '%s' tidak ada / there is no part '%s'", name, name);
	if (zip_stat_index(p->zip, (zip_uint64_t)at, 0, &st) != 0 || !(st.valid & ZIP_STAT_COMP_SIZE))
		return bus_fail(err, BUS_EDATA, "ZIP rusak / the ZIP is damaged: '%s'", name);
	if ((st.valid & ZIP_STAT_ENCRYPTION_METHOD) && st.encryption_method != ZIP_EM_NONE)
		return bus_fail(err, BUS_EDATA,
				"ZIP bersandi: simpan tanpa sandi / the ZIP is encrypted: save it without a "
				"password");
	file = zip_fopen_index(p->zip, (zip_uint64_t)at, 0);
	if (!file)
		return bus_fail(err, BUS_EDATA, "ZIP rusak / the ZIP is damaged: '%s': %s", name,
				zip_strerror(p->zip));
	part = bus_xcalloc(1, sizeof(*part));
	*part = (struct adapter_part){ p, file, bus_xstrdup(name), limit, st.comp_size, 0 };
	*out = part;
	return BUS_OK;
}

enum bus_err adapter_part_read(void *ctx, char *p, size_t n, size_t *got, struct bus_error *err)
{
	struct adapter_part *part = ctx;
	zip_int64_t r = zip_fread(part->file, p, n);

	*got = 0;
	if (r < 0 && part->package->io.code != BUS_OK)
		return bus_fail(err, part->package->io.code, "%s", part->package->io.text);
	if (r < 0)
		return bus_fail(err, BUS_EDATA,
				"berkas rusak: kirim lagi / the file is damaged: send it again ('%s': %s)",
				part->name, zip_file_strerror(part->file));
	part->given += (uint64_t)r;
	if (part->given > part->limit || (part->given > RATIO_FROM && part->given / RATIO_MAX > part->packed))
		return bus_fail(
		    err, BUS_EDATA,
		    "bom ZIP: '%s' mengembang menjadi lebih dari %llu byte / a ZIP bomb: it unpacks to "
		    "more than that",
		    part->name, (unsigned long long)part->given);
	*got = (size_t)r;
	return BUS_OK;
}

void adapter_part_close(struct adapter_part **part)
{
	if (!*part)
		return;
	zip_fclose((*part)->file);
	free((*part)->name);
	free(*part);
	*part = NULL;
}
