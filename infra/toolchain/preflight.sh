#!/bin/sh
# Says in one line each what this machine lacks, and how to mend it. Exit code 1 when something is missing.
# Plain sh: it must run where there is no Python yet. PYTHON and CXX choose other executables.

python=${PYTHON:-python3}
missing=0

need() {
  printf 'missing: %s\n' "$1" >&2
  missing=1
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# Folder that exists and will hold what is downloaded, for the check of its free space.
existing() {
  folder=$1
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  printf '%s\n' "$folder"
}

if [ "$(uname -s)" != Linux ] || [ "$(uname -m)" != x86_64 ]; then
  need "x86_64 Linux (this is $(uname -m) $(uname -s)) — the pinned servers are built for it alone"
else
  libc=$(getconf GNU_LIBC_VERSION 2>/dev/null | awk '{ split($2, v, "."); print v[1] * 1000 + v[2] }')
  [ "${libc:-0}" -ge 2028 ] || need "glibc 2.28 or newer — use a distribution of 2019 or later that is not based on musl"
fi

if ! has "$python"; then
  need "Python 3.10 or newer ($python) — install python3 and python3-venv, or set PYTHON"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
  need "Python 3.10 or newer ($python is $("$python" -V 2>&1)) — install a newer one and set PYTHON"
else
  "$python" -c 'import venv, ensurepip, ssl' 2>/dev/null ||
    need "the Python modules venv, ensurepip and ssl — Debian, Ubuntu: apt-get install python3-venv"
fi

has make || need "make — Debian, Ubuntu: apt-get install make; Fedora: dnf install make"
has git || need "git — Debian, Ubuntu: apt-get install git; Fedora: dnf install git"

cxx=${CXX:-}
for candidate in g++ c++ clang++; do
  [ -n "$cxx" ] || { has "$candidate" && cxx=$candidate; }
done
if [ -z "$cxx" ]; then
  need "a C++ compiler — Debian, Ubuntu: apt-get install g++; Fedora: dnf install gcc-c++"
elif ! printf '#include <string>\n' | $cxx -std=c++17 -x c++ -fsyntax-only - 2>/dev/null; then
  need "a C++ compiler that knows C++17 and has its headers ($cxx) — install a newer g++, or set CXX"
fi

default_cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/saip
[ "$(id -u)" -ne 0 ] || default_cache=/var/cache/saip
cache=${SAIP_CACHE:-$default_cache}
gib=6
[ ! -e /proc/driver/nvidia/version ] || gib=14
gib=${SAIP_DISK_GIB:-$gib}
# A cache that is filled already needs no more room.
set -- "$cache"/tools-*/.complete
if [ ! -e "$1" ]; then
  folder=$(existing "$cache")
  free=$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1048576) }')
  [ "${free:-0}" -ge "$gib" ] ||
    need "$gib GiB of free disk space in $folder (there are ${free:-0}) — make room, or set SAIP_CACHE to another disk"
fi

exit "$missing"
