/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "base/hostport.h"

#define HEX      "0123456789ABCDEFabcdef"
#define NAME     "-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define IPV6     ":." HEX
#define PORT_MAX 65535

static size_t count_of(struct span text, const char *set)
{
	size_t i = 0;

	while (i < text.len && text.ptr[i] && strchr(set, text.ptr[i]))
		i++;
	return i;
}

size_t hostport_host_len(struct span text)
{
	size_t len;

	if (text.len == 0 || text.ptr[0] != '[')
		return count_of(text, NAME);
	len = count_of((struct span){text.ptr + 1, text.len - 1}, IPV6);
	return len > 0 && len + 1 < text.len && text.ptr[len + 1] == ']' ? len + 2 : 0;
}

int hostport_port(struct span text)
{
	int port = 0;

	if (text.len == 0 || text.len > 5 || count_of(text, "0123456789") != text.len)
		return 0;
	for (size_t i = 0; i < text.len; i++)
		port = port * 10 + (text.ptr[i] - '0');
	return port <= PORT_MAX ? port : 0;
}

static size_t bare_ipv6_len(struct span text)
{
	const char *colon = memrchr(text.ptr, ':', text.len);
	size_t len = colon ? (size_t)(colon - text.ptr) : 0;

	return len && memchr(text.ptr, ':', len) &&
			       count_of((struct span){text.ptr, len}, IPV6) == len
		       ? len
		       : 0;
}

bool hostport_parse(struct hostport *to, struct span text)
{
	size_t len = hostport_host_len(text);

	if (len < text.len && text.ptr[len] != ':')
		len = 0;
	else if (text.len && bare_ipv6_len(text) > len)
		len = bare_ipv6_len(text);
	if (len == 0 || len == text.len)
		return false;
	to->host = (struct span){text.ptr, len};
	if (text.ptr[0] == '[')
		to->host = (struct span){text.ptr + 1, len - 2};
	to->port = hostport_port((struct span){text.ptr + len + 1, text.len - len - 1});
	return to->port != 0;
}
