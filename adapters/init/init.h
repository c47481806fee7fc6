/* adapters/init/init.h - `titian-adapter init`: looks at a file, or a database's table, guesses how it is written and what
 * it holds, and drafts everything an adapter needs. Asks nobody but the person. Thread: one.
 */
#ifndef ADAPTERS_INIT_INIT_H
#define ADAPTERS_INIT_INIT_H

#include <stdio.h>

#include "adapters/init/database.h"

struct adapter_init_conf {
	const char *file; /* NULL: database */
	struct adapter_init_db_want db;
	const char *dir;	  /* into which it is written */
	const char *opd, *entity; /* NULL: "opd", and the file's name */
	struct adapter_init_want want;
	bool yes;   /* ask nothing */
	bool force; /* over what is there */
	FILE *in;   /* the person's answers; NULL: yes */
};

/* What was guessed goes to out, in Indonesian and English. BUS_EEXIST: something is there already; BUS_EINVAL: no such name;
 * BUS_ESTOPPED: the person said no; else what the file is refused for. Nothing is written then. */
enum bus_err adapter_init(const struct adapter_init_conf *conf, FILE *out,
			  struct bus_error *err) BUS_MUSTCHECK;

/* The command line behind `init`. Exit status. */
int adapter_init_main(int argc, char **argv);

#endif
