#include "deploy/ctl/size.h"

#include <math.h>

#define MB 1e6
#define YEAR_S (365.25 * 86400)
#define REPLICAS 3	 /* and two must have a record before it counts */
#define ROOM 1.4	 /* of a disk: full at 70 % */
#define STORE_COPIES 2.2 /* a file while it is built anew beside itself, its log, exports */
#define VIEW_ROWS 1.48	 /* keys in views by record: 611,485 of 413,090 */
#define SHIPPED_VIEWS 38
#define PARTITION_RATE 2000 /* records a second that one partition's readers catch up with easily */
#define CORES_MOST 8	    /* of a gateway: four threads answer, one writes, others export and follow */

static double at_least(double x, double least)
{
	return x < least ? least : x;
}

static void records(const struct ctl_size_ask *ask, struct ctl_size *s)
{
	s->year_records = ask->residents * ask->records;
	s->load_records = s->year_records;
	s->mean_rate = s->year_records / YEAR_S;
	s->peak_rate = s->mean_rate * ask->peak;
}

static void kafka(const struct ctl_size_ask *ask, struct ctl_size *s)
{
	double bytes = s->year_records * ask->years * ctl_figure("kafka_bytes");
	double rate = s->peak_rate * ctl_figure("kafka_bytes") * REPLICAS;

	s->brokers = at_least(ceil(bytes * REPLICAS * ROOM / ctl_figure("broker_disk_bytes")), 3);
	s->brokers = at_least(s->brokers, ceil(rate / ctl_figure("broker_bytes_s")));
	s->broker_disk_bytes = at_least(bytes * REPLICAS * ROOM / s->brokers, 10e9);
	s->partitions = at_least(ceil(s->peak_rate / at_least(ask->topics, 1) / PARTITION_RATE), 1);
	s->partitions = s->partitions < s->brokers && ask->residents > 1e6 ? s->brokers : s->partitions;
}

static void gateway(const struct ctl_size_ask *ask, struct ctl_size *s)
{
	double views = ask->views / SHIPPED_VIEWS;
	double work = ctl_figure("apply_us") + ctl_figure("view_us") * ask->views;
	double live = ctl_figure("apply_us") + ctl_figure("upkeep_us") * ctl_figure("views_touched") * views;
	double pages = ask->readers * ask->requests;
	double reading = pages * ctl_figure("page_us") / 1e6; /* cores */
	double by_size, by_work;

	s->load_seconds = s->load_records * work / 1e6;
	s->database_bytes =
	    s->load_records * (ctl_figure("row_bytes") + ctl_figure("key_bytes") * VIEW_ROWS * views);
	s->writer_share = s->peak_rate * live / 1e6;
	by_size = ceil(s->database_bytes / ctl_figure("file_bytes"));
	by_work = ceil(s->writer_share / ctl_figure("writer_share_most"));
	s->stores = at_least(by_size > by_work ? by_size : by_work, 1);
	/* Two, so that one may go; more when those that answer have more to do than their cores. */
	reading /= s->stores;
	s->gateways = at_least(ceil(reading / (CORES_MOST - 2)), 2);
	s->gateway_cores = at_least(ceil(2 + reading / s->gateways), 2);
	s->gateway_memory_bytes = MB * ctl_figure("gateway_rss_mb") *
				  pow(ask->residents / s->stores / 20000, ctl_figure("gateway_rss_power"));
	s->gateway_memory_bytes =
	    at_least(s->gateway_memory_bytes * 2, 512 * MB); /* as much again for the page cache */
	s->gateway_disk_bytes = at_least(s->database_bytes / s->stores * STORE_COPIES, 5e9);
	s->out_bits = pages * ctl_figure("page_bytes") * 8;
	s->in_bits = s->peak_rate * ctl_figure("kafka_bytes") * 8;
}

void ctl_size(const struct ctl_size_ask *ask, struct ctl_size *out)
{
	*out = (struct ctl_size){ .adapter_memory_bytes = MB * ctl_figure("adapter_rss_mb"),
				  .registry_memory_bytes = MB * ctl_figure("registry_rss_mb") };
	records(ask, out);
	kafka(ask, out);
	gateway(ask, out);
}
