/* deploy/ctl/size.h - what a region needs: from its residents, departments, views and readers to brokers, partitions,
 * disks, gateways, memory and network. Every number stands on a figure of size_figures.c, which says where it was measured.
 *
 * It is a straight line through measured runs, with memory as a power: what it gives for a city was checked against a city
 * that it was not fitted to (tests/unit/test_size.c), what it gives for a country is that line drawn on.
 */
#ifndef DEPLOY_CTL_SIZE_H
#define DEPLOY_CTL_SIZE_H

#include <stddef.h>

struct ctl_figure {
	const char *name;
	double value;
	const char *unit, *from; /* where it was measured, and how */
};
extern const struct ctl_figure ctl_figures[]; /* ended by a NULL name */
double ctl_figure(const char *name);	      /* one that is there */

struct ctl_size_run { /* a city that was loaded whole, as it was measured */
	double residents, records, view_rows;
	double gateway_cpu_s, database_bytes, gateway_rss_mb, adapters_cpu_s;
	const char *what;
};
extern const struct ctl_size_run ctl_size_runs[]; /* ended by 0 residents */

struct ctl_size_ask {
	double residents, departments, topics, views, readers;
	double records;	 /* per resident and year */
	double requests; /* of one reader in the busiest second, pages of 100 rows */
	double years;	 /* that events are kept */
	double peak;	 /* records of the busiest second, times the mean */
};

struct ctl_size {
	double load_records, year_records, mean_rate, peak_rate; /* records; a second */
	double brokers, partitions, broker_disk_bytes;		 /* of a topic; of each broker */
	double gateways, gateway_cores,				 /* of each store; of each gateway */
	    gateway_memory_bytes, gateway_disk_bytes, database_bytes;
	double writer_share; /* of the one core that writes, at the peak */
	double load_seconds; /* of one core, everything from nothing */
	double stores;	     /* parts into which the tables go, each with its gateways; 1: one file */
	double adapter_memory_bytes, registry_memory_bytes;
	double in_bits, out_bits; /* a second at the peak: into a gateway; to readers, all together */
};

/* ask holds no nonsense: every number > 0, but readers and requests, which may be 0. */
void ctl_size(const struct ctl_size_ask *ask, struct ctl_size *out);

#endif
