/* schemas/registry/write_impl.h - inside of the writer: registry/write.c (its thread, queue and role) and
 * registry/batch.c (the changes of one transaction). What has no lock beside it is the writer's thread's. */
#ifndef SCHEMAS_REGISTRY_WRITE_IMPL_H
#define SCHEMAS_REGISTRY_WRITE_IMPL_H

#include <pthread.h>

#include "bus/metrics.h"
#include "bus/producer.h"
#include "schemas/registry/registry.h"

#define SCHEMA_BATCH_MAX 500 /* changes of one transaction */
#define SCHEMA_BATCH_BYTES ((size_t)4 * 1024 * 1024)
#define SCHEMA_READ_BACK_MS 15000

struct job {
	struct job *next;
	struct schema_errand change;
	struct bus_buf answer;
	size_t first, n;  /* its records */
	uint64_t blocker; /* the claim it met in a batch before; 0: none */
};

struct jobs {
	struct job *first, **last;
	size_t n;
};

struct record {
	struct bus_buf key, value;
	bool tombstone;
	int64_t time_ms; /* 0: when it is sent */
};

struct claim {
	uint64_t what;
	const struct job *by;
};

struct schema_writer {
	struct bus_producer_conf conf;
	char *id, *topic;
	struct schema_registry *registry;
	struct bus_metric *committed, *failures, *commits, *changes, *waiting;

	/* the writer's thread */
	struct bus_producer *producer; /* NULL: to be opened anew */
	int64_t term;		       /* this node may write in; 0: none */
	int64_t told;		       /* the term the other nodes think it writes in */
	uint64_t token;
	struct job *current;
	struct jobs open;  /* the batch: changes made, not committed */
	size_t last_n;	   /* of the batch before */
	struct jobs later; /* met a claim of the batch: for the next one, and run from their start */
	bool closed;	   /* no other change may join it */
	bool keys;	   /* it is of keys for encryption, in their own topic */
	struct record *record;
	size_t n_records, cap_records, bytes;
	struct claim *claim;
	size_t n_claims, cap_claims;
	struct given {
		char *context;
		int32_t id;
	} * given; /* ids given in the batch */
	size_t n_given;

	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* the queue and the flags */
	pthread_cond_t more;
	struct jobs queue;
	bool stop;
	bool stirred; /* the nodes have changed */
};

static inline void schema_jobs_add(struct jobs *l, struct job *job)
{
	job->next = NULL;
	*l->last = job;
	l->last = &job->next;
	l->n++;
}

static inline struct job *schema_jobs_take(struct jobs *l)
{
	struct job *job = l->first;

	if (!job)
		return NULL;
	l->first = job->next;
	if (!l->first)
		l->last = &l->first;
	l->n--;
	return job;
}

/* --- registry/write.c --- */

/* How far the topic that the batch is for has been read: one past. */
int64_t schema_writer_next_offset(struct schema_writer *w);

/* The producer is open, and the store has all that was written before: by another node, or by this one with
 * an outcome that was not known, which opening anew settles. */
bool schema_writer_may_write(struct schema_writer *w, struct bus_error *err) BUS_MUSTCHECK;

/* --- registry/batch.c --- */

/* Commits what is open, and answers it. */
void schema_writer_close_batch(struct schema_writer *w);
void schema_writer_forget_batch(struct schema_writer *w);
/* False: answered with what is wrong. */
bool schema_writer_writable(struct schema_writer *w, struct bus_http_request *req);
bool schema_writer_is_claimed(const struct schema_writer *w, uint64_t what); /* by another than the current */
void schema_writer_drop_claims(struct schema_writer *w, const struct job *job);
/* For the node that has forwarded the request: it answers when it has read as far. */
void schema_writer_tell_offset(struct schema_writer *w, struct job *job, int64_t offset);
void schema_writer_done(struct job *job); /* after its answer */

#endif
