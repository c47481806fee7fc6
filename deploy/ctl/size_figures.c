/* The figures behind `titian size`. Those of a whole city were measured on 2 cores of an AMD EPYC with Kafka on the same
 * machine, processes' CPU time by /proc/PID/stat, memory by VmHWM, from an empty store until nothing waited: cities of 20,000,
 * 30,000 and 100,000 made by the generator (seed 1), all feeds, all shipped views, `make demo`. */
#include "deploy/ctl/size.h"

#include <assert.h>
#include <string.h>

const struct ctl_figure ctl_figures[] = {
	{ "records_per_resident", 4.13, "records",
	  "the city of 100,000: 413,090 records of 7 departments, quarantine and counts too" },
	{ "apply_us", 20.8, "us", "gateway_apply_rows_per_s of make bench: 48,000 a second of one core" },
	{ "view_us", 0.613, "us",
	  "the rest of the gateway's CPU time, 20,000 to 100,000 residents, by record and view: 38 views" },
	{ "adapter_us", 23.3, "us", "CPU time of 7 adapters by record, 20,000 to 100,000 residents" },
	{ "upkeep_us", 115, "us",
	  "8,700 records a second of one core through a view over five tables, 100 a transaction" },
	{ "views_touched", 4, "views",
	  "that read the topic a record is of: of the shipped ones, 38 views of 25 topics" },
	{ "row_bytes", 590, "B",
	  "SQLite's dbstat at 30,000 residents: tables of topics with their indexes and histories, by "
	  "record" },
	{ "key_bytes", 148, "B", "the same: states, change logs and parts of views, by key of a view" },
	{ "kafka_bytes", 124, "B",
	  "0.6 GB of one copy of 4.8 million records, 1,168,000 residents, compressed" },
	{ "gateway_rss_mb", 143, "MB", "peak of the gateway at 20,000 residents" },
	{ "gateway_rss_power", 0.265, "", "peaks at 20,000 and 100,000 residents: 143 and 219 MB" },
	{ "adapter_rss_mb", 64, "MB", "the largest of 7: 61 MB at 300,000 residents, 39 MB at 1,168,000: it does not grow on" },
	{ "registry_rss_mb", 17, "MB", "peak at 100,000 residents" },
	{ "page_us", 571, "us",
	  "gateway_page100_ratio of make bench: 3,500 pages a second on 2 cores, client included" },
	{ "page_bytes", 32200, "B", "a page of 100 rows, 322 B each as JSON" },
	{ "file_bytes", 5e10, "B", "what one SQLite file stays comfortable with" },
	{ "writer_share_most", 0.5, "",
	  "of the writer's core at the peak: the rest is for what comes at once" },
	{ "broker_bytes_s", 3e7, "B/s",
	  "of a broker on one disk, with its replicas; far below what Kafka's own tests give" },
	{ "broker_disk_bytes", 4e12, "B", "of one broker: a disk that is copied again within a day" },
	{ .name = NULL },
};

const struct ctl_size_run ctl_size_runs[] = {
	{ 20000, 82344, 126054, 3.59, 67166208, 143, 2.69, "fit" },
	{ 100000, 413090, 611485, 18.18, 331366400, 219, 10.38, "fit" },
	{ 30000, 123698, 187191, 6.87, 103890944, 140, 5.82,
	  "check" },
	{ 300000, 1239193, 1821922, 147.36, 1037115928, 425, 39.25, "check" },
	{ .what = NULL },
};

double ctl_figure(const char *name)
{
	for (size_t i = 0; ctl_figures[i].name; i++) {
		if (strcmp(ctl_figures[i].name, name) == 0)
			return ctl_figures[i].value;
	}
	assert(!"a figure that is not there");
	return 0;
}
