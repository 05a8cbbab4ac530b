#!lua
-- Writes fields of one staged entry, which nobody reads until commit renames it. One script and not two commands, so that a writer who dies
-- in between cannot leave an entry without expiry.
-- KEYS 1 staged hash
-- ARGV 1 ttl_ms, then field, value, ...
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return {'ok'}
