/* What a file is that should be a workbook in a ZIP and is none. */
#include "adapters/sheet_book.h"
#include "adapters/source.h"

/* An .xlsx with a password is an OLE file, as an old .xls is; its directory says which. */
static bool is_encrypted(struct adapter_input *in)
{
	static const char encrypted[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
	unsigned char head[512], directory[4096];
	size_t got = 0, n = 0;

	/* [MS-CFB] 2.2: the sector's size at 30, the first of the directory at 48. */
	if (adapter_input_read_at(in, 0, head, sizeof(head), &got, NULL) == BUS_OK && got == sizeof(head)) {
		uint64_t sector = (uint64_t)head[48] | (uint64_t)head[49] << 8 | (uint64_t)head[50] << 16 |
				  (uint64_t)head[51] << 24;
		unsigned shift = head[30] < 16 ? head[30] : 9;

		(void)!adapter_input_read_at(in, (sector + 1) << shift, directory, sizeof(directory), &n,
					     NULL);
	}
	return n > 0 && memmem(directory, n, encrypted, sizeof(encrypted) - 1);
}

enum bus_err adapter_sheet_expect_zip(struct adapter_input *in, const char *extension, struct bus_error *err)
{
	struct bus_str head;
	enum bus_err rc = adapter_input_peek(in, 8, &head, err);

	if (rc != BUS_OK)
		return rc;
	if (head.n >= 4 && memcmp(head.p, "PK\3\4", 4) == 0)
		return BUS_OK;
	if (head.n >= 4 && memcmp(head.p, "\xd0\xcf\x11\xe0", 4) == 0 && is_encrypted(in))
		return bus_fail(
		    err, BUS_EDATA,
		    "berkas .xlsx bersandi: simpan tanpa kata sandi / the .xlsx is encrypted: save it "
		    "without a password");
	rc = adapter_source_sniff(in, err);
	return rc != BUS_OK
		   ? rc
		   : bus_fail(err, BUS_EDATA,
			      "berkas teks, bukan %s: pakai kind: delimited untuk CSV / a text file, no %s: "
			      "use kind: delimited for CSV",
			      extension, extension);
}
