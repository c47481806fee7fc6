#include <stdlib.h>
#include <string.h>

#include "bus/admin.h"
#include "bus/mem.h"
#include "deploy/ctl/catalogue.h"
#include "deploy/ctl/commands.h"

#define SCHEMAS_TOPIC "_schemas"

enum { BOOTSTRAP, OPD, PARTITIONS, REPLICATION };

static const struct ctl_option apply_option[] = {
	[BOOTSTRAP] = CTL_OPTION_BOOTSTRAP,
	[OPD] = { "--opd", "A,B,C", NULL,
		  "departments the common schemas stand for (default: the other folders)",
		  "OPD yang diwakili skema bersama (bawaan: folder-folder lain)" },
	[PARTITIONS] = { "--partitions", "N", NULL, "partitions of a topic (1)", "partisi tiap topik (1)" },
	[REPLICATION] = { "--replication", "N", NULL, "copies of a record (the broker's default)",
			  "salinan tiap rekaman (bawaan broker)" },
	{ 0 },
};

struct topics {
	char **name;
	int32_t *partitions;
	size_t n;
};

static void add_topic(void *ctx, const char *name, int32_t partitions)
{
	struct topics *t = ctx;

	t->name = bus_xrealloc(t->name, (t->n + 1) * sizeof(char *));
	t->partitions = bus_xrealloc(t->partitions, (t->n + 1) * sizeof(int32_t));
	t->name[t->n] = bus_xstrdup(name);
	t->partitions[t->n++] = partitions;
}

static void release_topics(struct topics *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		free(t->name[i]);
	free(t->name);
	free(t->partitions);
}

static bool has_topic(const struct topics *t, const char *name)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (strcmp(t->name[i], name) == 0)
			return true;
	return false;
}

/* A register keeps the last record of each key; events are kept until somebody decides how long. */
static const char *const register_config[] = { "cleanup.policy=compact", NULL };
static const char *const event_config[] = { "cleanup.policy=delete", "retention.ms=-1", NULL };

static enum bus_err make_topics(const struct bus_kafka_conf *kafka, const struct ctl_catalogue *c,
				int32_t partitions, int32_t replication, struct bus_error *err)
{
	struct bus_topic_spec *spec = bus_xcalloc(c->n + 1, sizeof(*spec));
	struct topics before = { 0 };
	size_t i, n = 1, created = 0;
	enum bus_err rc;

	spec[0] = (struct bus_topic_spec){ SCHEMAS_TOPIC, 1, replication, register_config };
	for (i = 0; i < c->n; i++)
		if (c->entry[i].topic)
			spec[n++] = (struct bus_topic_spec){ c->entry[i].topic, partitions, replication,
							     c->entry[i].is_register ? register_config
										     : event_config };
	rc = bus_admin_each_topic(kafka, add_topic, &before, CTL_TIMEOUT_MS, err);
	if (rc == BUS_OK)
		rc = bus_admin_create_topics(kafka, spec, n, &created, 2 * CTL_TIMEOUT_MS, err);
	for (i = 0; i < n && rc == BUS_OK; i++)
		printf("%s\t%s\n", spec[i].name,
		       has_topic(&before, spec[i].name) ? ctl_say("there", "sudah ada")
							: ctl_say("made", "dibuat"));
	release_topics(&before);
	free(spec);
	return rc;
}

static enum ctl_exit topic_apply(const struct ctl_args *args)
{
	struct ctl_catalogue c = { 0 };
	struct bus_kafka_conf kafka;
	struct bus_error err = { 0 };
	long partitions, replication;
	enum bus_err rc;

	if (!ctl_kafka(args, BOOTSTRAP, &kafka) ||
	    !ctl_number("--partitions", args->option[PARTITIONS], 1, 1000, 1, &partitions) ||
	    !ctl_number("--replication", args->option[REPLICATION], 1, 9, -1, &replication))
		return CTL_USAGE;
	rc = ctl_catalogue_load(args->rest, args->n_rest, args->option[OPD], &c, &err);
	if (rc != BUS_OK)
		return ctl_fail(&err, false);
	rc = make_topics(&kafka, &c, (int32_t)partitions, (int32_t)replication, &err);
	ctl_catalogue_release(&c);
	return rc == BUS_OK ? CTL_OK : ctl_fail(&err, true);
}

const struct ctl_command ctl_topic_apply = {
	.noun = "topic",
	.verb = "apply",
	.operands = "DIR|FILE...",
	.least = 1,
	.most = 1000,
	.option = apply_option,
	.en = "make the topics of the schemas, and the registry's own; what is there stays as it is",
	.id = "membuat topik bagi skema-skema dan bagi registri; yang sudah ada dibiarkan",
	.example = "titian topic apply --bootstrap 127.0.0.1:9092 schemas/avsc",
	.run = topic_apply,
};

static const struct ctl_option list_option[] = { CTL_OPTION_BOOTSTRAP, { 0 } };

static int by_name(const void *a, const void *b, void *ctx)
{
	const struct topics *t = ctx;

	return strcmp(t->name[*(const size_t *)a], t->name[*(const size_t *)b]);
}

static enum ctl_exit topic_list(const struct ctl_args *args)
{
	struct bus_kafka_conf kafka;
	struct bus_error err = { 0 };
	struct topics t = { 0 };
	enum bus_err rc;
	size_t *order, i;

	if (!ctl_kafka(args, BOOTSTRAP, &kafka))
		return CTL_USAGE;
	rc = bus_admin_each_topic(&kafka, add_topic, &t, CTL_TIMEOUT_MS, &err);
	order = bus_xcalloc(t.n + 1, sizeof(*order));
	for (i = 0; i < t.n; i++)
		order[i] = i;
	qsort_r(order, t.n, sizeof(*order), by_name, &t);
	for (i = 0; i < t.n; i++)
		printf("%s\t%d\n", t.name[order[i]], (int)t.partitions[order[i]]);
	free(order);
	release_topics(&t);
	return rc == BUS_OK ? CTL_OK : ctl_fail(&err, true);
}

const struct ctl_command ctl_topic_list = {
	.noun = "topic",
	.verb = "list",
	.operands = "",
	.option = list_option,
	.en = "every topic and its number of partitions",
	.id = "semua topik dan banyaknya partisi",
	.example = "titian topic list --bootstrap 127.0.0.1:9092",
	.run = topic_list,
};
