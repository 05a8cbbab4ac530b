#!lua
-- The daemon has just answered another question. Who waits because it could not be reached need not wait any longer: the breaker is
-- half open, and the next claim is the one attempt. Its reason and its failures in a row stay until that has gone well. Whatever else the
-- breaker is open for (a refused key, a limit, an error) is not disproved, and not touched.
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
