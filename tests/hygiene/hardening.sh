#!/bin/sh
# SPDX-License-Identifier: MIT
# hardening.sh PROGRAM: what the production flags of configure must have left in a program. Run by `make installcheck`,
# so by `make distcheck` too; with sanitizers there is nothing to check.
set -eu
export LC_ALL=C
program=$1
missing=0

# expect TEXT PATTERN READELF-OPTION
expect() {
	if ! readelf -W "$3" "$program" | grep -q -e "$2"; then
		echo "$program: no $1" >&2
		missing=1
	fi
}

expect 'position independence' 'Type: *DYN' -h
expect 'relocations that become read-only' 'GNU_RELRO' -l
expect 'data that is never executed' 'GNU_STACK .* RW  *0x' -l
expect 'binding at start' 'Flags:.* NOW' -d
expect 'stack protector' '__stack_chk_fail' --dyn-syms
expect 'checked string functions' '__[a-z]*_chk@' --dyn-syms
# The note is no evidence: if the start-up objects of the C library lack theirs, the whole program has none.
if [ "$(uname -m)" = x86_64 ] && ! objdump -d "$program" | grep -q endbr64; then
	echo "$program: no marks at targets of indirect calls" >&2
	missing=1
fi
if readelf -W -d "$program" | grep -E 'RPATH|RUNPATH|TEXTREL'; then
	missing=1
fi
exit "$missing"
