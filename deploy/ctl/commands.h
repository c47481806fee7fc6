/* deploy/ctl/commands.h - every command, one file a noun (cmd_<noun>.c). */
#ifndef DEPLOY_CTL_COMMANDS_H
#define DEPLOY_CTL_COMMANDS_H

#include "deploy/ctl/ctl.h"

extern const struct ctl_command ctl_avro_cat;
extern const struct ctl_command ctl_avro_make;
extern const struct ctl_command ctl_avro_meta;
extern const struct ctl_command ctl_export;
extern const struct ctl_command ctl_figures_list;
extern const struct ctl_command ctl_figures_publish;
extern const struct ctl_command ctl_publish;
extern const struct ctl_command ctl_schema_check;
extern const struct ctl_command ctl_schema_register;
extern const struct ctl_command ctl_schema_diff;
extern const struct ctl_command ctl_schema_lint;
extern const struct ctl_command ctl_schema_search;
extern const struct ctl_command ctl_schema_derive;
extern const struct ctl_command ctl_size_command;
extern const struct ctl_command ctl_topic_apply;
extern const struct ctl_command ctl_topic_list;
extern const struct ctl_command ctl_key_new;
extern const struct ctl_command ctl_record_tail;
extern const struct ctl_command ctl_quarantine_open;
extern const struct ctl_command ctl_view_check;
extern const struct ctl_command ctl_view_explain;
extern const struct ctl_command ctl_view_diff;
extern const struct ctl_command ctl_view_apply;
extern const struct ctl_command ctl_view_drop;
extern const struct ctl_command ctl_view_verify;
extern const struct ctl_command ctl_view_test;
extern const struct ctl_command ctl_webhook_create;
extern const struct ctl_command ctl_webhook_list;
extern const struct ctl_command ctl_webhook_show;
extern const struct ctl_command ctl_webhook_test;
extern const struct ctl_command ctl_webhook_rotate;
extern const struct ctl_command ctl_webhook_suspend;
extern const struct ctl_command ctl_webhook_resume;
extern const struct ctl_command ctl_webhook_redrive;
extern const struct ctl_command ctl_webhook_rm;

#endif
