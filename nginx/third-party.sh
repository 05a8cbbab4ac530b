#!/bin/sh
# SPDX-License-Identifier: MIT
# third-party.sh SOURCE_DIR OUT_DIR
# Puts the browser libraries and their licences into OUT_DIR, unchanged: from SOURCE_DIR/third-party, which a release
# contains, or else by npm, in the versions of SOURCE_DIR/package-lock.json. npm also fetches esbuild, and axe-core for the
# tests, which a release does not need. `third-party.sh SOURCE_DIR OUT_DIR npm` fetches them in a release, too.
set -eu

source=$1
out=$2
modules=$out/npm/node_modules

fetch() {
	mkdir -p "$out/npm"
	cp "$source/package.json" "$source/package-lock.json" "$out/npm/"
	(cd "$out/npm" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 \
		--fetch-retry-mintimeout=1000 --fetch-timeout=30000) || {
		echo 'third-party.sh: npm could not fetch the browser libraries (can this machine reach its registry?);' \
			'a release tarball contains them and needs no npm' >&2
		exit 1
	}
}

# put FILE NAME
put() {
	cat "$1" >"$out/$2"
}

mkdir -p "$out"
if [ -d "$source/third-party" ] && [ "${3:-}" != npm ]; then
	for file in "$source"/third-party/*; do
		put "$file" "$(basename "$file")"
	done
else
	fetch
	put "$modules/idiomorph/dist/idiomorph.min.js" idiomorph.min.js
	put "$modules/idiomorph/LICENSE" LICENSE.idiomorph
	put "$modules/uplot/dist/uPlot.iife.min.js" uPlot.iife.min.js
	put "$modules/uplot/dist/uPlot.min.css" uPlot.min.css
	put "$modules/uplot/LICENSE" LICENSE.uPlot
	put "$modules/axe-core/axe.min.js" axe.min.js
	# npm installs only the package for this platform.
	cp "$modules"/@esbuild/*/bin/esbuild "$out/esbuild"
fi
rm -rf "$out/npm"
