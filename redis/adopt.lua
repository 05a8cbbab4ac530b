#!lua
-- Hands the cache and the history over to another fingerprint, after the daemon has moved to a new address or the fleet has been renamed.
-- Nothing else changes. Answers {'ok', previous fingerprint or none}.
--
--   redis-cli --eval redis/adopt.lua , $(tft-dashboard --fingerprint)             on a host that has the new address in its settings
--   redis-cli --eval redis/adopt.lua , $(tft-dashboard --fingerprint) fleet-b     with another key prefix than tft
--
-- KEYS none    ARGV 1 fingerprint 2 prefix (optional)
local fingerprint, prefix = ARGV[1] or '', ARGV[2] or 'tft'
if not string.match(prefix, '^[a-z0-9-]+$') then
	return redis.error_reply('ERR prefix must be of a-z, 0-9 and -')
end
if #fingerprint ~= 16 or not string.match(fingerprint, '^[0-9a-f]+$') then
	return redis.error_reply('ERR the first argument must be what tft-dashboard --fingerprint prints')
end
local before = redis.pcall('GET', prefix .. 'hist:upstream')
redis.call('SET', prefix .. 'hist:upstream', fingerprint)
for _, group in ipairs({'fleet', 'status', 'scenario', 'alerts', 'alertmanager'}) do
	redis.pcall('HSET', prefix .. ':cur:' .. group, 'upstream', fingerprint)
end
return {'ok', type(before) == 'string' and before or 'none'}
