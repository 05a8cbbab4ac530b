#!/bin/bash
# SPDX-License-Identifier: MIT
# Renders the configuration of a private instance into RUN_DIR/etc. Used by start_all.sh and by the tests, so that both
# run the same configuration. Arguments are NAME=VALUE:
#   RUN_DIR  directory of the instance        ASSETS  directory that holds static/
#   LISTEN, PORT  address of the dashboard    L1  on|off
#   DEMO_PORT  port of the simulated upstream (the generator takes the next one); empty: none
#   ASSET_CACHE  Cache-Control of static files; empty: cached for ever, as their names change with their content
#   RUN_USER  user and group of the processes when started as root; empty: the current user
#   REDIS_PASSWORD_SHA256  for the Redis user tft; empty: no private Redis
#   REDIS_DATA  directory of its files; empty: redis in RUN_DIR      PREFIX  of its keys
set -euo pipefail
set +o noclobber +o noglob +o monitor +o allexport +o posix
export LC_ALL=C
unset CDPATH

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
declare -A value=([RUN_DIR]='' [ASSETS]='' [LISTEN]=127.0.0.1 [PORT]='' [L1]=on [DEMO_PORT]='' [RUN_USER]='' [ASSET_CACHE]=''
    [REDIS_PASSWORD_SHA256]='' [REDIS_DATA]='' [PREFIX]=tft)

for pair in "$@"; do
    name=${pair%%=*}
    if [[ ! -v value[$name] ]]; then
        echo "render-config.sh: unknown setting $name" >&2
        exit 2
    fi
    value[$name]=${pair#*=}
done

etc=${value[RUN_DIR]}/etc

# Escape a value for double quotes, one function for each language; the result is in $quoted.

nginx_text() {
    if [[ $1 == *'$'* ]]; then
        echo "render-config.sh: nginx has no way to write \$: $1" >&2
        exit 2
    fi
    quoted=${1//\\/\\\\}
    quoted=${quoted//\"/\\\"}
}

redis_text() {
    quoted=${1//\\/\\\\}
    quoted=${quoted//\"/\\\"}
}

# A directive as is.
as_it_is() {
    quoted=$1
}

# render LANGUAGE TEMPLATE: replaces every @NAME@ of the template in one pass, and drops the comments, which list the placeholders
# for those who fill in a template by hand.
render() {
    local rest text='' name quoted
    rest=$(grep -v '^[[:space:]]*#' "$root/$2")
    while [[ $rest =~ @([A-Z0-9_]+)@ ]]; do
        name=${BASH_REMATCH[1]}
        "${language[$name]:-$1_text}" "${value[$name]}"
        text+=${rest%%"@$name@"*}$quoted
        rest=${rest#*"@$name@"}
    done
    printf '%s\n' "$text$rest" >"$etc/$(basename "$2" .in)"
}

mkdir -p "${value[RUN_DIR]}"/{etc,log,tmp}
rm -f "$etc"/*

value[CACHE_DIR]=${value[RUN_DIR]}/l1
value[REDIS_DATA]=${value[REDIS_DATA]:-${value[RUN_DIR]}/redis}
value[SOCKET]=${value[RUN_DIR]}/fcgi.sock
value[ERROR_DIR]=$root/nginx/error
value[USER]=${value[RUN_USER]:+user ${value[RUN_USER]};}
value[PARTS]=''
value[ASSET_CACHE]=${value[ASSET_CACHE]:-public, max-age=31536000, immutable}
declare -A language=([USER]=as_it_is [LOAD_MODULES]=as_it_is)
value[LOAD_MODULES]=''
brotli=/usr/lib/nginx/modules/ngx_http_brotli_static_module.so
if [[ -e $brotli ]]; then
    value[LOAD_MODULES]="load_module $brotli;"
    echo 'brotli_static on;' >"$etc/tft-brotli.conf"
fi

render nginx nginx/nginx.conf.in
render nginx nginx/tft-http.conf.in
render nginx nginx/tft-locations.conf.in
cp "$root"/nginx/tft-{error,fastcgi,guard,headers,local,page,server}.conf "$etc/"
if [[ ${value[L1]} == on ]]; then
    cp "$root/nginx/tft-l1.conf" "$etc/"
else
    : >"$etc/tft-l1.conf"
fi
if [[ -n ${value[DEMO_PORT]} ]]; then
    value[GENERATOR_PORT]=$((value[DEMO_PORT] + 1))
    render nginx nginx/demo.conf.in
    cp "$root/nginx/demo-fastcgi.inc" "$etc/"
fi
if [[ -n ${value[REDIS_PASSWORD_SHA256]} ]]; then
    render redis redis/redis.conf.in
    render redis redis/users.acl.in
fi
