#!lua
-- Adds a worker's counts to those of its node, which all its workers share. One script, so that the hash never stands without expiry.
-- What is of the wrong type, or cannot be counted on, begins anew.
-- KEYS 1 hash
-- ARGV 1 ttl_ms, then series, count, ...
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then
	redis.call('DEL', KEYS[1])
end
for i = 2, #ARGV, 2 do
	if type(redis.pcall('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])) ~= 'number' then
		redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
	end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {'ok'}
