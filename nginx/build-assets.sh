#!/bin/sh
# SPDX-License-Identifier: MIT
# build-assets.sh OUT_DIR FILE...
# Copies every file to OUT_DIR/static/NAME.HASH.EXT, where HASH is the beginning of the content's SHA-256, with a gzip and
# (where the tool exists) a brotli copy beside it, and writes OUT_DIR/assets.h:
#   #define ASSET_STYLE_CSS "static/style.1a2b3c4d.css"
# Equal input gives equal bytes. assets.h is touched only when a name changes, so that nothing is compiled in vain.
set -eu
LC_ALL=C
export LC_ALL

out=$1
shift
header=$out/assets.h.new
rm -rf "$out/static.new"
mkdir -p "$out/static.new"

cat >"$header" <<'EOH'
/* Made by nginx/build-assets.sh. Paths below the site's root; the hash is that of the content. */
#ifndef TFT_ASSETS_H
#define TFT_ASSETS_H

EOH

for file in "$@"; do
	name=$(basename "$file")
	hash=$(sha256sum <"$file" | cut -c 1-8)
	target=${name%.*}.$hash.${name##*.}
	gzip -9 -n -c "$file" >"$out/static.new/$target.gz"
	if command -v brotli >/dev/null 2>&1; then
		brotli -q 11 -c "$file" >"$out/static.new/$target.br"
	fi
	cat "$file" >"$out/static.new/$target"
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
rm -rf "$out/static.new"

if cmp -s "$header" "$out/assets.h"; then
	rm -f "$header"
else
	mv "$header" "$out/assets.h"
fi
