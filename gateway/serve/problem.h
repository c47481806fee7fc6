/* gateway/serve/problem.h - the kinds of problems the gateway answers with, and their page. Thread: any. */
#ifndef GATEWAY_SERVE_PROBLEM_H
#define GATEWAY_SERVE_PROBLEM_H

struct gw_problem_kind {
	const char *code;
	int status;
	const char *id, *en; /* titles */
};

const struct gw_problem_kind *gw_problem_find(const char *code); /* NULL: none */
const struct gw_problem_kind *gw_problem_at(unsigned i);	 /* NULL: past the last */

/* What to do about it, in both languages; NULL: the title says it all. */
struct gw_problem_words {
	const char *code, *id, *en;
};
const struct gw_problem_words *gw_problem_words(const char *code);

#endif
