/* adapters/files.h - the files that the log tells of: their numbers, and how far each one came.
 *
 * Filled from the `berkas` topic at start (position.h) and kept up by the runner. A file is its SHA-256, not
 * its name. Numbers are of this run of the program only; they stand for the file in the index. One thread.
 */
#ifndef ADAPTERS_FILES_H
#define ADAPTERS_FILES_H

#include "adapters/tally.h"

struct adapter_files;

struct adapter_known { /* one file as one feed knows it */
	char *feed;
	bool recorded;			/* there is a `berkas` record of it */
	struct adapter_tally_past past; /* if recorded */
	int64_t held;			/* live keys of the topic when its reading began; -1: not known */
	uint64_t removed;		/* tombstones that it has in the log */
	int64_t undone;			/* `urutan` of the undo that took it back last; 0: none did */
	int64_t again;			/* ... that let it come again */
	struct adapter_known *next;
};

struct adapter_files *adapter_files_new(void);
void adapter_files_free(struct adapter_files **f);
/* The number (1..) of the file with these first 16 hex digits; 0 when they are no hex digits. */
uint32_t adapter_files_number(struct adapter_files *f, struct bus_str hex16);
/* Borrowed until the files are freed; made (not recorded) when it is not there. number from above, not 0. */
struct adapter_known *adapter_files_known(struct adapter_files *f, uint32_t number, const char *feed);
int64_t adapter_files_last_order(const struct adapter_files *f); /* highest `urutan` recorded; 0: none */
/* No file of the same feed was begun after this one (which is recorded). */
bool adapter_files_undone(const struct adapter_known *known); /* and has neither been let in nor read again since */
bool adapter_files_newest(const struct adapter_files *f, const struct adapter_known *known);
/* `urutan` of the file's newest reading by any feed; 0: none is recorded. */
int64_t adapter_files_order(const struct adapter_files *f, uint32_t number);
/* hex: of files that the undo of this order has taken back, 16 digits each, a space between; a '+' before all of them: that may
 * come again. */
void adapter_files_note_undone(struct adapter_files *f, const char *feed, struct bus_str hex, int64_t order);
void adapter_files_note_order(struct adapter_files *f, int64_t order);

#endif
