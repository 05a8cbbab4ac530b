#!/bin/sh
# SPDX-License-Identifier: MIT
# Generates configure and its helpers from configure.ac and Makefile.am. Needs autoconf, automake, pkg-config.
set -e
cd "$(dirname "$0")"
exec autoreconf --install --force
