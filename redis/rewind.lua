#!lua
-- Removes the future from the history, after Redis' clock was ahead and has been set right. Until then a history goes on only when its clock
-- has passed its newest point, since its ids must rise. Nothing else changes. Answers {'ok', removed entries}.
--
--   redis-cli --eval redis/rewind.lua
--   redis-cli --eval redis/rewind.lua , fleet-b     with another key prefix than tft
--
-- KEYS none    ARGV 1 prefix (optional)
local prefix = ARGV[1] or 'tft'
if not string.match(prefix, '^[a-z0-9-]+$') then
	return redis.error_reply('ERR prefix must be of a-z, 0-9 and -')
end
local removed = 0

-- Removes what comes after that time (ms). A stream goes on from its newest id, which stays what it was when that entry is deleted.
local function rewind(key, ms)
	local entries = redis.call('XRANGE', key, string.format('(%.0f-18446744073709551615', ms), '+')
	for _, entry in ipairs(entries) do
		removed = removed + redis.call('XDEL', key, entry[1])
	end
	local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
	if #entries > 0 and last then
		redis.call('XSETID', key, last[1])
	elseif #entries > 0 then
		redis.call('DEL', key)
	end
	return last and tonumber(string.match(last[1], '^%d+')) or 0
end

local history = prefix .. 'hist:'
local now = redis.call('TIME')[1] * 1000
local newest = rewind(history .. 'fleet', now)
-- The hour of the newest point is closed again when it is over.
rewind(history .. 'hours', math.floor(newest / 3600000) * 3600000 - 1)
for _, stream in ipairs({'risk', 'full', 'thin', 'forecasts', 'incidents', 'accuracy'}) do
	rewind(history .. stream, now)
end
return {'ok', removed}
