/* SPDX-License-Identifier: MIT */
#include "config.h"
#include "store/address.h"

#include <stdio.h>
#include <sys/un.h>

#define DATABASE_DIGITS 5
#define NAME            "-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* The last row is for an address without scheme. */
static const struct form {
	struct span scheme;
	enum address_kind kind;
	bool has_user, has_name;
} forms[] = {
	{SPAN("unix:"), ADDRESS_UNIX, false, false},
	{SPAN("sentinel:"), ADDRESS_TCP, false, true},
	{SPAN("rediss://"), ADDRESS_TLS, true, false},
	{SPAN("rediss-sentinel://"), ADDRESS_TLS, true, true},
	{SPAN(""), ADDRESS_TCP, false, false},
};

static const struct form *find_form(const char *text)
{
	const struct form *form = forms;

	while (strncmp(text, form->scheme.ptr, form->scheme.len) != 0)
		form++;
	return form;
}

/* Cuts off the text before the mark; false if there is no mark. */
static bool cut_before(struct span *text, char mark, struct span *head)
{
	const char *at = memchr(text->ptr, mark, text->len);
	size_t len = at ? (size_t)(at - text->ptr) : 0;

	if (!at)
		return false;
	*head = (struct span){text->ptr, len};
	*text = (struct span){at + 1, text->len - len - 1};
	return true;
}

static bool is_name(struct span text)
{
	return text.len && strspn(text.ptr, NAME) >= text.len;
}

static bool are_hosts(const struct address *address)
{
	struct endpoint endpoint;
	size_t count = 1;

	for (size_t i = 0; i < address->hosts.len; i++)
		count += address->hosts.ptr[i] == ',';
	for (size_t i = 0; i < count; i++)
		if (!address_endpoint(address, i, &endpoint))
			return false;
	return count == 1 || address->name.len;
}

static bool is_path(struct span path)
{
	return path.len && path.ptr[0] == '/' &&
	       path.len < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

/* Cuts a trailing "/<digits>" off. */
static int cut_database(struct span *text)
{
	size_t len = text->len;
	int database = 0;

	while (len > 1 && text->len - len < DATABASE_DIGITS && text->ptr[len - 1] >= '0' &&
	       text->ptr[len - 1] <= '9')
		len--;
	if (len == text->len || len < 2 || text->ptr[len - 1] != '/')
		return 0;
	for (size_t i = len; i < text->len; i++)
		database = 10 * database + text->ptr[i] - '0';
	text->len = len - 1;
	return database;
}

bool address_parse(struct address *address, const char *text)
{
	const struct form *form = find_form(text);
	struct span rest = span_str(text + form->scheme.len);

	*address = (struct address){.kind = form->kind};
	if (form->has_user && cut_before(&rest, '@', &address->user) && !is_name(address->user))
		return false;
	if (form->has_name) {
		if (!cut_before(&rest, '/', &address->hosts))
			return false;
		address->database = cut_database(&rest);
		if (!is_name(rest))
			return false;
		address->name = rest;
	} else {
		address->database = cut_database(&rest);
		address->hosts = rest;
	}
	return form->kind == ADDRESS_UNIX ? is_path(address->hosts) : are_hosts(address);
}

bool endpoint_set(struct endpoint *to, struct span host, int port)
{
	if (host.len == 0 || host.len >= sizeof(to->host) || port < 1 || port > 65535)
		return false;
	memcpy(to->host, host.ptr, host.len);
	to->host[host.len] = '\0';
	to->port = port;
	return true;
}

static bool set_path(struct endpoint *to, struct span path)
{
	bool good = endpoint_set(to, path, 1);

	to->port = 0;
	return good;
}

/* The part up to the next comma, or the last one; false when there is none left. */
static bool next_host(struct span *rest, struct span *host)
{
	if (!rest->ptr)
		return false;
	if (!cut_before(rest, ',', host)) {
		*host = *rest;
		*rest = (struct span){NULL, 0};
	}
	return true;
}

bool address_endpoint(const struct address *address, size_t i, struct endpoint *to)
{
	struct span rest = address->hosts, host;
	struct hostport hostport;

	if (address->kind == ADDRESS_UNIX)
		return i == 0 && set_path(to, rest);
	do
		if (!next_host(&rest, &host))
			return false;
	while (i-- > 0);
	return hostport_parse(&hostport, host) && endpoint_set(to, hostport.host, hostport.port);
}

void endpoint_text(const struct endpoint *endpoint, char text[ENDPOINT_TEXT_MAX])
{
	if (endpoint->port == 0)
		(void)snprintf(text, ENDPOINT_TEXT_MAX, "%s", endpoint->host);
	else if (strchr(endpoint->host, ':'))
		(void)snprintf(text, ENDPOINT_TEXT_MAX, "[%s]:%d", endpoint->host, endpoint->port);
	else
		(void)snprintf(text, ENDPOINT_TEXT_MAX, "%s:%d", endpoint->host, endpoint->port);
}
