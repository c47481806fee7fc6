/* adapters/change/impl.h - what the parts of a followed table share. See change.h for how they go together. */
#ifndef ADAPTERS_CHANGE_IMPL_H
#define ADAPTERS_CHANGE_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "adapters/change/at.h"
#include "adapters/change/change.h"
#include "adapters/change/maria.h"
#include "adapters/change/pg.h"
#include "adapters/change/pgoutput.h"
#include "adapters/change/queue.h"
#include "adapters/fetch/mark.h"
#include "adapters/row.h"
#include "adapters/tally.h"

#define CHANGE_STATEMENT_MS 20000

struct change_conf {
	const char *connection, *password_file;
	char *schema, *table;
	int64_t lag_warn; /* bytes of the server's log that are not published yet */
	/* PostgreSQL's */
	char *slot, *publication;
	int64_t heartbeat_ms; /* 0: none */
	/* MariaDB's */
	struct adapter_maria_conf maria;
	uint32_t server_id;
};

#define CHANGE_PLACE 1024

/* One stream from one snapshot on: what the mark beside the drop folder says. */
struct change_stream {
	char sha256[65];	  /* of system, database, slot and where it begins */
	char system[24];	  /* the server's own identifier */
	char file[65];		  /* SHA-256 of the snapshot */
	char name[256];		  /* of that file */
	char place[CHANGE_PLACE]; /* MariaDB: where to begin. PostgreSQL: "timeline 1", of its log */
};

/* What a kind of database does by itself. */
struct change_kind {
	const char *name, *title;
	const char *lag_id, *lag_en; /* what a record says while the feed lags, behind "... MB " */
	enum bus_err (*read)(struct adapter_change *c, struct bus_yaml *yaml, struct bus_yaml_node *conf,
			     struct bus_error *err);
	enum bus_err (*test)(struct adapter_change *c, struct bus_error *err);
	/* The table as it is into a file of the drop folder, and the mark. *out: the stream that begins there. */
	enum bus_err (*snapshot)(struct adapter_change *c, struct change_stream *out, struct bus_error *err);
	/* Reads the stream into the queue until something ends it; *well once it has begun. */
	enum bus_err (*follow)(struct adapter_change *c, bool *well, struct bus_error *err);
};
extern const struct change_kind adapter_change_postgres, adapter_change_mariadb;

enum change_state {
	CHANGE_NOTHING, /* the link is looking, or making a snapshot */
	CHANGE_READING, /* the snapshot is a file of the drop folder; is it in the log? */
	CHANGE_GOING,	/* it is: the stream is followed */
};

struct change_spot { /* confirmed once the producer's token is acknowledged */
	uint64_t lsn, token;
};
#define CHANGE_SPOTS 256

struct adapter_change {
	const struct change_kind *kind;
	struct change_conf conf;
	struct adapter_map *map;
	const char *dir, *feed;
	const char *const *column; /* wanted by the mapping */
	size_t n_columns;
	bool *in_key; /* by column: the Kafka key depends on it */

	/* between the threads */
	pthread_t thread;
	bool running;
	int stop_fd, call_fd, wake_fd; /* call_fd: the link is to look at what follows */
	struct adapter_queue *queue;
	pthread_mutex_t lock;
	struct change_stream stream; /* lock */
	enum change_state state;     /* lock */
	uint32_t generation;	     /* lock: of stream; another one is another stream */
	atomic_uint_fast64_t confirmed;
	atomic_uint_fast64_t reached; /* the last transaction that is on the topic, or was looked at */
	atomic_bool redo;	      /* a new snapshot is needed; `why` has been logged */
	atomic_bool again;	      /* the stream is to be begun again from what is confirmed */
	atomic_int_fast64_t held;     /* bytes of WAL that the slot holds; -1: not known */
	atomic_bool lagging;

	/* the link's */
	struct adapter_pg *side;    /* beside the stream: heartbeats, looks at the slot */
	bool mute;		    /* the server does not let us send heartbeats */
	struct adapter_maria *line; /* lock: the stream of MariaDB, to be hung up at the end */

	/* the adapter's own thread's */
	uint32_t known_generation;
	struct adapter_item *item; /* taken, not done */
	bool deaf;		   /* until a stream begins */
	struct adapter_pg_reader *reader;
	const struct adapter_pg_relation *relation; /* ours, as described last */
	uint32_t relation_id;
	int *place; /* by wanted column: its place in the relation */
	bool in_transaction;
	uint64_t last;	       /* transaction of this connection */
	struct bus_error said; /* why it was begun again; told once */
	struct adapter_at at;  /* of the record in hand */
	uint64_t nth;	       /* changes of our table in this transaction */
	int64_t time_ms;
	struct adapter_at done; /* all up to here has been dealt with in this run */
	struct change_spot spot[CHANGE_SPOTS];
	size_t n_spots;
	struct adapter_cell *cell;
	struct bus_buf raw;
	struct adapter_tally *tally;
	struct adapter_reading reading;
	char file16[BUS_WIRE_FILE_LEN + 1], lsn[ADAPTER_AT_TEXT];
	int64_t not_before; /* monotonic ms */
	int64_t told_ms;    /* monotonic: the `berkas` record */
	uint64_t told_rows;
	bool told_lag;
	struct adapter_pg *look; /* for values that a message leaves out */
};

/* link.c: the thread, and what each kind's stream does there. */
void *adapter_change_link(void *change);
bool adapter_change_stopping(const struct adapter_change *c);
/* The stream cannot go on: it is logged, and a new snapshot made. */
void adapter_change_give_up(struct adapter_change *c, const char *why);
/* BUS_ESTOPPED, BUS_ECONFLICT: the adapter's own thread wants it begun again. */
enum bus_err adapter_change_go_on(struct adapter_change *c, struct bus_error *err) BUS_MUSTCHECK;
typedef enum bus_err (*adapter_change_meanwhile_fn)(void *ctx, struct bus_error *err);
/* Into the queue, however long that takes; meanwhile is called while it is full. Takes data over. */
enum bus_err adapter_change_hand_over(struct adapter_change *c, enum adapter_item_kind kind, char *data,
				      size_t n, adapter_change_meanwhile_fn meanwhile, void *ctx,
				      struct bus_error *err) BUS_MUSTCHECK;
void adapter_change_look_at_lag(struct adapter_change *c, int64_t held, const char *effect);

/* change.c: reads `table: schema.name`; a name alone is of the schema `schema`, NULL: it needs one. */
enum bus_err adapter_change_read_table(struct adapter_change *c, struct bus_yaml *yaml,
				       struct bus_yaml_node *conf, const char *schema,
				       struct bus_error *err) BUS_MUSTCHECK;

/* snapshot.c: a first reading's file, the mark. */
struct change_writing;
typedef enum bus_err (*adapter_change_rows_fn)(struct adapter_change *c, void *ctx, struct change_writing *w,
					       struct bus_error *err);
/* The stream's id and its file's name; identity is another one for each snapshot. */
void adapter_change_name(struct adapter_change *c, struct change_stream *s, struct bus_str identity);
/* Writes what rows puts, and s into the mark. */
enum bus_err adapter_change_keep(struct adapter_change *c, struct change_stream *s,
				 adapter_change_rows_fn rows, void *ctx, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_change_put(struct adapter_change *c, struct change_writing *w,
				const struct adapter_cell *cell, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_change_note(struct adapter_change *c, const struct change_stream *s,
				 struct bus_error *err) BUS_MUSTCHECK;
/* false: there is no mark, or not one of ours. */
bool adapter_change_remember(struct adapter_change *c, struct change_stream *out);
/* A row's wanted columns as JSON, texts or null; those that are missing are left out. false: a text is not UTF-8 (a
 * database of encoding SQL_ASCII takes anything), and the line is no JSON. */
bool adapter_change_line(const struct adapter_change *c, const struct adapter_cell *cell,
			 struct bus_buf *out);

/* pg_conf.c: its options. */
enum bus_err adapter_change_pg_read(struct adapter_change *c, struct bus_yaml *yaml,
				    struct bus_yaml_node *conf, struct bus_error *err) BUS_MUSTCHECK;

/* pg_table.c: what the server says of table, publication and slot, with the remedy (SQL to run) where it does not
 * suffice. */
enum bus_err adapter_change_pg_test(struct adapter_change *c, struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_change_check(struct adapter_change *c, struct adapter_pg *pg,
				  struct bus_error *err) BUS_MUSTCHECK;

struct change_slot { /* zeroed, held -1: there is none of ours */
	bool there, lost;
	int64_t held;
};
enum bus_err adapter_change_slot(struct adapter_change *c, struct adapter_pg *pg, struct change_slot *out,
				 struct bus_error *err) BUS_MUSTCHECK;
/* SELECT of the wanted columns, with the publication's row filter, appended. */
enum bus_err adapter_change_select(struct adapter_change *c, struct adapter_pg *pg, struct bus_buf *sql,
				   struct bus_error *err) BUS_MUSTCHECK;
/* What an answer must be: rows of so many columns or more, of which the first `filled` are never null. */
struct change_shape {
	size_t columns, filled;
	bool one; /* exactly one row */
};
/* A statement whose answer is looked at. BUS_EIO: it is not of this shape. */
enum bus_err adapter_change_ask(struct adapter_pg *pg, const char *sql, int64_t ms,
				const struct change_shape *shape, struct bus_error *err) BUS_MUSTCHECK;

struct change_system { /* IDENTIFY_SYSTEM */
	char id[24], timeline[12];
	uint64_t end; /* of its log */
};
enum bus_err adapter_change_identify(struct adapter_pg *pg, struct change_system *out,
				     struct bus_error *err) BUS_MUSTCHECK;
/* A statement on a connection, its refusal with the remedy that fits. */
enum bus_err adapter_change_run(struct adapter_pg *pg, const char *sql, int64_t ms,
				struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_change_open(struct adapter_change *c, bool replication, struct adapter_pg **out,
				 struct bus_error *err) BUS_MUSTCHECK;

/* pg_snapshot.c, pg_link.c: a new slot and the table as it was then; its stream. */
enum bus_err adapter_change_pg_snapshot(struct adapter_change *c, struct change_stream *out,
					struct bus_error *err) BUS_MUSTCHECK;
enum bus_err adapter_change_pg_follow(struct adapter_change *c, bool *well,
				      struct bus_error *err) BUS_MUSTCHECK;

#endif
