/* gateway/define/review.h - a definition looked at from all sides before anything of the city is touched.
 *
 * Parsed, bound to empty tables in a sandbox, its routes tried, its columns traced, its plan read. What is found is
 * kept as problems, each for its line, in two languages: an error is a reason not to take the definition, a warning
 * something its author should know. Nothing of the city's data is read here; what is, is engine/try.h.
 *
 * A stranger's SQL can still cost memory and time in SQLite's own parser and planner: whoever does not know the
 * author runs this in a process of its own (engine/try.h does). Thread: one.
 */
#ifndef GATEWAY_DEFINE_REVIEW_H
#define GATEWAY_DEFINE_REVIEW_H

#include "bus/json_out.h"
#include "gateway/define/index_find.h"
#include "gateway/define/lineage.h"
#include "gateway/define/trial.h"
#include "gateway/define/view.h"

#define GW_PROBLEMS_MAX 64

struct gw_problem_found {
	bool error;	  /* else a warning */
	int line, column; /* in the definition; 0: not known */
	const char *id, *en;
	const char *hint; /* text to put into the definition; NULL: none */
};

struct gw_review {
	struct bus_arena *arena;
	const struct gw_world *world; /* borrowed */
	struct gw_def *def;	      /* NULL: it could not be parsed */
	struct gw_db *db;	      /* the sandbox */
	struct gw_ast *ast;
	bool bound; /* def's columns, reads and routes are complete */
	struct gw_problem_found problem[GW_PROBLEMS_MAX];
	size_t n_problems;
	bool failed;  /* one of them is an error */
	bool trusted; /* its author: see gw_review_run */
	struct gw_lineage lineage[GW_COLUMNS_MAX];
	struct gw_trial trial;
	bool tried;
};

/* file: the definition's name in messages. trusted: its author may declare lower classes (a file of views.dir may;
 * define/lower.h). ms: for the trial of its routes. */
void gw_review_run(struct gw_review *c, const char *file, struct bus_str text, const struct gw_world *w,
		   bool trusted, int ms);
void gw_review_release(struct gw_review *c);
void gw_review_add(struct gw_review *c, const struct gw_problem_found *p); /* texts are copied */
/* Where SQLite found no column or table of a name, the last problem also says which there are. */
void gw_review_near(struct gw_review *c);

/* Members of a JSON object: "view", "problems", and as far as it came: "inputs", "columns", "routes", "plan",
 * "upkeep". */
void gw_review_put(const struct gw_review *c, struct bus_json_out *j);

#endif
