#include <math.h>
#include <stdlib.h>

#include "bus/json_out.h"
#include "deploy/ctl/registry.h"
#include "deploy/ctl/commands.h"
#include "deploy/ctl/size.h"

enum { RESIDENTS, DEPARTMENTS, TOPICS, VIEWS, READERS, RECORDS, REQUESTS, YEARS, PEAK, FIGURES, JSON };

static const struct ctl_option option[] = {
	[RESIDENTS] = { "--residents", "N", NULL, "people of the region", "penduduk wilayah" },
	[DEPARTMENTS] = { "--departments", "N", NULL, "departments that publish (7)",
			  "OPD yang menerbitkan (7)" },
	[TOPICS] = { "--topics", "N", NULL, "topics (3.6 a department)", "topik (3,6 per OPD)" },
	[VIEWS] = { "--views", "N", NULL, "views (38)", "pandangan (38)" },
	[READERS] = { "--readers", "N", NULL, "programs that read (10)", "program pembaca (10)" },
	[RECORDS] = { "--records", "X", NULL, "records per resident and year (4.13)",
		      "rekaman per penduduk per tahun (4.13)" },
	[REQUESTS] = { "--requests", "X", NULL, "pages a reader asks for in the busiest second (1)",
		       "halaman per pembaca pada detik tersibuk (1)" },
	[YEARS] = { "--years", "X", NULL, "years that events are kept (5)", "tahun peristiwa disimpan (5)" },
	[PEAK] = { "--peak", "X", NULL, "records of the busiest second, times the mean (20)",
		   "rekaman detik tersibuk, kali rata-rata (20)" },
	[FIGURES] = { "--figures", NULL, NULL, "the figures it stands on, and where they were measured",
		      "angka dasarnya, dan di mana diukur" },
	[JSON] = CTL_OPTION_JSON,
	{ 0 },
};

static bool number(const struct ctl_args *a, size_t i, double least, double fallback, double *out)
{
	char *end = NULL;

	*out = fallback;
	if (!a->option[i])
		return true;
	*out = strtod(a->option[i], &end);
	if (end != a->option[i] && *end == '\0' && *out >= least && *out <= 1e11)
		return true;
	ctl_complain(ctl_say("%s: a number of at least %g", "%s: bilangan, paling kecil %g"), option[i].name,
		     least);
	return false;
}

static bool read_ask(const struct ctl_args *a, struct ctl_size_ask *ask)
{
	return number(a, RESIDENTS, 1, 0, &ask->residents) &&
	       number(a, DEPARTMENTS, 1, 7, &ask->departments) &&
	       number(a, TOPICS, 1, ceil(ask->departments * 25 / 7), &ask->topics) &&
	       number(a, VIEWS, 1, 38, &ask->views) && number(a, READERS, 0, 10, &ask->readers) &&
	       number(a, RECORDS, 0.001, ctl_figure("records_per_resident"), &ask->records) &&
	       number(a, REQUESTS, 0, 1, &ask->requests) && number(a, YEARS, 0.01, 5, &ask->years) &&
	       number(a, PEAK, 1, 20, &ask->peak);
}

/* A quantity in the unit that suits it. */
static const char *bytes(double x, char text[32])
{
	static const char *const unit[] = { "kB", "MB", "GB", "TB", "PB" };
	size_t i = 0;

	for (x /= 1e3; x >= 1e3 && i + 1 < BUS_LEN(unit); i++)
		x /= 1e3;
	snprintf(text, 32, x < 10 ? "%.1f %s" : "%.0f %s", x, unit[i]);
	return text;
}

static const char *duration(double s, char text[32])
{
	if (s < 120)
		snprintf(text, 32, "%.0f s", s);
	else if (s < 7200)
		snprintf(text, 32, "%.0f min", s / 60);
	else
		snprintf(text, 32, "%.1f h", s / 3600);
	return text;
}

static void show(const struct ctl_size *s)
{
	char a[32], b[32], c[32];

	printf(ctl_say("records     %.0f to load, %.1f a second on the mean, %.0f at the peak\n",
		       "rekaman     %.0f saat muat awal, rata-rata %.1f per detik, %.0f saat puncak\n"),
	       s->load_records, s->mean_rate, s->peak_rate);
	printf(ctl_say("brokers     %.0f, each with a disk of %s; %.0f partition(s) a topic, 3 replicas\n",
		       "broker      %.0f, masing-masing diska %s; %.0f partisi per topik, 3 replika\n"),
	       s->brokers, bytes(s->broker_disk_bytes, a), s->partitions);
	printf(ctl_say("gateways    %.0f, each with %.0f cores, %s of memory, a disk of %s\n",
		       "gateway     %.0f, masing-masing %.0f inti, memori %s, diska %s\n"),
	       s->gateways * s->stores, s->gateway_cores, bytes(s->gateway_memory_bytes, a),
	       bytes(s->gateway_disk_bytes, b));
	if (s->stores > 1)
		printf(ctl_say("            in %.0f parts: %s of tables is more than one file or one writer "
			       "should have; by region, "
			       "or store: postgres (docs/growing-postgres.md)\n",
			       "            dalam %.0f bagian: tabel %s melebihi satu berkas atau satu "
			       "penulis; per wilayah, atau "
			       "store: postgres (docs/growing-postgres.md)\n"),
		       s->stores, bytes(s->database_bytes, c));
	printf(
	    ctl_say("            tables %s; from nothing in %s of one core; the writer is busy %.1f %% at "
		    "the peak\n",
		    "            tabel %s; dari nol dalam %s satu inti; penulis sibuk %.1f %% saat puncak\n"),
	    bytes(s->database_bytes, a), duration(s->load_seconds, b), 100 * s->writer_share);
	printf(ctl_say("adapters    %s of memory each; registry %s\n",
		       "adaptor     memori %s masing-masing; registri %s\n"),
	       bytes(s->adapter_memory_bytes, a), bytes(s->registry_memory_bytes, b));
	printf(ctl_say("network     %.2f Mbit/s into a gateway, %.1f Mbit/s to readers, at the peak\n",
		       "jaringan    %.2f Mbit/s masuk ke gateway, %.1f Mbit/s ke pembaca, saat puncak\n"),
	       s->in_bits / 1e6, s->out_bits / 1e6);
}

static void put(struct bus_json_out *j, const char *name, double x)
{
	bus_json_key(j, name);
	bus_json_put_double(j, x);
}

static void show_json(const struct ctl_size_ask *ask, const struct ctl_size *s)
{
	struct bus_buf b = { 0 };
	struct bus_json_out j = { .buf = &b };

	bus_json_object(&j);
	put(&j, "residents", ask->residents);
	put(&j, "load_records", s->load_records);
	put(&j, "records_per_second", s->mean_rate);
	put(&j, "records_per_second_peak", s->peak_rate);
	put(&j, "brokers", s->brokers);
	put(&j, "broker_disk_bytes", s->broker_disk_bytes);
	put(&j, "partitions_per_topic", s->partitions);
	put(&j, "stores", s->stores);
	put(&j, "gateways", s->gateways * s->stores);
	put(&j, "gateway_cores", s->gateway_cores);
	put(&j, "gateway_memory_bytes", s->gateway_memory_bytes);
	put(&j, "gateway_disk_bytes", s->gateway_disk_bytes);
	put(&j, "database_bytes", s->database_bytes);
	put(&j, "load_core_seconds", s->load_seconds);
	put(&j, "writer_share_peak", s->writer_share);
	put(&j, "adapter_memory_bytes", s->adapter_memory_bytes);
	put(&j, "registry_memory_bytes", s->registry_memory_bytes);
	put(&j, "gateway_in_bits_per_second", s->in_bits);
	put(&j, "readers_out_bits_per_second", s->out_bits);
	bus_json_object_end(&j);
	puts(bus_buf_cstr(&b));
	bus_buf_release(&b);
}

static enum ctl_exit run(const struct ctl_args *args)
{
	struct ctl_size_ask ask;
	struct ctl_size size;

	if (args->option[FIGURES]) {
		for (const struct ctl_figure *f = ctl_figures; f->name; f++)
			printf("%-22s %12.6g %-8s %s\n", f->name, f->value, f->unit, f->from);
		return CTL_OK;
	}
	if (!read_ask(args, &ask))
		return CTL_USAGE;
	if (!args->option[RESIDENTS]) {
		ctl_complain(ctl_say("--residents N is missing", "--residents N belum disebut"));
		return CTL_USAGE;
	}
	ctl_size(&ask, &size);
	if (args->option[JSON])
		show_json(&ask, &size);
	else
		show(&size);
	return CTL_OK;
}

const struct ctl_command ctl_size_command = {
	.noun = "size",
	.verb = "",
	.operands = "",
	.option = option,
	.en = "what a region needs: brokers, disks, gateways, memory, network",
	.id = "kebutuhan sebuah wilayah: broker, diska, gateway, memori, jaringan",
	.example = "titian size --residents 1168000 --readers 40",
	.run = run,
};
