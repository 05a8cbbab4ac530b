#!lua
-- Renews the lease while the transfer makes progress, if the caller still holds the lock. Answers {'ok'} or {'lost'}.
-- KEYS 1 lock
-- ARGV 1 token|bucket|epoch 2 lease_ms
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
	return {'lost'}
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {'ok'}
