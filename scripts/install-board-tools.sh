#!/bin/sh
# Installs what `tidemark board` needs from Debian's packages, where it is missing: the compiler for Arm processors
# without an operating system, its C library, QEMU, and a compiler for this machine. Needs root or sudo.
set -eu

wanted=""
want() { command -v "$1" >/dev/null 2>&1 || wanted="$wanted $2"; }
want arm-none-eabi-gcc "gcc-arm-none-eabi libnewlib-arm-none-eabi binutils-arm-none-eabi"
want qemu-system-arm qemu-system-arm
want cc "gcc libc6-dev"

if [ -z "$wanted" ]; then
  echo "all there: $(arm-none-eabi-gcc -dumpversion), $(qemu-system-arm --version | head -n 1)"
  exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "these packages are needed, and there is no apt-get here:$wanted" >&2
  exit 2
fi
as_root=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || { echo "run this as root: it installs$wanted" >&2; exit 2; }
  as_root="sudo"
fi
$as_root apt-get update -q
# shellcheck disable=SC2086
$as_root apt-get install -y -q --no-install-recommends $wanted
