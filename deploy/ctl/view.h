/* deploy/ctl/view.h - what the view commands ask a gateway, and how they show what it found.
 *
 * One thread. Whatever goes wrong is told on stderr here; the exit code comes back.
 */
#ifndef DEPLOY_CTL_VIEW_H
#define DEPLOY_CTL_VIEW_H

#include "bus/buf.h"
#include "bus/json.h"
#include "deploy/ctl/ctl.h"

struct ctl_gateway;

/* url, key_file, client: as in the options below; either a key's file or a client's. */
enum ctl_exit ctl_gateway_open(const char *url, const char *key_file, const char *client,
			       struct ctl_gateway **out);
void ctl_gateway_close(struct ctl_gateway **g);
/* Tells a refusal as the gateway says it; problem: NULL when there was no JSON. Never CTL_OK. */
enum ctl_exit ctl_gateway_refused(int status, const struct bus_json *problem);
/* path: "/v1/..."; body: p NULL for none; async: `Prefer: respond-async`. CTL_OK with a status of 2xx; what is refused is
 * told as the gateway says it. *json is good until the next call; NULL: no JSON object (text: its bytes). */
enum ctl_exit ctl_gateway_ask(struct ctl_gateway *g, const char *method, const char *path,
			      struct bus_str body, bool async, const struct bus_json **json,
			      struct bus_str *text);
/* Asks for the job (an answer of 202) until it is over, with a bar; *result: its result. */
enum ctl_exit ctl_gateway_wait(struct ctl_gateway *g, const struct bus_json *begun, const char *what,
			       const struct bus_json **result);

/* Whether everything in the report is good. */
bool ctl_report_good(const struct bus_json *report);
void ctl_report_problems(const struct bus_json *report, const char *file); /* file:line:column: text */
void ctl_report_explain(const struct bus_json *report);
void ctl_report_diff(const struct bus_json *report);
void ctl_report_verdict(const struct bus_json *verdict);

/* `titian-gateway view WORD ...`, the one beside this program. out NULL: its output is ours; else it is put there. */
enum ctl_exit ctl_local_gateway(const char *word, const char *const *argv, struct bus_buf *out);

#define CTL_OPTION_GATEWAY                                                                                   \
	{                                                                                                    \
		"--gateway", "URL", "TITIAN_URL", "the gateway", "gateway"                                   \
	}
#define CTL_OPTION_KEY_FILE                                                                                  \
	{                                                                                                    \
		"--key-file", "FILE", "TITIAN_KEY_FILE", "file with the reader's key",                       \
		    "berkas berisi kunci pembaca"                                                            \
	}
#define CTL_OPTION_GATEWAY_CLIENT                                                                            \
	{                                                                                                    \
		"--client", "FILE", NULL, "CA, certificate, key (YAML), instead of --key-file",              \
		    "CA, sertifikat, kunci (YAML), pengganti --key-file"                                     \
	}

#endif
