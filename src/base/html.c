/* SPDX-License-Identifier: MIT */
/* Clean text is copied in runs; only a character to be replaced ends a run. */
#include "config.h"
#include "base/html.h"

#include "base/utf8.h"

/* ASCII that stands for itself: the fast path, taken by nearly all text. */
static bool is_plain(char c)
{
	if (c == '\t' || c == '\n')
		return true;
	return c >= 0x20 && c < 0x7f && c != '&' && c != '<' && c != '>' && c != '"' && c != '\'';
}

static const char *replacement_of(uint32_t codepoint)
{
	switch (codepoint) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return utf8_is_hidden(codepoint) ? UTF8_REPLACEMENT : NULL;
	}
}

void html_text(struct buf *b, struct span text)
{
	size_t run = 0; /* start of what is not yet copied */

	for (size_t at = 0; at < text.len;) {
		const char *replacement = UTF8_REPLACEMENT;
		uint32_t codepoint;
		size_t len;

		if (is_plain(text.ptr[at])) {
			at++;
			continue;
		}
		len = utf8_next(text, at, &codepoint);
		if (len > 0)
			replacement = replacement_of(codepoint);
		else
			len = 1;
		if (replacement) {
			buf_add(b, text.ptr + run, at - run);
			buf_add(b, replacement, strlen(replacement));
			run = at + len;
		}
		at += len;
	}
	if (run < text.len)
		buf_add(b, text.ptr + run, text.len - run);
}

void html_str(struct buf *b, const char *text)
{
	html_text(b, span_str(text));
}

/* RFC 3986 2.3; isalnum would ask the locale. */
static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void html_url(struct buf *b, struct span component)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < component.len; i++) {
		unsigned char c = (unsigned char)component.ptr[i];

		if (is_unreserved(component.ptr[i]))
			buf_char(b, component.ptr[i]);
		else
			buf_add(b, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
	}
}
