/* deploy/ctl/progress.h - how far something is, on stderr: a bar with rate and time left on a terminal, a line now and
 * then elsewhere. One thread. */
#ifndef DEPLOY_CTL_PROGRESS_H
#define DEPLOY_CTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct ctl_progress {
	const char *what; /* "membuat / making" */
	const char *unit; /* "rows"; "B": bytes, shown as MB */
	int64_t from;	  /* where this run began; its rate does not count what was there before */
	int64_t begun_ms, told_ms, moved_ms;
	bool terminal;
};

void ctl_progress_begin(struct ctl_progress *p, const char *what, const char *unit, int64_t from);
void ctl_progress_at(struct ctl_progress *p, int64_t now, int64_t of); /* of -1: not known */
/* About once a second while nothing comes: says so, within five seconds and now and then. */
void ctl_progress_silent(struct ctl_progress *p);
void ctl_progress_end(struct ctl_progress *p, int64_t now);

#endif
