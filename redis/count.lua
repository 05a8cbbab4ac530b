#!lua
-- Adds a worker's counts to the totals of its node and to the totals of all nodes. One script, so that no hash is ever left without an
-- expiry. A key of the wrong type, or a field that cannot be incremented, starts again.
-- KEYS 1 hash of the node 2 hash of all nodes
-- ARGV 1 ttl_ms, then series, count, ...
for _, key in ipairs(KEYS) do
	if redis.call('TYPE', key).ok ~= 'hash' then
		redis.call('DEL', key)
	end
	for i = 2, #ARGV, 2 do
		if type(redis.pcall('HINCRBY', key, ARGV[i], ARGV[i + 1])) ~= 'number' then
			redis.call('HSET', key, ARGV[i], ARGV[i + 1])
		end
	end
	redis.call('PEXPIRE', key, ARGV[1])
end
return {'ok'}
