/* SPDX-License-Identifier: MIT */
/*
 * HTML writer: the verb names the context, so that the right escape is visible at the call. Output
 * is well-formed XML.
 *
 *	html_lit(b, "<td class=\"num\">");  html_text(b, name);  html_lit(b, "</td>");
 *
 * All functions append to a struct buf and leave errors to its sticky flag.
 */
#ifndef TFT_HTML_H
#define TFT_HTML_H

#include "base/buf.h"

/* Trusted markup, string literals only. */
#define html_lit(b, lit) buf_lit((b), lit)

/* Element content or a double-quoted attribute value: & < > " ' become references. Each byte that
 * is not valid UTF-8 and each hidden character (utf8_is_hidden) but tab and newline becomes U+FFFD.
 */
void html_text(struct buf *b, struct span text);
/* Same for a C string that the program owns (level names and the like). */
void html_str(struct buf *b, const char *text);
/* One component of a URL, RFC 3986: everything but unreserved characters percent-encoded. */
void html_url(struct buf *b, struct span component);

#endif
