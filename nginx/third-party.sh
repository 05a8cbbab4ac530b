#!/bin/sh
# SPDX-License-Identifier: MIT
# third-party.sh SOURCE_DIR OUT_DIR
# Puts the browser libraries and their licences into OUT_DIR, unchanged: from SOURCE_DIR/third-party, which a release
# carries, else by npm in the versions of SOURCE_DIR/package-lock.json. `third-party.sh SOURCE_DIR OUT_DIR test` also
# fetches what only the tests use.
set -eu

source=$1
out=$2
modules=$out/npm/node_modules

fetch() {
	mkdir -p "$out/npm"
	cp "$source/package.json" "$source/package-lock.json" "$out/npm/"
	(cd "$out/npm" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error "$@")
}

# put FILE NAME
put() {
	cat "$1" >"$out/$2"
}

mkdir -p "$out"
if [ "${3:-}" = test ]; then
	fetch
	put "$modules/axe-core/axe.min.js" axe.min.js
elif [ -d "$source/third-party" ]; then
	for file in "$source"/third-party/*; do
		put "$file" "$(basename "$file")"
	done
else
	fetch --omit=dev
	put "$modules/idiomorph/dist/idiomorph.min.js" idiomorph.min.js
	put "$modules/idiomorph/LICENSE" LICENSE.idiomorph
	put "$modules/uplot/dist/uPlot.iife.min.js" uPlot.iife.min.js
	put "$modules/uplot/dist/uPlot.min.css" uPlot.min.css
	put "$modules/uplot/LICENSE" LICENSE.uPlot
fi
rm -rf "$out/npm"
