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

local PART = 100 -- entries copied at once

-- Copies a stream up to that id. Its ids are to go on from there, but Redis 8 refuses every id below the newest that was ever deleted.
local function copy(from, to, last)
	local start = '-'
	repeat
		local entries = redis.call('XRANGE', from, start, last, 'COUNT', PART)
		for _, entry in ipairs(entries) do
			redis.call('XADD', to, entry[1], unpack(entry[2]))
			start = '(' .. entry[1]
		end
	until #entries < PART
end

-- Removes what comes after that time (ms). Returns the time of what is the newest now, 0 without any.
local function rewind(key, ms)
	local last = string.format('%.0f-18446744073709551615', ms)
	local before = redis.call('XLEN', key)
	if #redis.call('XRANGE', key, '(' .. last, '+', 'COUNT', 1) > 0 then
		local copied = key .. ':copied'
		copy(key, copied, last)
		redis.call('DEL', key)
		if redis.call('EXISTS', copied) == 1 then
			redis.call('RENAME', copied, key)
		end
	end
	removed = removed + before - redis.call('XLEN', key)
	local newest = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
	return newest and tonumber(string.match(newest[1], '^%d+')) or 0
end

local history = prefix .. 'hist:'
local now = redis.call('TIME')[1] * 1000
local newest = rewind(history .. 'fleet', now)
-- The hour of the newest point is closed again when it is over.
rewind(history .. 'hours', math.floor(newest / 3600000) * 3600000 - 1)
rewind(history .. 'riskhours', math.floor(newest / 3600000) * 3600000 - 1)
for _, stream in ipairs({'risk', 'full', 'thin', 'forecasts', 'incidents', 'accuracy', 'warnings', 'outcomes', 'watch'}) do
	rewind(history .. stream, now)
end
return {'ok', removed}
