# Titian: one makefile, out of tree (build/$(CONFIG)/). CONFIG=release|debug|asan|tsan|fuzz
#   make            the programs, into build/release/bin/
#   make demo       everything, running;  make test  everything, tested
CONFIG ?= release
B := build/$(CONFIG)
CC := gcc
PKGS := rdkafka libmicrohttpd gnutls libcrypto libssl sqlite3 yaml-0.1 libxxhash libpq libcurl zlib snappy libzstd liblzma xlsxwriter libzip odbc expat libmariadb
PKG_CONFIG := pkg-config
ifeq ($(CONFIG),arm64)
ARM64_ROOT := $(CURDIR)/build/arm64-root
CC := aarch64-linux-gnu-gcc --sysroot=$(ARM64_ROOT)
PKG_CONFIG := PKG_CONFIG_SYSROOT_DIR=$(ARM64_ROOT) PKG_CONFIG_LIBDIR=$(ARM64_ROOT)/usr/lib/aarch64-linux-gnu/pkgconfig:$(ARM64_ROOT)/usr/share/pkgconfig pkg-config
endif
PKG_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell $(PKG_CONFIG) --libs $(PKGS) 2>/dev/null)

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wvla -Wwrite-strings -Wpointer-arith -Wcast-qual -Wundef -Wformat=2 -Wimplicit-fallthrough -fno-common
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -Wnull-dereference
CFLAGS_arm64 := $(CFLAGS_release)
CFLAGS_debug := -O0 -g
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS_tsan := -O1 -g -fsanitize=thread
CFLAGS_fuzz := -O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
LDFLAGS_arm64 := $(LDFLAGS_release)
LDFLAGS_asan := -fsanitize=address,undefined -fuse-ld=gold
LDFLAGS_tsan := -fsanitize=thread
LDFLAGS_fuzz := -fsanitize=address,undefined,fuzzer
CFLAGS := -std=gnu17 -D_GNU_SOURCE -DSQLITE_ENABLE_PREUPDATE_HOOK -I. -I$(B) $(WARN) $(CFLAGS_$(CONFIG)) $(PKG_CFLAGS) -MMD -MP
LDLIBS := -Wl,--as-needed $(PKG_LIBS) -lbz2 -lpthread -lm

# Every folder is a library of all its files but the mains; a program is a main and the libraries.
src = $(filter-out %main.c %_main.c,$(wildcard $(1)/*.c))
obj = $(patsubst %.c,$(B)/%.o,$(1))
LIBBUS := $(B)/libbus.a
LIBSCHEMA := $(B)/libschema.a
LIBADAPTER := $(B)/libadapter.a
LIBGATEWAY := $(B)/libgateway.a
LIBCTL := $(B)/libctl.a
PROGRAMS := $(addprefix $(B)/bin/,titian-registry titian-adapter titian-gateway titian)
TESTS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
BENCHES := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/*.c))

.DEFAULT_GOAL := all
.PHONY: all
all: $(PROGRAMS)

$(LIBBUS): $(call obj,$(call src,bus))
$(LIBSCHEMA): $(call obj,$(foreach part,avro kinds store registry catalogue,$(call src,schemas/$(part)))) $(B)/schemas/kinds/known_files.o
$(LIBADAPTER): $(call obj,$(foreach part,$(sort $(dir $(wildcard adapters/*.c adapters/*/*.c))),$(call src,$(part:/=))))
$(LIBGATEWAY): $(call obj,$(call src,gateway) $(foreach part,store define engine serve feed hook export publish restproxy docs figures catalogue national,$(call src,gateway/$(part)))) $(B)/gateway/portal_files.o $(B)/gateway/store/pg_functions.o
$(LIBCTL): $(call obj,$(call src,deploy/ctl))
%.a:
	@rm -f $@
	ar qcs $@ $^

$(B)/bin/titian-registry: $(B)/schemas/registry/main.o $(LIBSCHEMA) $(LIBBUS)
$(B)/bin/titian-adapter: $(B)/adapters/main.o $(LIBADAPTER) $(LIBSCHEMA) $(LIBBUS)
$(B)/bin/titian-gateway: $(B)/gateway/main.o $(LIBGATEWAY) $(LIBSCHEMA) $(LIBBUS)
$(B)/bin/titian: $(B)/deploy/ctl/main.o $(LIBCTL) $(LIBSCHEMA) $(LIBBUS)
# A record in Kafka is some fifteen small blocks of librdkafka, freed in bulk later: jemalloc takes a third off a row's CPU time.
$(filter build/release/% build/arm64/%,$(B)/bin/titian-adapter): LDLIBS := -Wl,--no-as-needed -ljemalloc $(LDLIBS)
$(PROGRAMS):
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_$(CONFIG)) -o $@ $^ $(LDLIBS)

# The portal's files, as bytes inside the binary.
PORTAL := $(wildcard gateway/portal/*)
$(B)/gateway/portal_files.c: bus/embed.sh $(PORTAL)
	@mkdir -p $(@D)
	sh bus/embed.sh gw_portal_file gateway/portal $(PORTAL) > $@.new && mv $@.new $@
$(B)/gateway/portal_files.o: $(B)/gateway/portal_files.c
	$(CC) $(CFLAGS) -c -o $@ $<

# PostgreSQL's functions, as text inside the library.
$(B)/gateway/store/pg_functions.c: gateway/store/pg_functions.sql
	@mkdir -p $(@D)
	{ echo 'extern const char gw_pg_functions[]; const char gw_pg_functions[] = {'; od -An -v -tu1 $< | \
		awk '{gsub(/ +/, ","); sub(/^,/, ""); print $$0 ","}'; echo '0};'; } > $@.new && mv $@.new $@
$(B)/gateway/store/pg_functions.o: $(B)/gateway/store/pg_functions.c
	$(CC) $(CFLAGS) -c -o $@ $<

# The .proto files that come with Protobuf's compiler, as bytes inside the library.
KNOWN := $(sort $(shell find schemas/kinds/known -name '*.proto'))
$(B)/schemas/kinds/known_files.c: bus/embed.sh $(KNOWN)
	@mkdir -p $(@D)
	sh bus/embed.sh schema_proto_known_file schemas/kinds/known $(KNOWN) > $@.new && mv $@.new $@
$(B)/schemas/kinds/known_files.o: $(B)/schemas/kinds/known_files.c
	$(CC) $(CFLAGS) -c -o $@ $<

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

LIBSUPPORT := $(B)/libsupport.a
$(LIBSUPPORT): $(call obj,$(call src,tests/support))
# Programs that measure memory (tests/support/alloc.h).
COUNT := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
$(B)/vectors $(addprefix $(B)/unit/,test_avro_vectors test_avro_explain test_avro_diff test_avro_hostile test_ocf): LDLIBS := $(COUNT) $(LDLIBS)

$(B)/vectors: $(B)/tests/vectors/main.o $(LIBSUPPORT) $(LIBSCHEMA) $(LIBBUS)
	$(CC) $(LDFLAGS_$(CONFIG)) -o $@ $^ $(LDLIBS)
$(B)/avro_lines: $(B)/tests/fuzz/diff/avro_lines.o $(LIBSCHEMA) $(LIBBUS)
	$(CC) $(LDFLAGS_$(CONFIG)) -o $@ $^ $(LDLIBS)
$(B)/export_file: $(B)/tests/export/main.o $(LIBGATEWAY) $(LIBSCHEMA) $(LIBBUS)
	$(CC) $(LDFLAGS_$(CONFIG)) -o $@ $^ $(LDLIBS)
$(B)/unit/%: $(B)/tests/unit/%.o $(LIBSUPPORT) $(LIBGATEWAY) $(LIBADAPTER) $(LIBCTL) $(LIBSCHEMA) $(LIBBUS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_$(CONFIG)) -o $@ $^ $(LDLIBS) -lcmocka -lavro -lz
# With clang, CONFIG=fuzz: tests/fuzz/run.sh says how.
$(B)/fuzz_%: tests/fuzz/fuzz_%.c $(LIBGATEWAY) $(LIBADAPTER) $(LIBSCHEMA) $(LIBBUS)
	$(CC) $(CFLAGS) -MT $@ -MF $@.d $(LDFLAGS_$(CONFIG)) -o $@ $(filter-out %.h,$^) $(LDLIBS)
$(B)/bench/%: $(B)/tests/bench/%.o $(LIBGATEWAY) $(LIBADAPTER) $(LIBSCHEMA) $(LIBBUS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_$(CONFIG)) -o $@ $^ $(LDLIBS) -lavro

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# --- people's targets ---------------------------------------------------------------------------------
FEEDS ?= deploy/demo/feeds
DEMO_DIR ?= build/demo
PORT_BASE ?= 18080
KAFKA ?=
export FEEDS DEMO_DIR PORT_BASE KAFKA TAHUN

.PHONY: demo demo-status demo-stop demo-clean demo-check packages kafka programs
packages:
	@deploy/install.sh build run
programs: packages
	@test -x build/release/bin/titian || echo "Membangun program, sekali, sekitar semenit / building the programs, once, about a minute"
	@$(MAKE) --no-print-directory -s -j2 CONFIG=release all
kafka: packages
	@$(if $(KAFKA),true,deploy/kafka/kafka.sh install)
demo: programs kafka
	@deploy/demo/demo.sh start
demo-status:
	@deploy/demo/demo.sh status
demo-stop:
	@deploy/demo/demo.sh stop
demo-clean:
	@deploy/demo/demo.sh clean
demo-check:
	@test -n "$(TRUTH)" || { echo "make demo-check TRUTH=FILE  (deploy/demo/truth.json)" >&2; exit 2; }
	@python3 deploy/demo/check.py "$(abspath $(DEMO_DIR))" "$(TRUTH)"

# --- tests --------------------------------------------------------------------------------------------
VENV := build/venv
PYTEST := $(VENV)/bin/python -m pytest
.PHONY: vectors
# Conformance vectors of any folder laid out as tests/vectors/avro.
DIR ?= tests/vectors/avro
vectors:
	@$(MAKE) --no-print-directory -s -j2 CONFIG=release build/release/vectors
	@build/release/vectors "$(DIR)"

.PHONY: test check unit integration fuzz check-includes check-symbols bench soak format test-packages venv
test: test-packages
	@$(MAKE) --no-print-directory check
	@$(MAKE) --no-print-directory integration
test-packages:
	@deploy/install.sh
venv: $(VENV)/.done
$(VENV)/.done: tests/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip -q install -r tests/requirements.txt
	touch $@

# What needs no broker: the style rules, every unit test under ASan and UBSan, every parser fuzzed a while.
check: check-includes check-symbols unit fuzz
unit:
	@$(MAKE) --no-print-directory -s -j2 CONFIG=asan build-unit
	@sh tests/unit/run.sh build/asan/unit
.PHONY: build-unit
build-unit: $(TESTS)
# As part of the tests the same runs each time; make fuzz-long: by chance, ten minutes each.
FUZZ_SECONDS ?= 10
FUZZ_RUNS ?= 200000
FUZZ_SEED ?= 1
export FUZZ_RUNS FUZZ_SEED
fuzz:
	@sh tests/fuzz/run.sh $(FUZZ_SECONDS)
.PHONY: fuzz-long
fuzz-long:
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=600 FUZZ_RUNS=-1 FUZZ_SEED=0
# The Avro engine against Avro Java and fastavro, on what chance makes up. SEED=N repeats a run.
.PHONY: fuzz-diff
DIFF_SECONDS ?= 1800
fuzz-diff: test-packages venv
	@$(MAKE) --no-print-directory -s -j2 CONFIG=release build/release/avro_lines
	@$(VENV)/bin/python tests/fuzz/diff/avro_diff.py --seconds $(DIFF_SECONDS) $(if $(SEED),--seed $(SEED))
integration: programs kafka venv
	@$(MAKE) --no-print-directory -s -j2 CONFIG=release build/release/avro_lines
	$(PYTEST) -q tests/integration
bench: programs kafka venv
	@deploy/install.sh test bench
	@$(MAKE) --no-print-directory -s CONFIG=release build-bench
	@$(VENV)/bin/python tests/bench/bench.py
	@$(VENV)/bin/python tests/bench/bench_registry.py
	@$(VENV)/bin/python tests/bench/bench_views.py
	@$(VENV)/bin/python tests/bench/bench_exports.py
	@$(VENV)/bin/python tests/bench/bench_feeds.py
	@$(VENV)/bin/python tests/bench/bench_publish.py
	@$(VENV)/bin/python tests/bench/bench_restproxy.py
	@$(VENV)/bin/python tests/bench/bench_adapters.py
	@$(VENV)/bin/python tests/bench/bench_change.py
# What REST Proxy's requests for records cost while they wait: some minutes, most of them to make the consumers.
# The adapter as a folder that needs nothing of the system it runs on (docs/small-machines.md).
.PHONY: static
static: programs
	@$(MAKE) --no-print-directory -s build/release/portable/titian-adapter
build/release/portable/titian-adapter: build/release/bin/titian-adapter deploy/portable/launch.c deploy/portable/make.sh
	deploy/portable/make.sh $(CC) $< $(@D)

# The adapter for ARM64, with Debian's libraries for it in build/arm64-root; tried with qemu-aarch64.
.PHONY: arm64
arm64: programs venv
	@deploy/install.sh arm64
	deploy/arm64/sysroot.sh $(CURDIR)/build/arm64-root
	@$(MAKE) --no-print-directory -s CONFIG=arm64 build/arm64/bin/titian-adapter
	$(PYTEST) -q tests/integration/test_arm64.py

# A register of 1,000,000 rows in the memory of an old computer.
.PHONY: soak-small
soak-small: programs kafka venv
	@SMALL_ROWS=1000000 $(VENV)/bin/python -m pytest -q -s tests/integration/test_small_machine.py
.PHONY: bench-parked
bench-parked: programs kafka venv
	@$(VENV)/bin/python tests/bench/bench_parked.py
.PHONY: build-bench
build-bench: $(BENCHES)
# Other people's registry clients, all of them; and what the registry answers beside its peers.
.PHONY: clients conformance-table
clients: programs kafka venv
	@deploy/install.sh build run test clients
	@$(VENV)/bin/python tests/clients/run.py
conformance-table: programs kafka venv
	@$(VENV)/bin/python tests/support/stage.py build/conformance sh -c \
		'$(VENV)/bin/python tests/conformance/table.py $$TITIAN_REGISTRY > docs/registry-conformance.md'
soak: programs kafka venv
	KILL_ROUNDS=100 $(PYTEST) -q -s tests/integration/test_kills.py

# Posts over the HTTP intake: 72 hours without a link at a post of 20 rows every 10 s, in a network namespace
# too (root), and 100 kills; INTAKE_SEED for others.
.PHONY: soak-intake
soak-intake: programs kafka venv
	INTAKE_CABLE=1 INTAKE_POSTS=$${INTAKE_POSTS:-25920} INTAKE_RATE=20000 INTAKE_KILLS=$${INTAKE_KILLS:-100} INTAKE_ROWS=$${INTAKE_ROWS:-5000} \
		$(PYTEST) -q -s tests/integration/test_intake.py -k "days or kills or cable"

# Orders on quarantine and undos, killed while they are carried out.
.PHONY: soak-care
soak-care: programs kafka venv
	CARE_KILLS=$${CARE_KILLS:-50} $(PYTEST) -q tests/integration/test_quarantine.py tests/integration/test_undo.py -k killed

# A workbook of 1,000,000 rows: memory, rows per second.
.PHONY: soak-xlsx soak-ods
soak-xlsx: programs venv
	XLSX_ROWS=1000000 $(PYTEST) -q -s tests/integration/test_xlsx.py -k memory_does
soak-ods: programs venv
	ODS_ROWS=1000000 $(PYTEST) -q -s tests/integration/test_ods.py -k memory_does

# 200 views made by chance and their changes, routes taken away; VIEWS_SEED=N for others.
.PHONY: soak-views
soak-views: test-packages
	@$(MAKE) --no-print-directory -s -j2 CONFIG=asan build/asan/unit/test_views_random
	VIEWS_RANDOM=$${VIEWS_RANDOM:-200} build/asan/unit/test_views_random

# The same on PostgreSQL, against SQLite.
.PHONY: soak-postgres
soak-postgres: test-packages
	@$(MAKE) --no-print-directory -s -j2 CONFIG=asan build/asan/unit/test_views_random
	VIEWS_RANDOM=$${VIEWS_RANDOM:-200} tests/support/postgres.py build/asan/unit/test_views_random

# 70 kills and 70 power cuts of the engine, at any moment; VIEWS_SEED=N for others.
.PHONY: soak-kills
soak-kills: test-packages
	@$(MAKE) --no-print-directory -s -j2 CONFIG=release build/release/unit/test_views_kills
	VIEWS_KILLS=$${VIEWS_KILLS:-70} build/release/unit/test_views_kills

.PHONY: soak-definitions
soak-definitions: test-packages
	@$(MAKE) --no-print-directory -s -j2 CONFIG=release build/release/unit/test_live_chance
	TITIAN_KILLS=$${TITIAN_KILLS:-200} build/release/unit/test_live_chance

.PHONY: soak-registry
soak-registry: programs kafka venv
	NODES_KILLS=200 NODES_CUTS=20 $(PYTEST) -q -s tests/integration/test_registry_nodes.py

# Webhooks over 40 kills of the gateway, a second gateway that takes over from one that was killed, 75 webhooks that take turns.
.PHONY: soak-webhooks
soak-webhooks: programs kafka venv
	HOOKS_KILLS=40 $(PYTEST) -q -s tests/integration/test_webhooks.py -k "kill or many"

# Twenty seeded runs of faults (two gateways, the broker, connections) with clients that try again: each row once.
.PHONY: soak-publish
soak-publish: programs kafka venv
	PUBLISH_RUNS=$${PUBLISH_RUNS:-20} PUBLISH_FAULTS=$${PUBLISH_FAULTS:-10} $(PYTEST) -q -s tests/integration/test_publish_faults.py

# REST Proxy's consumers over 200 kills of the gateway that serves them, and 3,000 histories of their topic.
.PHONY: soak-restproxy
soak-restproxy: programs kafka venv
	CONSUMERS_KILLS=$${CONSUMERS_KILLS:-200} $(PYTEST) -q -s tests/integration/test_restproxy_consumers.py
	@$(MAKE) --no-print-directory -s -j2 CONFIG=asan build/asan/unit/test_restproxy_state
	CONSUMERS_RUNS=3000 build/asan/unit/test_restproxy_state

# The national data centre's mirror over months of changes, faults and a bad line: ten seeds, thirty days each.
.PHONY: soak-national
soak-national: programs kafka venv
	NATIONAL_SEEDS=$${NATIONAL_SEEDS:-10} NATIONAL_DAYS=$${NATIONAL_DAYS:-30} $(PYTEST) -q -s tests/integration/test_national_month.py

# Ten thousand followers of one feed, a thousand of them slow, over kill -9 of the gateway.
.PHONY: soak-readers
soak-readers: programs kafka venv
	SOAK_READERS=10000 SOAK_SLOW=1000 SOAK_KEYS=2000 SOAK_KILLS=10 SOAK_SECONDS=900 \
		$(PYTEST) -q -s tests/integration/test_following.py -k kills

# A followed table of PostgreSQL over kills of adapter, server and broker: 100 seeds; CHANGE_SEED=N begins with another one.
.PHONY: soak-change
soak-change: programs kafka venv
	CHANGE_SEEDS=$${CHANGE_SEEDS:-100} CHANGE_ROWS=200000 $(PYTEST) -q -s tests/integration/test_change.py tests/integration/test_change_mariadb.py

# gateway/portal.png anew, of the demo that runs.
# The pictures of docs/first-adapter.md: XLSX=FILE, the workbook it is about.
XLSX ?= ../shared/data/real/bandarlampung_321-DINAS_SOSIAL_2023.xlsx
.PHONY: adapter-pictures
adapter-pictures: all
	python3 tests/support/terminal_picture.py $(XLSX) docs/first-adapter

.PHONY: portal-picture
portal-picture: venv
	@$(VENV)/bin/python tests/support/portal_picture.py "$(abspath $(DEMO_DIR))" gateway/portal.png

# Readers at two gateways under load, one of which is killed, 200 times, and on at the other; then all the rest of the file, and
# all that goes wrong between them: copies that break off, forged records, cuts from Kafka, kills while the leader changes.
.PHONY: soak-gateways
soak-gateways: programs kafka venv
	SOAK_ROUNDS=$${SOAK_ROUNDS:-200} SOAK_TAKEOVERS=0.25 SOAK_DEFINITIONS=20 GROUP_SWITCHES=$${GROUP_SWITCHES:-20} \
		$(PYTEST) -q -s tests/integration/test_two_gateways.py tests/integration/test_group_faults.py

check-includes:
	@sh tests/check_includes.sh
check-symbols: programs
	@sh tests/check_symbols.sh build/release
format:
	clang-format-14 -i $$(git ls-files '*.c' '*.h')
