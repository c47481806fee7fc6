#!/bin/sh
# sysroot.sh FOLDER: what the adapter is linked with, as Debian 12 has it for arm64, unpacked into FOLDER. Nothing is installed: apt is asked
# with a state of its own, and needs no rights.
set -eu
to=$1
# libc6-dev and the rest of a compiler's needs come as dependencies; of the packages of packages.txt only those of the adapter.
packages="librdkafka-dev libmicrohttpd-dev libgnutls28-dev libssl-dev libsqlite3-dev libpq-dev libyaml-dev libxxhash-dev
	libcurl4-openssl-dev zlib1g-dev libsnappy-dev libzstd-dev libbz2-dev liblzma-dev libxlsxwriter-dev libzip-dev unixodbc-dev
	libexpat1-dev libmariadb-dev libjemalloc-dev libc6-dev libgcc-s1"
[ "$(cat "$to/.complete" 2>/dev/null)" = "$packages" ] && exit 0
rm -rf "$to"
mkdir -p "$to/apt/lists/partial" "$to/apt/archives/partial"
: >"$to/apt/status"
get() {
	apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User= -o APT::Install-Recommends=false \
		-o Dir::State="$to/apt" -o Dir::State::status="$to/apt/status" -o Dir::State::lists="$to/apt/lists" \
		-o Dir::Cache="$to/apt" -o Dir::Cache::archives="$to/apt/archives" "$@"
}
get update
# shellcheck disable=SC2086
get --download-only -y install $packages
for deb in "$to"/apt/archives/*.deb; do
	dpkg -x "$deb" "$to"
done
rm -rf "$to/apt"
echo "$packages" >"$to/.complete"
