#include "gateway/export/xlsx_book.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xlsxwriter.h>

#include "gateway/export/file.h"

#define CELL_BYTES 32000 /* a cell holds 32,767 characters */

pthread_mutex_t gw_xlsx_closing = PTHREAD_MUTEX_INITIALIZER;

struct gw_book {
	lxw_workbook *book;
	lxw_worksheet *sheet;
	lxw_format *bold;
	lxw_row_t row;
	lxw_error fault;
	int fd; /* the library writes to a name: this one is memory */
	struct bus_buf text, clean;
};

struct gw_book *gw_book_new(void)
{
	struct gw_book *b = bus_xcalloc(1, sizeof(*b));
	char path[40];

	b->fd = memfd_create("book", MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", b->fd);
	b->book = b->fd < 0 ? NULL : workbook_new(path);
	b->bold = b->book ? workbook_add_format(b->book) : NULL;
	if (b->bold)
		format_set_bold(b->bold);
	else
		b->fault = LXW_ERROR_MEMORY_MALLOC_FAILED;
	return b;
}

static void put_line(struct gw_book *b, const char *const *text, size_t n, lxw_format *format)
{
	for (size_t i = 0; i < n && !b->fault; i++) {
		struct bus_str clean;

		if (!text[i] || !*text[i])
			continue;
		clean = gw_cell_text(bus_str(text[i]), true, &b->clean);
		bus_buf_reset(&b->text);
		bus_buf_put(&b->text, clean.p, clean.n < CELL_BYTES ? clean.n : CELL_BYTES);
		b->fault =
		    worksheet_write_string(b->sheet, b->row, (lxw_col_t)i, bus_buf_cstr(&b->text), format);
	}
	b->row++;
}

void gw_book_sheet(struct gw_book *b, const char *name, const char *const *head, size_t n)
{
	if (b->fault)
		return;
	b->sheet = workbook_add_worksheet(b->book, name);
	b->row = 0;
	if (!b->sheet) {
		b->fault = LXW_ERROR_MEMORY_MALLOC_FAILED;
		return;
	}
	worksheet_set_column(b->sheet, 0, (lxw_col_t)(n - 1), 24, NULL);
	worksheet_freeze_panes(b->sheet, 1, 0);
	put_line(b, head, n, b->bold);
}

void gw_book_line(struct gw_book *b, const char *const *text, size_t n)
{
	if (!b->fault)
		put_line(b, text, n, NULL);
}

static bool take(int fd, struct bus_buf *out)
{
	char chunk[65536];
	ssize_t n;
	off_t at = 0;

	while ((n = pread(fd, chunk, sizeof(chunk), at)) > 0) {
		bus_buf_put(out, chunk, (size_t)n);
		at += n;
	}
	return n == 0 && at > 0;
}

enum bus_err gw_book_end(struct gw_book **book, struct bus_buf *out, struct bus_error *err)
{
	struct gw_book *b = *book;
	lxw_error fault = b->fault, closed = LXW_NO_ERROR;

	*book = NULL;
	if (b->book) {
		pthread_mutex_lock(&gw_xlsx_closing);
		closed = workbook_close(b->book);
		pthread_mutex_unlock(&gw_xlsx_closing);
	}
	fault = fault ? fault : closed;
	if (!fault && !take(b->fd, out))
		fault = LXW_ERROR_CREATING_TMPFILE;
	if (b->fd >= 0)
		close(b->fd);
	bus_buf_release(&b->text);
	bus_buf_release(&b->clean);
	free(b);
	if (!fault)
		return BUS_OK;
	return bus_fail(err, fault == LXW_ERROR_MEMORY_MALLOC_FAILED ? BUS_EFULL : BUS_EIO,
			"cannot write the sheet: %s", lxw_strerror(fault));
}
