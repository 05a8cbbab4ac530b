#!lua
-- Called when the daemon has answered another request, which disproves that it cannot be reached. The breaker becomes half open: the next
-- claim makes one attempt. The reason and the count of failures stay until that attempt succeeds. A breaker that is open for any other
-- reason (a refused key, a limit, an error) stays open.
-- Answers {'ok'} or {'kept'}.
-- KEYS 1 breaker
-- ARGV the reasons that an answer disproves
if redis.call('TYPE', KEYS[1]).ok == 'hash' then
	local code = redis.call('HGET', KEYS[1], 'code')
	for _, reason in ipairs(ARGV) do
		if code == reason then
			redis.call('HSET', KEYS[1], 'open_until', '0')
			return {'ok'}
		end
	end
end
return {'kept'}
