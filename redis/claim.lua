#!lua
-- Who refreshes this bucket? Answers {verdict, bucket, now_ms, epoch [, wait_ms]}:
--   won     the lock is the caller's, with one call taken from the budget
--   fresh   somebody has already committed this bucket
--   open    the breaker is open for wait_ms
--   budget  no call left in the sliding window for wait_ms
--   busy    another worker holds the lock for at most wait_ms
-- or {'foreign', whose}: what is here is another fleet's
-- KEYS 1 pointer 2 lock 3 breaker 4 budget 5 epoch 6 fleet of the history 7 pointer of the predictions 8 a key of nobody else's, for trials
-- ARGV 1 token 2 lease_ms 3 interval_ms 4 calls in the window 5 window_ms 6 longest epoch 7 fingerprint of the caller's fleet
--
-- The time is Redis' own, so clocks of web hosts do not matter. The budget is a list of the last claims and not a counter per minute: a
-- counter would allow twice the number at the edge of two minutes.

-- A key of the wrong type (written by a stranger) would fail every later call: drop it and go on. A value that is no number counts as none.
local types = {'hash', 'string', 'hash', 'list', 'string', 'string', 'hash'}
for i, want in ipairs(types) do
	local have = redis.call('TYPE', KEYS[i]).ok
	if have ~= 'none' and have ~= want then
		redis.call('DEL', KEYS[i])
	end
end

-- All of it belongs to one fleet, that of the first claim. The name stands beside the history, which outlives the rest, and in the pointers,
-- where readers see it; each restores the other.
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

-- The epoch is a time and not a counter, so that one made after FLUSHALL never repeats an old one. A worker has room for plain
-- bytes of a limited number; another value would be refused for ever.
local epoch = redis.call('GET', KEYS[5])
if not string.match(epoch or '', '^[%w-]+$') or #epoch > tonumber(ARGV[6]) then
	epoch = time[1] .. string.format('%06d', time[2])
	redis.call('SET', KEYS[5], epoch)
end

local pointer = redis.call('HMGET', KEYS[1], 'bucket', 'epoch')
if tonumber(pointer[1] or '') == bucket and pointer[2] == epoch then
	return {'fresh', bucket, now, epoch}
end

-- An opening more than 10 minutes ahead comes from a clock that has since gone back: not believed.
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

-- One lock for all buckets of the group: a slow fetch also holds off the next bucket, so calls never pile up. One that would last longer
-- than a lease is a stranger's, or from a clock that has since gone back: taken over, which costs one call at most.
local left = redis.call('PTTL', KEYS[2])
if left >= 0 and left <= lease then
	return {'busy', bucket, now, epoch, left}
end

-- Redis looks for each command whether the user may give it, when it comes to it. Who may not give all that a refresh writes with must not
-- begin one: it would call the daemon for nothing, or stop in the middle. So each is tried before anything has changed, first those that do
-- nothing where there is no key. The history is not among them: without it the data are there all the same.
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
