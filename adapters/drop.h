/* adapters/drop.h - the drop folder: which file is next, and where it goes afterwards.
 *
 * inotify tells at once, a scan every 2 s finds what inotify did not see (other hosts' writes on a network
 * folder, a queue overflow). A file is complete
 *   - at once, when it arrived by rename (IN_MOVED_TO) or when its last change is older than `quiet`;
 *   - else when size and mtime have not changed for `quiet`.
 * Left alone: names that start with '.' or end in .tmp, .part or ~, folders, and everything else that is no
 * regular file. A symbolic link counts as its target when follow_symlinks is set; the link is what is moved.
 * done/ and refused/ lie inside, on the same file system, so that a move is one rename; neither is a link, unless
 * links are followed.
 * The folder is locked (flock): two adapters on one folder would count the same streams.
 * Thread: one.
 */
#ifndef ADAPTERS_DROP_H
#define ADAPTERS_DROP_H

#include <stdint.h>
#include <sys/types.h>

#include "bus/error.h"

struct adapter_drop;

struct adapter_drop_conf {
	const char *dir;
	int64_t quiet_ms;
	bool follow_symlinks;
};

bool adapter_drop_ignores(const char *name); /* a name that is left alone */

struct adapter_drop_file { /* as it was when it was found complete */
	char name[256];
	char *path; /* borrowed from the drop until the next adapter_drop_next */
	int64_t size;
	int64_t mtime_ns;
	dev_t dev;
	ino_t ino; /* of the name itself: of the link, when it is one */
	bool link;
};

/* Makes dir and its two folders when they are missing. BUS_ECONFLICT: another adapter has it. */
enum bus_err adapter_drop_open(const struct adapter_drop_conf *conf, struct adapter_drop **out,
			       struct bus_error *err) BUS_MUSTCHECK;
void adapter_drop_close(struct adapter_drop **d);

/* Until something may have changed, one of the descriptors is readable (-1: none), or timeout_ms is over. */
void adapter_drop_wait(struct adapter_drop *d, int stop_fd, int wake_fd, int timeout_ms);
/* The complete file that is first by (mtime, name); false: none now. */
bool adapter_drop_next(struct adapter_drop *d, struct adapter_drop_file *out);
/* Not before ms from now: it could not be read, or moved. */
void adapter_drop_later(struct adapter_drop *d, const char *name, int64_t ms);

enum adapter_drop_place { ADAPTER_DROP_DONE, ADAPTER_DROP_REFUSED };
const char *adapter_drop_folder(const struct adapter_drop *d, enum adapter_drop_place place);
/* Atomic, and never over another file: a name that is taken gets ".1", ".2" ... before its ending, and
 * one too long for that and for a report beside it is cut. moved (512 bytes): the path it has now.
 * BUS_ECONFLICT: something else has its name now, and stays there. */
enum bus_err adapter_drop_move(struct adapter_drop *d, const struct adapter_drop_file *f,
			       enum adapter_drop_place place, char *moved, size_t n,
			       struct bus_error *err) BUS_MUSTCHECK;

#endif
