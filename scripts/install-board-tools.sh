#!/bin/sh
# Installs what `tidemark board` needs from Debian's packages, where it is missing: the compiler for Arm processors
# without an operating system, its C library, QEMU, and a compiler for this machine. Needs root or sudo.
# With --if-possible (as npm test calls it) it installs only as root and never fails: the tests of boards are then
# skipped and say why. TIDEMARK_NO_INSTALL=1 keeps it from installing anything.
set -eu

possible=""
[ "${1-}" = "--if-possible" ] && possible="yes"
give_up() {
  echo "$1" >&2
  [ -n "$possible" ] && exit 0
  exit 2
}

wanted=""
want() { command -v "$1" >/dev/null 2>&1 || wanted="$wanted $2"; }
want arm-none-eabi-gcc "gcc-arm-none-eabi libnewlib-arm-none-eabi binutils-arm-none-eabi"
want qemu-system-arm qemu-system-arm
want cc "gcc libc6-dev"

if [ -z "$wanted" ]; then
  [ -n "$possible" ] ||
    echo "all there: $(arm-none-eabi-gcc -dumpversion), $(qemu-system-arm --version | head -n 1)"
  exit 0
fi
[ -z "${TIDEMARK_NO_INSTALL-}" ] || give_up "not installing, as TIDEMARK_NO_INSTALL says:$wanted"
command -v apt-get >/dev/null 2>&1 || give_up "these packages are needed, and there is no apt-get here:$wanted"
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  [ -z "$possible" ] || give_up "boards are not tested; sh scripts/install-board-tools.sh installs$wanted"
  command -v sudo >/dev/null 2>&1 || give_up "run this as root: it installs$wanted"
  as_root="sudo"
fi
echo "installing$wanted ..." >&2
# shellcheck disable=SC2086
{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $wanted; } >&2 ||
  give_up "the packages could not be installed"
