/* gateway/export/xlsx_book.h - a small workbook of texts, made in memory: dictionaries. Thread: one at a time. */
#ifndef GATEWAY_EXPORT_XLSX_BOOK_H
#define GATEWAY_EXPORT_XLSX_BOOK_H

#include <pthread.h>

#include "bus/buf.h"
#include "bus/error.h"

/* The library asks gmtime() for the time of a book as it closes it: one at a time, in the whole program. */
extern pthread_mutex_t gw_xlsx_closing;

struct gw_book;

struct gw_book *gw_book_new(void);
/* Begins a sheet, its first line in bold; name: of at most 31 characters. */
void gw_book_sheet(struct gw_book *b, const char *name, const char *const *head, size_t n);
/* A line; NULL: an empty cell. What is longer than a cell holds is cut. */
void gw_book_line(struct gw_book *b, const char *const *text, size_t n);
/* The book's bytes, and its end: *b is NULL. BUS_EIO, BUS_EFULL. */
enum bus_err gw_book_end(struct gw_book **b, struct bus_buf *out, struct bus_error *err) BUS_MUSTCHECK;

#endif
