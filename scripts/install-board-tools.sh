#!/bin/sh
# Installs what `tidemark board` needs from Debian's packages, where it is missing: the compiler for Arm processors
# without an operating system, its C library, QEMU, and a compiler for this machine. Needs root or sudo.
# Tests that need these are skipped without them, and say so.
set -eu

give_up() {
  echo "$1" >&2
  exit 2
}

wanted=""
want() { command -v "$1" >/dev/null 2>&1 || wanted="$wanted $2"; }
want arm-none-eabi-gcc "gcc-arm-none-eabi libnewlib-arm-none-eabi binutils-arm-none-eabi"
want qemu-system-arm qemu-system-arm
want cc "gcc libc6-dev"

if [ -z "$wanted" ]; then
  echo "all there: $(arm-none-eabi-gcc -dumpversion), $(qemu-system-arm --version | head -n 1)"
  exit 0
fi
command -v apt-get >/dev/null 2>&1 || give_up "these packages are needed, and there is no apt-get here:$wanted"
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || give_up "run this as root: it installs$wanted"
  as_root="sudo"
fi
echo "installing$wanted ..." >&2
# shellcheck disable=SC2086
{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends $wanted; } >&2 ||
  give_up "the packages could not be installed"
