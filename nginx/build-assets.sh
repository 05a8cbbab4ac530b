#!/bin/sh
# SPDX-License-Identifier: MIT
# build-assets.sh SOURCE_DIR THIRD_PARTY_DIR OUT_DIR
# Copies every css, js and svg file of SOURCE_DIR, the scripts behind the libraries they need, to
# OUT_DIR/static/NAME.HASH.EXT, where HASH is the beginning of the
# content's SHA-256, with a gzip and (where the tool exists) a brotli copy beside it, and writes OUT_DIR/assets.h:
#   #define ASSET_STYLE_CSS "static/style.1a2b3c4d.css"
# Equal input gives equal bytes. assets.h is touched only when a name changes, so that nothing is compiled in vain.
set -eu
LC_ALL=C
export LC_ALL

source=$1
libraries=$2
out=$3
header=$out/assets.h.new
rm -rf "$out/static.new"
mkdir -p "$out/static.new" "$out/bundle"

# Without indentation and the comments that stand on lines of their own.
for file in "$source"/*.css "$source"/*.js "$source"/*.svg; do
	sed -e '/^[[:blank:]]*\/\*.*\*\/$/d' -e '/^[[:blank:]]*\/\*/,/\*\/$/d' -e 's/^[[:blank:]]*//' -e '/^$/d' \
		"$file" >"$out/bundle/$(basename "$file")"
done

# One request instead of two; the libraries' bytes are unchanged.
# bundle LIBRARY FILE
bundle() {
	cat "$libraries/$1" "$out/bundle/$2" >"$out/bundle/both"
	mv "$out/bundle/both" "$out/bundle/$2"
}
bundle idiomorph.min.js app.js
bundle uPlot.iife.min.js charts.js
bundle uPlot.min.css charts.css

cat >"$header" <<'EOH'
/* Made by nginx/build-assets.sh. Paths below the site's root; the hash is that of the content. */
#ifndef TFT_ASSETS_H
#define TFT_ASSETS_H

EOH

for file in "$out"/bundle/*; do
	name=$(basename "$file")
	hash=$(sha256sum <"$file" | cut -c 1-8)
	target=${name%.*}.$hash.${name##*.}
	cp "$file" "$out/static.new/$target"
	gzip -9 -n -c "$file" >"$out/static.new/$target.gz"
	if command -v brotli >/dev/null 2>&1; then
		brotli -q 11 -c "$file" >"$out/static.new/$target.br"
	fi
	macro=$(printf %s "$name" | tr 'a-z.-' 'A-Z__')
	printf '#define ASSET_%s "static/%s"\n' "$macro" "$target" >>"$header"
done
printf '\n#endif\n' >>"$header"

# Pages of the last minutes may still name the files of the build before: keep what is there, add what is new.
mkdir -p "$out/static"
for file in "$out"/static.new/*; do
	[ -f "$file" ] || continue
	cmp -s "$file" "$out/static/$(basename "$file")" || cp "$file" "$out/static/"
done
rm -rf "$out/static.new" "$out/bundle"

if cmp -s "$header" "$out/assets.h"; then
	rm -f "$header"
else
	mv "$header" "$out/assets.h"
fi
