#!lua
-- Decides who refreshes this bucket. Answers {verdict, bucket, now_ms, epoch [, wait_ms]}:
--   won     the caller holds the lock, and one call has been taken from the budget
--   fresh   somebody has already committed this bucket
--   open    the breaker is open for wait_ms
--   budget  no call left in the sliding window for wait_ms
--   busy    another worker holds the lock for at most wait_ms
-- or {'foreign', fingerprint}: the cache belongs to that fleet
-- KEYS 1 pointer 2 lock 3 breaker 4 budget 5 epoch 6 fleet of the history 7 pointer of the predictions 8 a key unique to this claim, for trials
-- ARGV 1 token 2 lease_ms 3 interval_ms 4 calls in the window 5 window_ms 6 longest epoch 7 fingerprint of the caller's fleet
--
-- The time comes from Redis, so the clocks of the web hosts do not matter. The budget is a list of the last claims, not a counter per
-- minute: a counter would allow twice as many calls around the turn of a minute.

-- A key of the wrong type, written by another program, would fail every later call: delete it and continue. A value that is not a number
-- counts as absent.
local types = {'hash', 'string', 'hash', 'list', 'string', 'string', 'hash'}
for i, want in ipairs(types) do
	local have = redis.call('TYPE', KEYS[i]).ok
	if have ~= 'none' and have ~= want then
		redis.call('DEL', KEYS[i])
	end
end

-- The cache belongs to one fleet, the first to claim. Its fingerprint is kept beside the history, which outlives the rest, and in the
-- pointers, where readers see it. Each restores the other.
local function fingerprint(name)
	return name and #name == 16 and string.match(name, '^%x+$')
end

local kept = fingerprint(redis.call('GET', KEYS[6]))
local owner = kept or fingerprint(redis.call('HGET', KEYS[7], 'upstream')) or ARGV[7]
if not kept then
	redis.call('SET', KEYS[6], owner)
end
for _, pointer in ipairs({KEYS[1], KEYS[7]}) do
	local shown = fingerprint(redis.call('HGET', pointer, 'upstream'))
	if shown and shown ~= owner then
		redis.call('DEL', pointer)
	end
	if shown ~= owner then
		redis.call('HSET', pointer, 'upstream', owner)
	end
end
if owner ~= ARGV[7] then
	return {'foreign', owner}
end

local lease, interval = tonumber(ARGV[2]), tonumber(ARGV[3])
local calls, window = tonumber(ARGV[4]), tonumber(ARGV[5])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local bucket = math.floor(now / interval)

-- The epoch is a time, not a counter, so that one created after FLUSHALL never repeats an old one. A worker accepts a limited number of
-- plain bytes; it would refuse any other value for ever.
local epoch = redis.call('GET', KEYS[5])
if not string.match(epoch or '', '^[%w-]+$') or #epoch > tonumber(ARGV[6]) then
	epoch = time[1] .. string.format('%06d', time[2])
	redis.call('SET', KEYS[5], epoch)
end

local pointer = redis.call('HMGET', KEYS[1], 'bucket', 'epoch')
if tonumber(pointer[1] or '') == bucket and pointer[2] == epoch then
	return {'fresh', bucket, now, epoch}
end

-- A breaker that stays open for more than 10 minutes comes from a clock that has since been set back: ignore it.
local open = tonumber(redis.call('HGET', KEYS[3], 'open_until') or '') or -1
if open > now and open - now <= 600000 then
	return {'open', bucket, now, epoch, open - now}
end

local oldest = tonumber(redis.call('LINDEX', KEYS[4], calls - 1) or '') or -1
if oldest > now then
	redis.call('DEL', KEYS[4])
elseif oldest >= 0 and now - oldest < window then
	return {'budget', bucket, now, epoch, window - (now - oldest)}
end

-- All buckets of the group share one lock: a slow fetch also delays the next bucket, so calls never pile up. A lock that would outlast a
-- lease was written by another program, or before the clock was set back. Taking it over costs one call at most.
local left = redis.call('PTTL', KEYS[2])
if left >= 0 and left <= lease then
	return {'busy', bucket, now, epoch, left}
end

-- Redis checks the user's permission for each command only when the script reaches it. A user who lacks a command that a refresh needs
-- must not begin one: it would call the daemon in vain, or stop half-way. So try every command before anything changes, starting with
-- those that do nothing when the key is absent. The history's commands are not tried: the data are published even without history.
local trials = {
	{'UNLINK'}, {'EXISTS'}, {'PEXPIRE', 1000}, {'LTRIM', 0, 0}, {'DEL'},
	{'SET', '', 'PX', 1000}, {'RENAME', KEYS[8]}, {'DEL'},
	{'HSET', 'n', 0}, {'PEXPIRE', 1000}, {'HINCRBY', 'n', 1}, {'DEL'},
	{'LPUSH', ''}, {'DEL'},
}
for _, trial in ipairs(trials) do
	redis.call(trial[1], KEYS[8], unpack(trial, 2))
end

local mine = ARGV[1] .. '|' .. string.format('%.0f', bucket) .. '|' .. epoch
redis.call('SET', KEYS[2], mine, 'PX', lease)

redis.call('LPUSH', KEYS[4], string.format('%.0f', now))
redis.call('LTRIM', KEYS[4], 0, calls - 1)
redis.call('PEXPIRE', KEYS[4], 2 * window)
return {'won', bucket, now, epoch}
