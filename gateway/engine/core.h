/* gateway/engine/core.h - the engine's inside, shared by its own files only.
 *
 * All of it belongs to the writer's thread but what is marked otherwise. The order in a transaction:
 * gw_apply (rows, through gateway/store/table.h; the hook marks view keys), gw_settle (views), gw_commit.
 */
#ifndef GATEWAY_ENGINE_CORE_H
#define GATEWAY_ENGINE_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "bus/consumer.h"
#include "bus/metrics.h"
#include "gateway/engine/engine.h"
#include "gateway/store/hash.h"
#include "gateway/store/keys.h"
#include "gateway/store/table.h"
#include "gateway/define/view.h"

#define GW_ROUTE_PARAMS_MAX 8
#define GW_FAULTS 8

/* Of a view that is being built: its keys, its rows if it is kept in full. */
#define GW_BESIDE_STATE "_new_"
#define GW_BESIDE_ROWS "_newrow_"

struct gw_group; /* gateway/engine/group_impl.h */
struct gw_live;
struct gw_sum; /* gateway/engine/rollup.c */
struct gw_lives;

struct gw_route {		/* from a changed row to keys of a view */
	int column;		/* >= 0: its value is the key */
	struct gw_stmt *select; /* else: gives keys; evaluated once the batch is applied */
	int n_params;
	int param[GW_ROUTE_PARAMS_MAX]; /* columns of the changed row */
	struct gw_keys pending;		/* packed parameters waiting to be looked up */
};

#define GW_ROUTE_MOST ((size_t)32768) /* about half a second of look-ups, and 2 MB */

struct gw_listener { /* a view that reads a relation */
	struct gw_live *view;
	bool *reads; /* by column of the relation */
	struct gw_route *route;
	size_t n_routes;
};

struct gw_rel { /* a table that views read: a topic's, or a full view's own */
	char *name;
	char **column; /* by position in the SQLite table */
	size_t n_columns;
	struct gw_listener *listener;
	size_t n_listeners;
	bool images_wait; /* so many that they go into the roll-ups before the batch ends */
	int64_t rows;
};

struct gw_live { /* a view and its upkeep */
	struct gw_def *def;
	int64_t id;
	struct gw_rel *rel; /* of a full view */
	struct gw_sum *sum; /* of a roll-up */
	struct gw_stmt *keyed, *state_get, *state_put, *state_remove, *log_put, *row_put, *row_remove;
	struct gw_stmt *scope_get, *scope_put, *left_put, *left_remove; /* of a view with scope columns */
	struct gw_stmt *given; /* its row, of values that the group's leader told */
	struct gw_keys dirty;
	size_t saved; /* of dirty: that many are in _dirty already */
	bool all;     /* to be evaluated as a whole */
	uint8_t *touched; /* while all: keys that changed meanwhile, as bits (touched.c); NULL: nobody would notice */
	bool touched_whole; /* all of them: nobody need look which */
	bool all_saved;
	bool refill;  /* its own table, or scope columns, are new: every row is written */
	bool changed; /* since the last commit */
	bool stuck;   /* its SELECT failed when it was last evaluated: settle.c */
	bool owed;    /* not evaluated yet since gw_settle_owe */
	bool whole;   /* once: engine/whole.c */
	int64_t left_us; /* that its SELECT may still take of the writer's time: eval.c */
	bool defined; /* by the definitions' topic, not by a file */
	bool beside;  /* being built: gateway/engine/live.c */
	bool waits_there; /* at the group's leader, as the batch in hand says */
	int64_t rows, newest, log_entries;
	int64_t settled_ms; /* monotonic, last evaluation */
	int64_t cost_ms;    /* of the last evaluation as a whole */
	int64_t log_floor;  /* entries that were left after the last sweep */
	int64_t swept;	    /* log entries up to here have been looked at for removal */
	uint64_t evaluations;
	struct bus_metric *metric_rows;
};

struct gw_stream {
	char *name;
	int64_t seq, offset; /* of the last record seen; offset -1: none yet */
	bool moved;
};

struct gw_topic;

struct gw_kept { /* where a partition stood when its topic began to be read again */
	int64_t next;
	uint64_t sum;
	struct gw_stream *stream;
	size_t n_streams;
};

struct gw_part {
	struct gw_topic *topic;
	int32_t partition;
	int64_t next; /* offset to go on from; BUS_OFFSET_BEGIN */
	uint64_t sum; /* of the record before next; 0: not known */
	int64_t from; /* where this session began: next, or the record before it, to be compared */
	int64_t end;  /* at the broker, as last seen */
	int64_t goal; /* what could be read as this session began: engine/ready.h */
	bool moved;
	int64_t blind, known_ms; /* of its history (engine/history.c): 0 not looked up; not whole before */
	bool blind_moved;
	struct gw_stream *stream;
	size_t n_streams;
	struct gw_kept kept; /* while topic->fill */
};

struct gw_topic {
	const char *name;
	struct gw_table *table;
	struct gw_table *fill; /* the topic is read again, into this one (evolve.h); NULL: it is not */
	struct schema *replay; /* to be read again with this schema; NULL: nothing is */
	int32_t replay_id, looked_id; /* looked_id: the newest schema that was judged, at looked_epoch */
	uint64_t looked_epoch;
	struct bus_metric *held;
	struct gw_rel *rel;
	struct gw_topic_state count; /* the writer's own; copied under the engine's lock at commit */
	bool moved;
	bool history; /* its past is asked for */
	struct bus_metric *applied, *behind, *gaps, *repeated, *undecodable;
};

/* Where schemas come from: the registry's store, or a test. */
struct gw_schemas {
	void *ctx;
	enum bus_err (*by_id)(void *ctx, int32_t id, struct schema **out,
			      struct bus_error *err); /* at once */
	enum bus_err (*latest)(void *ctx, const char *subject, struct schema **out, int32_t *id,
			       struct bus_error *err);
	/* Which version of the subject has this id; false: not known. NULL: nobody knows. */
	bool (*version)(void *ctx, const char *subject, int32_t id, int *version);
	/* Waits until everything registered before this call is known, some seconds at most. NULL: it is. */
	void (*catch_up)(void *ctx);
};

struct gw_engine {
	struct gw_schemas schemas;
	bool schemas_read; /* caught up since the records in hand were fetched */
	char *db_path;
	int64_t cache_bytes;
	struct gw_db *db;
	bool in_transaction;

	struct gw_topic *topic;
	size_t n_topics;
	struct gw_part *part; /* index = slot of bus_record */
	size_t n_parts;

	struct gw_live **view; /* in the order of their names */
	size_t n_views;
	uint64_t views_epoch; /* counts changes of the set, and of tables: what was refused may be granted now */
	struct gw_lives *lives; /* gateway/engine/live.c */
	_Atomic uint64_t set_epoch; /* of set: another one, another number */
	uint64_t history_epoch;	      /* for which history is kept */
	struct gw_views *set; /* lock: the definitions of view[], as readers see them */
	struct gw_live *culprit; /* whose definition ended gw_setup_views; NULL: none's */
	struct gw_live **order; /* each after those it reads */
	struct gw_rel *writing; /* whose rows the hook is seeing; NULL: none that matter */
	struct gw_stmt *dirty_put, *dirty_clear, *part_put, *stream_put, *topic_put, *meta_put, *gap_put,
	    *undecodable_put, *view_put;

	_Atomic uint64_t store_id;
	struct gw_hash_key secret;
	int64_t seq, seq_saved;
	struct gw_group *group; /* NULL: this gateway is alone */
	_Atomic int64_t seq_shown; /* as committed; any thread */
	int64_t given; /* the number of the next change, when the group's leader gave it; 0: one more than the last */
	int64_t given_minute; /* 0: the clock's */
	int64_t moment; /* the minute noted last */
	int64_t quiet_since_ms; /* monotonic: no record since */
	struct bus_buf scratch;
	size_t route_most; /* parameters of one route gathered for its SELECT; tests set less */

	pthread_mutex_t lock; /* guards shared[], fault, waits_for, readers, set */
	struct gw_topic_state *shared;
	char fault[GW_FAULTS][480]; /* the last few, so that who holds one need not copy it */
	int fault_at, fault_last;   /* fault_at -1: the engine works */
	char waits_for[200];	    /* while it has not caught up; engine/ready.h */
	_Atomic bool caught_up, idle;
	_Atomic uint64_t commits; /* to the store */
	_Atomic bool stand_off;	  /* no reader's snapshot stands now: engine/stand.c */
	gw_changed_fn on_change;
	void *on_change_ctx;
	void (*on_views)(void *ctx);
	void *on_views_ctx;
	pthread_key_t reader_key;
	struct gw_reader *readers;

	struct gw_mat *mat;	    /* the thread; gateway/engine/mat.c */
	struct schema_store *store; /* behind schemas, when it is the real one */
	struct bus_metric *apply_us, *settle_us, *commit_us, *duplicates;
};

/* core.c: everything but Kafka. topic names are borrowed; NULL-ended. views_dir may be NULL. */
enum bus_err gw_core_open(const char *db_path, const char *views_dir, const char *const *topics,
			  int64_t cache_bytes, const struct gw_schemas *schemas, struct gw_engine **out,
			  struct bus_error *err) BUS_MUSTCHECK;
void gw_core_close(struct gw_engine **e);
struct gw_group_conf; /* gateway/engine/group.h */
enum bus_err gw_core_open_in(const struct gw_group_conf *group, const char *db_path, const char *views_dir,
			     const char *const *topics, int64_t cache_bytes, const struct gw_schemas *schemas,
			     struct gw_engine **out, struct bus_error *err) BUS_MUSTCHECK;
/* Slot of a partition, made when it is new. */
int gw_core_part(struct gw_engine *e, const char *topic, int32_t partition);
/* Everything in the database is dropped, and made anew and empty: for a log that is not the one the rows came
 * from. The store's id changes. */
enum bus_err gw_core_wipe(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK;
/* After a failed transaction: what memory holds is read from the database again. */
enum bus_err gw_core_reload(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK;
/* adopt.c: another gateway's store takes the place of this one's: its identity, its views and its rows. After an error
 * gw_core_reload must follow. */
enum bus_err gw_core_adopt(struct gw_engine *e, const char *path, struct bus_error *err) BUS_MUSTCHECK;
void gw_core_sort(struct gw_engine *e); /* e->view[], by name */
/* "cluster": the stored value, "" when there is none. */
enum bus_err gw_core_meta(struct gw_engine *e, const char *name, char *out, size_t n,
			  struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_core_set_meta(struct gw_engine *e, const char *name, const char *value,
			      struct bus_error *err) BUS_MUSTCHECK;

/* apply.c: records into tables, in the open transaction (begun when there is none). */
enum bus_err gw_apply(struct gw_engine *e, const struct bus_record *rec, size_t n,
		      struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_commit(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK; /* tells on_change */

/* settle.c: views. */
enum gw_haste {
	GW_BACKLOG, /* records are waiting: put off what can be */
	GW_LIVE,    /* keys that were touched, now */
	GW_QUIET,   /* nothing came for a while: views that wait for a whole evaluation, too */
	GW_FORCE,   /* everything */
};
/* So many keys wait that the view is evaluated as a whole. */
bool gw_settle_all_is_less(const struct gw_live *v);
/* Evaluates what is due, in the open transaction; a whole evaluation in one of its own. *pending: views
 * still wait. stop (may be NULL) is asked now and then. */
enum bus_err gw_settle(struct gw_engine *e, enum gw_haste haste, const _Atomic bool *stop, bool *pending,
		       struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_begin(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK;
/* Notes the views that wait now, and those that read them; _owed: one that has not been evaluated since on sources that have.
 * NULL: all have. One whose SELECT fails is waited for by nobody. */
void gw_settle_owe(struct gw_engine *e);
const struct gw_live *gw_settle_owed(struct gw_engine *e);
/* One step of removing superseded log entries; *more: there is more to do. */
enum bus_err gw_sweep(struct gw_engine *e, bool *more, struct bus_error *err) BUS_MUSTCHECK;

/* whole.c: views that readers are answered from. */
enum bus_err gw_whole_load(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK; /* as the store remembers */
/* In the open transaction: v takes the place of old (NULL: of none); another definition is evaluated from nothing. */
enum bus_err gw_whole_switch(struct gw_engine *e, const struct gw_live *old, struct gw_live *v,
			     struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_whole_forget(struct gw_engine *e, const struct gw_live *v, struct bus_error *err) BUS_MUSTCHECK;
/* The goal is reached, or has been: views that are evaluated are whole from now on. Commits when there is a new one. */
enum bus_err gw_whole_mark(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK;
void gw_whole_hide(struct gw_engine *e); /* the store is about to be made anew */

/* eval.c: one key, or all, of one view. */
/* The SELECT of its rows as upkeep reads them: a roll-up's from its state. */
void gw_eval_select(const struct gw_def *d, struct bus_buf *out);
/* The time that a SELECT may take for all its rows as they are now: far more than one that reads each row a few times. */
int64_t gw_eval_most_us(struct gw_engine *e, const struct gw_def *d);
/* One step of a SELECT of the view's; its time goes off v->left_us. BUS_ETIMEOUT: over that, or over most_us. */
enum bus_err gw_eval_step(struct gw_engine *e, struct gw_live *v, struct gw_stmt *s, int64_t most_us,
			  bool *row, struct bus_error *err) BUS_MUSTCHECK;
/* BUS_ETIMEOUT: over two seconds, or over v->left_us, which goes down with each key.
 * waited: over a commit, so that readers may have seen something else. */
enum bus_err gw_eval_key(struct gw_engine *e, struct gw_live *v, struct bus_str key, bool waited,
			 struct bus_error *err) BUS_MUSTCHECK;
/* What the key has from now on: its state and, if the view is logged, an entry of the log. from stands on its row;
 * NULL: it is gone. */
enum bus_err gw_eval_write(struct gw_engine *e, struct gw_live *v, struct bus_str key, struct gw_stmt *from,
			   uint64_t hash, struct bus_error *err) BUS_MUSTCHECK;
/* What the group's leader says that a key has: of a full view the row is evaluated, and written or removed. *same:
 * it has that hash. */
enum bus_err gw_eval_given(struct gw_engine *e, struct gw_live *v, struct bus_str key, bool present, uint64_t hash,
			   bool *same, struct bus_error *err) BUS_MUSTCHECK;
/* BUS_ETIMEOUT: over gw_eval_most_us. */
enum bus_err gw_eval_all(struct gw_engine *e, struct gw_live *v, const _Atomic bool *stop,
			 struct bus_error *err) BUS_MUSTCHECK;

/* live.c: views that come, change and go; gateway/engine/live.h. */
void gw_lives_new(struct gw_engine *e);
void gw_lives_free(struct gw_engine *e);
void gw_lives_ship(struct gw_engine *e, const struct gw_def *d); /* a file of views.dir: what holds without a wish */
enum bus_err gw_lives_stored(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK; /* adds to e->view */
/* live_group.c: a gateway of a group. Its views are those that its store runs: what files say is a wish, of the one that
 * leads. */
void gw_lives_files(struct gw_engine *e);  /* it leads from now on */
void gw_lives_follow(struct gw_engine *e); /* views are others now: wishes that are granted by it */
/* v, which the topic defined, cannot be set up at the start: its file's definition takes its place, or none; its
 * cursors stay. False: it is a file's. */
bool gw_lives_set_aside(struct gw_engine *e, struct gw_live *v, const char *why);
bool gw_lives_keep(struct gw_engine *e, struct bus_str name); /* there is a wish of that name: its tables stay */
void gw_lives_abandon(struct gw_engine *e); /* what is being built: before gw_setup_undo */
/* switch.c: views that read a table which was exchanged listen to the new one, and are evaluated as a whole. */
enum bus_err gw_switch_rewire(struct gw_engine *e, const char *name, struct bus_error *err) BUS_MUSTCHECK;
/* Why its rows cannot be evaluated now; NULL: they can. Told with the view's state. */
void gw_lives_stuck(struct gw_engine *e, struct gw_live *v, const char *why);
void gw_lives_changed(struct gw_engine *e); /* refused wishes may be granted now */
/* Grants wishes for about ms; between transactions. *busy: there is more to do. */
enum bus_err gw_live_step(struct gw_engine *e, int ms, bool *busy, struct bus_error *err) BUS_MUSTCHECK;

/* group_lead.c, group.c: nothing of it does anything for a gateway alone. */
struct gw_group_item;
enum bus_err gw_group_commit(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK; /* before it is committed */
bool gw_group_numbers(const struct gw_engine *e); /* false: another gateway gives the numbers */
enum bus_err gw_group_tell(struct gw_engine *e, const struct gw_group_item *item, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_group_tell_key(struct gw_engine *e, struct gw_live *v, struct bus_str key, struct gw_stmt *from,
			       uint64_t hash, struct bus_error *err) BUS_MUSTCHECK;
/* An evaluation begins that may be rolled back alone; all: with nothing else in its transaction. */
void gw_group_hold(struct gw_engine *e, bool all);
enum bus_err gw_group_release(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK; /* it stands */
enum bus_err gw_group_take_back(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK;

/* views.c: the set of views as readers see it. */
void gw_views_publish(struct gw_engine *e);   /* e->view[] is the set from now on */
void gw_live_show(struct gw_live *v); /* its numbers, for every thread */

/* scope.c: the values of scope columns, and who left which. All do nothing for a view without. */
enum bus_err gw_scope_tables(struct gw_engine *e, struct gw_live *v, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_scope_prepare(struct gw_engine *e, struct gw_live *v, struct bus_error *err) BUS_MUSTCHECK;
void gw_scope_undo(struct gw_live *v);
/* Before state_put runs for the change e->seq: binds its scope columns from the row (NULL: gone), and notes where
 * the key has left. */
enum bus_err gw_scope_write(struct gw_engine *e, struct gw_live *v, struct bus_str key, struct gw_stmt *from,
			    struct bus_error *err) BUS_MUSTCHECK;
/* The columns are new and the row is as it was. */
enum bus_err gw_scope_fill(struct gw_live *v, struct bus_str key, struct gw_stmt *from,
			   struct bus_error *err) BUS_MUSTCHECK;

/* touched.c: which keys waited where readers could see it. A thin view's row is evaluated on reading: a reader
 * between two transactions may be given what the key has then, of which the log will know nothing when it is as
 * before once it is evaluated. So a key that waited over a commit gets an entry in any case. A view that waits
 * as a whole keeps its touched keys as bits, of which a few stand for others, too. */
void gw_touched_begin(struct gw_live *v); /* v->all was set, and there were rows before */
void gw_touched_all(struct gw_live *v);	  /* which keys is not known */
void gw_touched_end(struct gw_live *v);
void gw_touched_add(struct gw_live *v, struct bus_str key);
bool gw_touched_has(const struct gw_live *v, struct bus_str key);

/* route.c */
void gw_route_change(void *engine, const char *table, enum gw_db_op op); /* the hook */
enum bus_err gw_route_flush(struct gw_engine *e, struct gw_rel *rel, struct bus_error *err) BUS_MUSTCHECK;
/* When rel->images_wait: roll-ups only, at any time. */
enum bus_err gw_route_flush_images(struct gw_engine *e, struct gw_rel *rel, struct bus_error *err) BUS_MUSTCHECK;

/* setup.c: tables, views and their statements. */
enum bus_err gw_setup_base(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_setup_topics(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_setup_views(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK;
void gw_setup_undo(struct gw_engine *e); /* statements, relations; definitions stay */
/* Steps of gw_setup_views, for one view. */
enum bus_err gw_setup_tables(struct gw_engine *e, struct gw_live *v, struct bus_error *err) BUS_MUSTCHECK;
void gw_setup_index_name(const struct gw_index_def *x, struct bus_buf *out);
enum bus_err gw_setup_index(struct gw_engine *e, const struct gw_def *d, const struct gw_index_def *x,
			    struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_setup_statements(struct gw_engine *e, struct gw_live *v, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_setup_load(struct gw_engine *e, struct gw_live *v, struct bus_error *err) BUS_MUSTCHECK;
/* setup_known.c: what the store has of v from before is v's, or is dropped; what is nobody's is dropped. */
enum bus_err gw_setup_reconcile(struct gw_engine *e, struct gw_live *v, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_setup_drop_gone(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK;
/* The row of _view that says which definition runs; v gets its id. */
enum bus_err gw_setup_note(struct gw_engine *e, struct gw_live *v, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_setup_order(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK; /* e->order */
void gw_setup_release(struct gw_live *v);
bool gw_setup_has(void *engine, const char *table, const char *column); /* of a gw_catalogue */

/* rel.c */
enum bus_err gw_rel_make(struct gw_engine *e, const char *name, struct gw_rel **out,
			 struct bus_error *err) BUS_MUSTCHECK;
void gw_rel_free(struct gw_rel **rel); /* and who listens to it */
int gw_rel_column(const struct gw_rel *rel, const char *name); /* -1: none */
struct gw_rel *gw_rel_find(struct gw_engine *e, const char *name);
enum bus_err gw_rel_listen(struct gw_engine *e, struct gw_live *v, const struct gw_read *read,
			   struct bus_error *err) BUS_MUSTCHECK;
void gw_rel_unlisten(struct gw_engine *e, const struct gw_live *v);

/* stand.c: no reader keeps a snapshot between calls from here on, or may again. */
void gw_stand_clear(struct gw_engine *e);
void gw_stand_allow(struct gw_engine *e);
enum bus_err gw_stand_commit(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK; /* COMMIT, without any */

/* read.c */
void gw_readers_free(struct gw_engine *e);
struct gw_db *gw_reader_db(struct gw_reader *r);
struct gw_engine *gw_reader_engine(struct gw_reader *r);
/* A prepared statement of this reader, kept by its text. Borrowed; reset it after use. */
enum bus_err gw_reader_stmt(struct gw_reader *r, const char *sql, struct gw_stmt **out,
			    struct bus_error *err) BUS_MUSTCHECK;

/* moment.c */
enum bus_err gw_moment_tables(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err gw_moment_note(struct gw_engine *e, struct bus_error *err) BUS_MUSTCHECK; /* e->seq has moved */

#endif
