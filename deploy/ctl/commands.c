#include "deploy/ctl/commands.h"

const struct ctl_command *const ctl_commands[] = {
	&ctl_schema_check,    &ctl_schema_lint, &ctl_schema_diff, &ctl_schema_register, &ctl_schema_search,
	&ctl_schema_derive,   &ctl_topic_apply, &ctl_topic_list,  &ctl_key_new,		&ctl_record_tail,
	&ctl_quarantine_open, &ctl_avro_cat,	&ctl_avro_meta,	  &ctl_avro_make,	&ctl_export, NULL,
};
