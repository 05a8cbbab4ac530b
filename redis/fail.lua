#!lua
-- An attempt gave no data: the breaker tells everybody why, since when and until when nobody asks again. Pages stay as they are.
-- Answers {'backoff', failures in a row, wait_ms} or {'lost'} when the lock is not the caller's any more.
-- KEYS 1 breaker 2 lock
-- ARGV 1 token 2 bucket 3 epoch 4 interval_ms 5 longest wait_ms 6 retry_after_ms asked by the upstream 7 reason
if redis.call('GET', KEYS[2]) ~= ARGV[1] .. '|' .. ARGV[2] .. '|' .. ARGV[3] then
	return {'lost'}
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local interval = tonumber(ARGV[4])

-- Warming up is an answer, not a fault: it does not add to the failures in a row.
local failures = 0
if ARGV[7] == 'warming' then
	redis.call('HSET', KEYS[1], 'n', 0)
else
	failures = redis.pcall('HINCRBY', KEYS[1], 'n', 1)
	-- Not a number that can be counted on: a stranger wrote it.
	if type(failures) ~= 'number' then
		failures = 1
		redis.call('HSET', KEYS[1], 'n', failures)
	end
end

-- One attempt a bucket at most; from the second failure in a row on, twice as long each time.
local next_bucket = (math.floor(now / interval) + 1) * interval - now
local backoff = 0
if failures > 1 then
	backoff = math.min(tonumber(ARGV[5]), interval * 2 ^ math.min(failures - 1, 10))
end
local wait = math.max(next_bucket, backoff, math.min(tonumber(ARGV[6]), 300000))

local was = redis.call('HMGET', KEYS[1], 'code', 'since')
if was[1] ~= ARGV[7] or not string.match(was[2] or '', '^%d+$') then
	redis.call('HSET', KEYS[1], 'since', string.format('%.0f', now))
end
redis.call('HSET', KEYS[1], 'open_until', string.format('%.0f', now + wait), 'code', ARGV[7])
redis.call('PEXPIRE', KEYS[1], 900000)
redis.call('DEL', KEYS[2])
return {'backoff', failures, wait}
