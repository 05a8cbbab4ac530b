-- SPDX-License-Identifier: MIT
-- The shortest way from Redis to a client: one GET on a kept connection; the value is the compressed page.
local key = "bench:page"

local function get(socket)
	assert(socket:send("*2\r\n$3\r\nGET\r\n$" .. #key .. "\r\n" .. key .. "\r\n"))
	local length = tonumber(assert(socket:receive("*l")):match("^%$(%d+)$"))
	if not length then
		return nil
	end
	local value = assert(socket:receive(length))
	assert(socket:receive(2))
	return value
end

local socket = ngx.socket.tcp()
socket:settimeout(1000)
assert(socket:connect(ngx.var.redis_socket))
local page = get(socket)
assert(socket:setkeepalive(60000, 128))
if not page then
	return ngx.exit(ngx.HTTP_NOT_FOUND)
end
ngx.header["Content-Type"] = "text/html; charset=utf-8"
ngx.header["Content-Encoding"] = "gzip"
ngx.header["Content-Length"] = #page
ngx.print(page)
