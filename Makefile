# Titian: one makefile, out of tree (build/$(CONFIG)/). CONFIG=release|debug|asan|tsan
#   make            the programs, into build/release/bin/
#   make demo       everything, running;  make test  everything, tested
CONFIG ?= release
B := build/$(CONFIG)
CC := gcc
PKGS := rdkafka libmicrohttpd libcrypto sqlite3 yaml-0.1 libxxhash libcurl
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wvla -Wwrite-strings -Wpointer-arith -Wcast-qual -Wundef -Wformat=2 -Wimplicit-fallthrough -fno-common
CFLAGS_release := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE -Wnull-dereference
CFLAGS_debug := -O0 -g
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
CFLAGS_tsan := -O1 -g -fsanitize=thread
LDFLAGS_release := -pie -Wl,-z,relro,-z,now
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS_tsan := -fsanitize=thread
CFLAGS := -std=gnu17 -D_GNU_SOURCE -DSQLITE_ENABLE_PREUPDATE_HOOK -I. -I$(B) $(WARN) $(CFLAGS_$(CONFIG)) $(PKG_CFLAGS) -MMD -MP
LDLIBS := $(PKG_LIBS) -lpthread -lm

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
$(LIBSCHEMA): $(call obj,$(call src,schemas))
$(LIBADAPTER): $(call obj,$(call src,adapters))
$(LIBGATEWAY): $(call obj,$(call src,gateway)) $(B)/gateway/portal_files.o
$(LIBCTL): $(call obj,$(call src,deploy/ctl))
%.a:
	@rm -f $@
	ar rcs $@ $^

$(B)/bin/titian-registry: $(B)/schemas/registry_main.o $(LIBSCHEMA) $(LIBBUS)
$(B)/bin/titian-adapter: $(B)/adapters/main.o $(LIBADAPTER) $(LIBSCHEMA) $(LIBBUS)
$(B)/bin/titian-gateway: $(B)/gateway/main.o $(LIBGATEWAY) $(LIBSCHEMA) $(LIBBUS)
$(B)/bin/titian: $(B)/deploy/ctl/main.o $(LIBCTL) $(LIBSCHEMA) $(LIBBUS)
$(PROGRAMS):
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_$(CONFIG)) -o $@ $^ $(LDLIBS)

# The portal's files and openapi.yaml, as bytes inside the binary.
PORTAL := $(wildcard gateway/portal/*) $(wildcard gateway/openapi.*)
$(B)/gateway/portal_files.c: gateway/embed.sh $(PORTAL)
	@mkdir -p $(@D)
	sh gateway/embed.sh $(PORTAL) > $@.new && mv $@.new $@
$(B)/gateway/portal_files.o: $(B)/gateway/portal_files.c
	$(CC) $(CFLAGS) -c -o $@ $<

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -c -o $@ $<

$(B)/unit/%: $(B)/tests/unit/%.o $(LIBGATEWAY) $(LIBADAPTER) $(LIBCTL) $(LIBSCHEMA) $(LIBBUS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_$(CONFIG)) -o $@ $^ $(LDLIBS) -lcmocka -lavro -lz
$(B)/bench/%: $(B)/tests/bench/%.o $(LIBGATEWAY) $(LIBADAPTER) $(LIBSCHEMA) $(LIBBUS)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_$(CONFIG)) -o $@ $^ $(LDLIBS)

-include $(shell find build/$(CONFIG) -name '*.d' 2>/dev/null)
