#!lua
-- Writes fields of one staged entry, which nobody reads until the commit renames it. One script, not two commands, so that a writer that
-- dies in between cannot leave an entry without an expiry.
-- KEYS 1 staged hash
-- ARGV 1 ttl_ms, then field, value, ...
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {'ok'}
