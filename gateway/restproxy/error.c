#include <stdio.h>
#include <string.h>

#include "bus/json_out.h"
#include "gateway/restproxy/rp.h"

struct kind {
	int code, status;
	const char *words;
};

static const struct kind table[] = {
	{ GW_RP_CONSUMER_RANGE, 422,
	  "Invalid consumer configuration. It does not abide by the constraints: " },
	{ GW_RP_KEY_UNKNOWN, 401, "Unauthorized" },
	{ GW_RP_FORBIDDEN, 403, "Forbidden" },
	{ GW_RP_TOPIC_UNKNOWN, 404, "Topic not found." },
	{ GW_RP_PARTITION_UNKNOWN, 404, "Partition not found." },
	{ GW_RP_CONSUMER_UNKNOWN, 404, "Consumer instance not found." },
	{ GW_RP_LEADER_NONE, 404, "Leader not available." },
	{ GW_RP_GROUP_UNKNOWN, 404, "Consumer group id not found." },
	{ GW_RP_FORMAT_OTHER, 406,
	  "The requested embedded data format does not match the deserializer for this consumer instance" },
	{ GW_RP_SUBSCRIBED, 409,
	  "Consumer cannot subscribe the the specified target because it has already subscribed to other "
	  "topics." },
	{ GW_RP_CONSUMER_EXISTS, 409,
	  "Consumer with specified consumer ID already exists in the specified consumer group." },
	{ GW_RP_ILLEGAL_STATE, 409, "Illegal state: " },
	{ GW_RP_KEY_SCHEMA_MISSING, 422, "Request includes keys but does not include key schema" },
	{ GW_RP_VALUE_SCHEMA_MISSING, 422, "Request includes values but does not include value schema" },
	{ GW_RP_JSON_CONVERSION, 422, "Conversion of JSON to Object failed: " },
	{ GW_RP_CONSUMER_CONFIG, 422, "Invalid consumer configuration: " },
	{ GW_RP_SCHEMA_INVALID, 422, "Invalid schema: " },
	{ GW_RP_PAYLOAD, 422, "Payload error. " },
	{ GW_RP_SERIALIZATION, 422, "Error serializing message. " },
	{ GW_RP_KAFKA, 500, "Kafka error: " },
	{ GW_RP_KAFKA_RETRY, 503, "Kafka error: " },
};

/* The paths of this API: the first segment. */
static const char *const roots[] = { "/topics", "/brokers", "/consumers" };

static const struct kind *find(int code)
{
	for (size_t i = 0; i < BUS_LEN(table); i++)
		if (table[i].code == code)
			return &table[i];
	return NULL;
}

int gw_rp_status(int code)
{
	const struct kind *k = find(code);

	return k ? k->status : code;
}

const char *gw_rp_words(int code)
{
	const struct kind *k = find(code);

	return k ? k->words : "";
}

void gw_rp_put_error(struct bus_json_out *j, int code, const char *detail)
{
	const char *words = gw_rp_words(code);
	const size_t n = strlen(words);
	struct bus_buf text = { 0 };

	bus_buf_puts(&text, words);
	if (n > 0 && words[n - 1] != ' ' && detail)
		bus_buf_puts(&text, words[n - 1] == '.' ? " " : ": ");
	bus_buf_puts(&text, detail ? detail : "");
	bus_json_int_member(j, "error_code", code);
	bus_json_key(j, "message");
	bus_json_put_str(j, bus_buf_str(&text));
	bus_buf_release(&text);
}

void gw_rp_fail(struct bus_http_request *req, int code, const char *detail)
{
	gw_rp_fail_for(req, code, detail, gw_rp_status(code) == 503);
}

void gw_rp_fail_for(struct bus_http_request *req, int code, const char *detail, int s)
{
	char seconds[16];
	const int status = gw_rp_status(code);
	struct bus_buf body = { 0 };
	struct bus_json_out j = { .buf = &body };

	if (status == 401) {
		bus_http_set(req, "WWW-Authenticate", "Basic realm=\"titian\", charset=\"UTF-8\"");
		bus_http_set(req, "WWW-Authenticate", "Bearer");
	}
	if (s > 0) {
		snprintf(seconds, sizeof(seconds), "%d", s);
		bus_http_set(req, "Retry-After", seconds);
	}
	bus_json_object(&j);
	gw_rp_put_error(&j, code, detail);
	bus_json_object_end(&j);
	gw_rp_reply(req, status, &body);
}

bool gw_rp_path(const struct bus_http_request *req)
{
	const char *path = bus_http_path(req);

	for (size_t i = 0; i < BUS_LEN(roots); i++) {
		const size_t n = strlen(roots[i]);

		if (strncmp(path, roots[i], n) == 0 && (path[n] == '\0' || path[n] == '/'))
			return true;
	}
	return false;
}

void gw_rp_write_error(struct bus_buf *out, int status, const char *title, const char *detail)
{
	struct bus_json_out j = { .buf = out };

	bus_json_object(&j);
	gw_rp_put_error(&j, status, detail ? detail : title);
	bus_json_object_end(&j);
}

void gw_rp_refuse(void *api, struct bus_http_request *req, int status)
{
	if (gw_rp_path(req))
		gw_rp_fail(req, status, status == 404 ? "HTTP 404 Not Found" : "HTTP 405 Method Not Allowed");
	else
		gw_api_refuse(api, req, status);
}
