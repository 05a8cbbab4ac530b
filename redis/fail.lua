#!lua
-- Records that an attempt gave no data: the breaker shows why, since when, and when the next attempt may be made. Pages stay unchanged.
-- Answers {'backoff', failures in a row, wait_ms}, or {'lost'} if the caller no longer holds the lock.
-- KEYS 1 breaker 2 lock
-- ARGV 1 token|bucket|epoch 2 interval_ms 3 longest wait_ms 4 retry_after_ms asked by the upstream, within its limit 5 reason
--      6 1: a fault, 0: an answer that has no data yet
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
	return {'lost'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local interval = tonumber(ARGV[2])

-- Any answer, even from a daemon that is warming up, ends the row of failures: the next bucket asks again.
local failures = 0
if ARGV[6] == '0' then
	redis.call('HSET', KEYS[1], 'n', 0)
else
	failures = redis.pcall('HINCRBY', KEYS[1], 'n', 1)
	-- Another program wrote something that is not a number.
	if type(failures) ~= 'number' then
		failures = 1
		redis.call('HSET', KEYS[1], 'n', failures)
	end
end

-- At most one attempt per bucket. From the second failure in a row on, the wait doubles each time.
local next_bucket = (math.floor(now / interval) + 1) * interval - now
local backoff = 0
if failures > 1 then
	backoff = math.min(tonumber(ARGV[3]), interval * 2 ^ math.min(failures - 1, 10))
end
local wait = math.max(next_bucket, backoff, tonumber(ARGV[4]))

local was = redis.call('HMGET', KEYS[1], 'code', 'since')
if was[1] ~= ARGV[5] or not string.match(was[2] or '', '^%d+$') then
	redis.call('HSET', KEYS[1], 'since', string.format('%.0f', now))
end
redis.call('HSET', KEYS[1], 'open_until', string.format('%.0f', now + wait), 'code', ARGV[5])
redis.call('PEXPIRE', KEYS[1], 900000)
redis.call('DEL', KEYS[2])
return {'backoff', failures, wait}
