#include "adapters/map_impl.h"

#include <fnmatch.h>
#include <stdio.h>

#include "adapters/input.h"

void adapter_map_free(struct adapter_map **m)
{
	if (!*m)
		return;
	adapter_map_checks_free(*m);
	adapter_map_refs_free(*m);
	schema_unref(&(*m)->schema);
	bus_pseudonym_free(&(*m)->pseudonym);
	bus_buf_release(&(*m)->value);
	bus_buf_release(&(*m)->decimal);
	bus_arena_free(&(*m)->row);
	bus_arena_free(&(*m)->keep);
	bus_yaml_free(&(*m)->yaml);
	free((*m)->tmp_dir);
	free((*m)->path);
	free((*m)->fetched);
	free(*m);
	*m = NULL;
}

enum bus_err adapter_map_begin(struct adapter_map *m, struct bus_error *err)
{
	return adapter_map_checks_begin(m, err);
}

/* A source names its defects itself; a class is made when one comes first. */
static uint16_t defect_class(struct adapter_map *m, const char *name)
{
	int have = adapter_map_class_index(m, name);
	char *copy;

	if (have >= 0)
		return (uint16_t)have;
	if (m->n_classes == ADAPTER_CLASSES_MAX)
		return m->class_other;
	copy = adapter_map_keep(m, strlen(name) + 1);
	memcpy(copy, name, strlen(name) + 1);
	m->class[m->n_classes] = (struct adapter_class){ copy, ADAPTER_CLASS_REFUSE };
	return (uint16_t)m->n_classes++;
}

/* What no check has looked at must not pass unread. */
static void refuse_bad(struct adapter_map *m, struct adapter_result *out)
{
	for (size_t i = 0; i < m->scope->program.n_strict; i++) {
		uint16_t slot = m->scope->program.strict[i];

		if (m->slot[slot].state == MAP_BAD) {
			adapter_map_refuse(out, m->class_bad, &m->scope->info[slot],
					   adapter_map_why_text(m->slot[slot].why));
			return;
		}
	}
}

static void note_doubt(const struct adapter_map *m, struct adapter_result *out)
{
	for (size_t i = 0; i < m->n_doubt && out->n_flags < ADAPTER_FLAGS_MAX; i++) {
		const struct map_slot *s = &m->slot[m->doubt[i]];

		if (s->state == MAP_GOOD && s->doubt != MAP_WHY_NONE) {
			out->flag[out->n_flags++] = m->class_doubt;
			return;
		}
	}
}

static void take_key(struct adapter_map *m, struct adapter_result *out)
{
	const struct map_slot *s = &m->slot[m->key[0]];

	for (size_t i = 0; i < m->n_keys; i++) {
		s = &m->slot[m->key[i]];
		if (s->state == MAP_GOOD)
			break;
	}
	if (s->state != MAP_GOOD || s->text.n > MAP_KEY_MAX) {
		adapter_map_refuse(out, s->state != MAP_GOOD ? m->class_empty : m->class_bad,
				   &m->scope->info[m->key[0]],
				   s->state != MAP_GOOD ? "kunci kosong / the key is empty"
							: "kunci terlalu panjang / the key is too long");
		return;
	}
	out->key = s->text;
}

/* A complete register keeps what it has of a row that was refused today: the runner must know which. */
static void key_of_refused(const struct adapter_map *m, struct adapter_result *out)
{
	out->key = (struct bus_str){ NULL, 0 };
	for (size_t i = 0; i < m->n_keys; i++) {
		const struct map_slot *s = &m->slot[m->key[i]];

		if (s->state != MAP_GOOD)
			continue;
		if (s->text.n <= MAP_KEY_MAX)
			out->key = s->text;
		return;
	}
}

static int64_t moment(const struct adapter_map *m, int slot)
{
	if (slot < 0 || m->slot[slot].state != MAP_GOOD)
		return 0;
	if (m->scope->info[slot].type == MAP_DATE)
		return m->slot[slot].whole * DAY_MS - WIB_MS;
	return m->slot[slot].whole;
}

static void publish(struct adapter_map *m, struct adapter_result *out)
{
	take_key(m, out);
	if (out->fate != ADAPTER_PUBLISH)
		return;
	if (!adapter_map_write(m, out)) {
		const struct map_slot *s = &m->slot[m->failed_slot];
		bool empty = s->state != MAP_GOOD;

		adapter_map_refuse(out, empty ? m->class_empty : m->class_bad,
				   &m->scope->info[m->failed_slot],
				   adapter_map_why_text(empty ? MAP_WHY_EMPTY : m->failed_why));
		return;
	}
	out->value = bus_buf_str(&m->value);
	if (!m->is_register)
		out->identity = adapter_map_unique_text(m);
	out->time_ms = moment(m, m->time);
	out->version = m->newest < 0 || m->slot[m->newest].state != MAP_GOOD ? 0 : m->slot[m->newest].whole;
}

enum bus_err adapter_map_row(struct adapter_map *m, const struct adapter_row *row, struct adapter_result *out,
			     struct bus_error *err)
{
	enum bus_err rc;

	out->fate = ADAPTER_PUBLISH;
	out->key = out->value = out->identity = (struct bus_str){ NULL, 0 };
	out->version = out->time_ms = 0;
	out->n_flags = 0;
	out->reason = 0;
	out->field = NULL;
	out->detail[0] = '\0';
	if (row->defect) {
		adapter_map_refuse(out, defect_class(m, row->defect), NULL, row->detail ? row->detail : "");
		return BUS_OK;
	}
	bus_arena_reset(m->row);
	m->some_bad = m->too_big = m->some_doubt = false;
	adapter_map_run(m, &m->scope->program, m->slot, row, NULL);
	rc = adapter_map_checks_run(m, row, out, err);
	if (rc != BUS_OK)
		return rc;
	if (out->fate == ADAPTER_PUBLISH && m->too_big)
		adapter_map_refuse(out, m->class_bad, NULL, "baris terlalu besar / the row is too large");
	if (out->fate == ADAPTER_PUBLISH && m->some_bad)
		refuse_bad(m, out);
	if (out->fate == ADAPTER_PUBLISH && m->some_doubt)
		note_doubt(m, out);
	if (out->fate == ADAPTER_PUBLISH)
		publish(m, out);
	if (out->fate == ADAPTER_REFUSE) {
		adapter_map_flags_refused(m, out);
		key_of_refused(m, out);
	}
	return BUS_OK;
}

/* ---- what others ask ---- */

const char *adapter_map_feed(const struct adapter_map *m)
{
	return m->feed;
}

const char *adapter_map_topic(const struct adapter_map *m)
{
	return m->topic;
}

const char *adapter_map_path(const struct adapter_map *m)
{
	return m->path;
}

bool adapter_map_register(const struct adapter_map *m)
{
	return m->is_register;
}

bool adapter_map_complete(const struct adapter_map *m)
{
	return m->complete;
}

int adapter_map_remove_max(const struct adapter_map *m)
{
	return m->remove_max;
}

bool adapter_map_urgent(const struct adapter_map *m)
{
	return m->urgent;
}

void adapter_map_limits(const struct adapter_map *m, int64_t *rows, int64_t *bytes)
{
	*rows = m->rows_per_second;
	*bytes = m->bytes_per_second;
}

bool adapter_map_newest(const struct adapter_map *m)
{
	return m->newest >= 0;
}

const char *adapter_map_older_class(const struct adapter_map *m)
{
	return m->older;
}

bool adapter_map_takes(const struct adapter_map *m, const char *file_name)
{
	for (size_t i = 0; i < m->n_files; i++)
		if (fnmatch(m->file[i], file_name, FNM_PERIOD) == 0)
			return true;
	return false;
}

const char *const *adapter_map_patterns(const struct adapter_map *m, size_t *n)
{
	*n = m->n_files;
	return m->file;
}

const char *const *adapter_map_columns(const struct adapter_map *m, size_t *n)
{
	*n = m->n_columns;
	return m->column;
}

bool adapter_map_repeats(const struct adapter_map *m)
{
	for (size_t i = 0; i < m->n_checks; i++)
		for (size_t k = 0; k < m->check[i].n; k++)
			if (m->check[i].test[k].once)
				return true;
	return false;
}

struct bus_yaml_node *adapter_map_fetch(struct adapter_map *m, struct bus_yaml **yaml)
{
	*yaml = m->yaml;
	return m->fetch_conf;
}

struct bus_yaml_node *adapter_map_change(struct adapter_map *m, struct bus_yaml **yaml)
{
	*yaml = m->yaml;
	return m->change_conf;
}

bool adapter_map_across_rows(const struct adapter_map *m)
{
	for (size_t i = 0; i < m->n_checks; i++) {
		for (size_t k = 0; k < m->check[i].n; k++) {
			enum map_test_kind kind = m->check[i].test[k].kind;

			if (kind == MAP_TEST_REPEATED || kind == MAP_TEST_REPEATED_ROW ||
			    kind == MAP_TEST_FALLS)
				return true;
		}
	}
	return false;
}

/* A slot is set before it is used: from the last operation to the first. */
void adapter_map_key_columns(const struct adapter_map *m, bool *out)
{
	const struct map_program *p = &m->scope->program;
	bool needed[MAP_SLOTS_MAX] = { false };

	for (size_t i = 0; i < m->n_keys; i++)
		needed[m->key[i]] = true;
	for (size_t i = p->n_ops; i-- > 0;) {
		const struct map_op *op = &p->op[i];
		const struct map_parts *parts = op->arg;

		if (!needed[op->slot])
			continue;
		switch ((enum map_op_kind)op->kind) {
		case MAP_OP_CELL:
			out[op->column] = true;
			break;
		case MAP_OP_COPY:
			needed[op->other] = true;
			break;
		case MAP_OP_JOIN:
		case MAP_OP_FIRST:
		case MAP_OP_PSEUDONYM:
			for (size_t k = 0; k < parts->n; k++)
				needed[parts->slot[k]] = true;
			break;
		default:
			break; /* a constant, or a conversion of what is in the slot */
		}
	}
}

const struct adapter_class *adapter_map_classes(const struct adapter_map *m, size_t *n)
{
	*n = m->n_classes;
	return m->class;
}

int adapter_map_class_index(const struct adapter_map *m, const char *name)
{
	for (size_t i = 0; i < m->n_classes; i++)
		if (strcmp(m->class[i].name, name) == 0)
			return (int)i;
	return -1;
}

const struct adapter_source_kind *adapter_map_source(const struct adapter_map *m)
{
	return m->source;
}

enum bus_err adapter_map_open_source(struct adapter_map *m, struct adapter_input *in, void **source,
				     struct bus_error *err)
{
	adapter_input_set_tmp(in, m->tmp_dir);
	return m->source->open(m->yaml, m->source_conf, in, m->column, m->n_columns, source, err);
}
