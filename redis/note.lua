#!lua
-- Keeps the last upstream calls of a group for the status page. One script, so that the list is never left without an expiry.
-- A key of the wrong type is deleted.
-- KEYS 1 list
-- ARGV 1 record 2 how many to keep 3 ttl_ms
if redis.call('TYPE', KEYS[1]).ok ~= 'list' then
	redis.call('DEL', KEYS[1])
end
redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], 0, ARGV[2] - 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return {'ok'}
