/* deploy/ctl/export.h - an export on its way from the gateway into a file: cmd_export.c (the question, the wait) and
 * export_fetch.c (the file). Thread: one. */
#ifndef DEPLOY_CTL_EXPORT_H
#define DEPLOY_CTL_EXPORT_H

#include "bus/client.h"
#include "bus/json.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/progress.h"

struct ctl_export_file {
	const struct ctl_args *args;
	const char *view, *base; /* base: the gateway, without a last / */
	struct bus_client *client;
	struct bus_arena *arena; /* of the last answer */
	struct bus_buf answer;
	char *out, *part, *note; /* FILE, FILE.part, FILE.part.export: where the export is at the gateway */
	char *self, *file;	 /* paths at the gateway */
	char id[40], sha256[80];
	char *cursor;
	int64_t rows, bytes;
	/* while downloading */
	int fd;
	int64_t at;
	bool rest; /* only what is missing was asked for */
	struct ctl_progress progress;
};

bool ctl_export_go_on(void *file); /* a call's go_on: silence is shown */
/* file's bytes into part, from where that ends; complaints are written. */
enum ctl_exit ctl_export_fetch(struct ctl_export_file *x);
/* part is what the gateway says it is, and becomes out; else it is removed. */
enum ctl_exit ctl_export_verify(struct ctl_export_file *x);

#endif
