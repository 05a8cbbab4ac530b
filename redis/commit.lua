#!lua
-- Publishes all staged entries of a bucket in one step, moves the pointer, adds the history point and releases the lock.
-- Answers {'ok', previous_bucket, history [, why]} with history = hist-new, hist-dup, hist-ahead (the newest point is of the future, and is
-- the fourth member), hist-none or hist-failed; or removes the staged entries and answers:
--   lost     another worker holds the lock: this refresh was too slow
--   flushed  the cache was flushed after the claim: these data are older than the flush
--   old      the lock has expired, and this bucket or a newer one is already published
--   missing  a staged entry has expired
--   foreign  the cache has passed to another fleet, whose fingerprint follows
-- KEYS 1 pointer 2 lock 3 breaker 4 epoch 5 history 6 its complete hours 7 risk of each server 8 fleet of the history 9 moments 10 thinned
-- moments, kept for longer 11 forecasts 12 incidents 13 scores of forecasts 14 hours of the risks 15 counts of warnings 16 their outcomes
-- 17 what the next step of the warnings continues from, then n staged, then n final keys
-- ARGV pairs of a name and a value: entries (n), lock (token|bucket|epoch), bucket, epoch, gen (ms), snap (id), interval (ms),
--      ttl (ms, of the entries), old_ttl (ms, of the previous bucket's entries), fill (ms that refreshes take), record (of the history),
--      points (length of the history, 0: no point), names (of the servers), risks (in the same order), kept (ms, how long risks are kept),
--      bytes (of Redis' memory for risks), upstream (fingerprint of the caller's fleet), moment (record of the whole fleet), beside (the same, beside the one of
--      beside_ms), forecasts (record),
--      full_kept, thin_kept (ms), window (ms; one moment per window is kept for longer), seen (ms, time of the moment that the
--      caller continued from, 0: there was none), open (record of the incidents that are open now), closed (a line for each that has
--      ended), ended (how many of these are kept), accuracy (record of the hour's scores, empty: none are new), scored (ms, how long they
--      are kept), warnings (record of the hour's counts, empty: none are new; kept as long), told (a line for each outcome), outcomes (how
--      many of these are kept), watch (record)
local arg = {}
for i = 1, #ARGV, 2 do
	arg[ARGV[i]] = ARGV[i + 1]
end
local n, bucket, interval = tonumber(arg.entries), tonumber(arg.bucket), tonumber(arg.interval)
local first = #KEYS - 2 * n + 1
local last_staged = first + n - 1
local mine = arg.lock
local lock = redis.call('GET', KEYS[2])

local function refuse(why, whose)
	for i = first, last_staged do
		redis.call('UNLINK', KEYS[i])
	end
	if lock == mine then
		redis.call('DEL', KEYS[2])
	end
	return {why, whose}
end

redis.call('SET', KEYS[8], arg.upstream, 'NX')
local owner = redis.call('GET', KEYS[8])
if owner ~= arg.upstream then
	return refuse('foreign', owner)
end
if lock and lock ~= mine then
	return refuse('lost')
end
if redis.call('GET', KEYS[4]) ~= arg.epoch then
	return refuse('flushed')
end
-- A pointer to a future bucket comes from a clock that has since been set back. It counts as absent, like one that is not a number.
local present = math.floor(redis.call('TIME')[1] * 1000 / interval)
local current = tonumber(redis.call('HGET', KEYS[1], 'bucket') or '') or -1
if not (current <= present) then
	current = -1
end
if not lock and current >= bucket then
	return refuse('old')
end
for i = first, last_staged do
	if redis.call('EXISTS', KEYS[i]) == 0 then
		return refuse('missing')
	end
end

-- If the user loses a permission, the script stops half-way and its earlier writes stay. So the pointer is written last: until it moves, no
-- reader uses the new bucket. An entry that replaces one of the same bucket belongs to another snapshot, which is a miss.
for i = first, last_staged do
	redis.call('PEXPIRE', KEYS[i], arg.ttl)
	redis.call('RENAME', KEYS[i], KEYS[i + n])
end
-- Only the lock's owner closes the breaker: a late commit of an older bucket must not close a breaker that a newer failure opened.
if lock then
	redis.call('DEL', KEYS[2], KEYS[3])
end
redis.call('HSET', KEYS[1], 'bucket', arg.bucket, 'epoch', arg.epoch, 'gen', arg.gen, 'snap', arg.snap,
	'fill', arg.fill, 'upstream', arg.upstream)
-- From here on only the history needs commands that were not used above.
if current >= 0 and current ~= bucket then
	for i = first + n, #KEYS do
		redis.call('PEXPIRE', (string.gsub(KEYS[i], '%d+$', string.format('%.0f', current))), arg.old_ttl)
	end
end

if arg.points == '0' then
	return {'ok', current, 'hist-none'}
end

local hour = 3600000
local now = bucket * interval

local function id_of(ms)
	return string.format('%.0f-0', math.max(ms, 0))
end

local function ms_of(id)
	return tonumber(string.match(id, '^%d+'))
end

local function hour_of(id)
	return math.floor(ms_of(id) / hour) * hour
end

local function newest(key)
	return redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1]
end

-- A week has 20,160 points. Stored as hours, it can be read in a tenth of the time. The first point after an hour closes that hour.
local function close_hour(start, oldest)
	local lines = {}
	for i, entry in ipairs(redis.call('XRANGE', KEYS[5], id_of(start), id_of(start + hour - 1))) do
		lines[i] = string.match(entry[1], '^%d+') .. ' ' .. entry[2][2]
	end
	redis.call('XADD', KEYS[6], 'MINID', '=', oldest, id_of(start), 'd', table.concat(lines, '\n'))
end

-- What a stream may keep from: kept (ms), or less where it would exceed `limit` bytes of memory: in a fleet that changes all the time, every
-- entry carries the names, which are far larger than the risks. If MEMORY USAGE is refused, assume that every entry does. Also answers the
-- size.
local function oldest_within(key, kept, limit)
	limit = tonumber(limit)
	local oldest = now - kept
	local first = redis.call('XRANGE', key, '-', '+', 'COUNT', 1)[1]
	local used = redis.pcall('MEMORY', 'USAGE', key, 'SAMPLES', 0)
	if type(used) == 'table' then
		return math.max(oldest, now - math.floor(limit / (#arg.names + #arg.risks)) * interval), limit
	end
	if not first or used <= limit then
		return oldest, used or 0
	end
	local span = now - ms_of(first[1])
	return math.max(oldest, now - math.floor(span * limit / used)), used
end

-- The first hour that is over and whose risks are not closed yet; nil: there is none. After an hour this is the last one. A history that an
-- older version wrote is closed hour by hour, one in each commit.
local function hour_to_close()
	local closed = newest(KEYS[14])
	local from = closed and id_of(hour_of(closed[1]) + hour) or '-'
	local first = redis.call('XRANGE', KEYS[7], from, '+', 'COUNT', 1)[1]
	if first and hour_of(first[1]) < hour_of(id_of(now)) then
		return hour_of(first[1])
	end
end

-- The risks of an hour become one entry for each list of names in it: '<start>-<number>', with a line '<ms> <risks>' for each bucket. What
-- has come before its names cannot be read, and is left out. The hour itself always stays, as it tells what is closed.
local function close_risks(start, oldest)
	oldest = id_of(math.min(start, oldest))
	local s, names, lines, n = nil, nil, {}, 0
	local function close()
		if names then
			redis.call('XADD', KEYS[14], 'MINID', '~', oldest, string.format('%.0f-%d', start, n), 's', s, 'r', table.concat(lines, '\n'), 'n', names)
			n = n + 1
		end
	end
	for _, entry in ipairs(redis.call('XRANGE', KEYS[7], id_of(start), id_of(start + hour - 1))) do
		local fields = entry[2]
		if fields[2] ~= s then
			close()
			s, names, lines = fields[2], fields[6], {}
		end
		lines[#lines + 1] = string.match(entry[1], '^%d+') .. ' ' .. (fields[4] or '')
	end
	close()
end

-- The names rarely change. An entry carries them only when they have changed, and once an hour, so that an hour is closed from its own
-- entries. The entries of the last two hours stay; older ones may take all of the memory as long as they are not closed.
local function keep_servers()
	local digest = string.sub(redis.sha1hex(arg.names), 1, 8)
	local last, open, last_hour = newest(KEYS[7]), hour_to_close(), hour_of(id_of(now)) - hour
	local behind = open and open < last_hour
	local oldest, used = oldest_within(KEYS[7], now - (behind and open or last_hour), behind and arg.bytes or arg.bytes / 4)
	if last and last[2][2] == digest and hour_of(last[1]) == hour_of(id_of(now)) then
		redis.call('XADD', KEYS[7], 'MINID', '~', id_of(oldest), id_of(now), 's', digest, 'r', arg.risks)
	else
		redis.call('XADD', KEYS[7], 'MINID', '~', id_of(oldest), id_of(now), 's', digest, 'r', arg.risks, 'n', arg.names)
	end
	if open then
		close_risks(open, (oldest_within(KEYS[14], tonumber(arg.kept), arg.bytes - 2 * math.min(used, arg.bytes / 4))))
	end
end

-- Trims at most a hundred entries at a time: after a fleet has grown, many expire at once.
local function keep(key, kept, ...)
	redis.call('XADD', key, 'MINID', '~', id_of(now - tonumber(kept)), 'LIMIT', 100, id_of(now), ...)
end

-- The first moment of each window is kept for longer, along with the forecasts made then; of itself in KEYS[9] only that it was is kept. The
-- others of the window are kept beside it, unless the caller has not seen it.
local function keep_moment(open)
	local window = tonumber(arg.window)
	local last = newest(KEYS[10])
	if not last or math.floor(ms_of(last[1]) / window) < math.floor(now / window) then
		keep(KEYS[10], arg.thin_kept, 't', arg.moment, 'o', open)
		keep(KEYS[9], arg.full_kept, 'm', '', 'o', open)
		keep(KEYS[11], arg.full_kept, 'f', arg.forecasts)
	elseif string.match(last[1], '^%d+') == arg.beside_ms then
		keep(KEYS[9], arg.full_kept, 'm', arg.beside, 'o', open)
	else
		keep(KEYS[9], arg.full_kept, 'm', arg.moment, 'o', open)
	end
end

-- Each line is an entry of its own, so that a limit in number also limits the memory.
local function keep_lines(key, kept, field, lines)
	local n = 0
	for line in string.gmatch(lines, '[^\n]+') do
		redis.call('XADD', key, 'MAXLEN', '~', kept, 'LIMIT', 100, string.format('%.0f-%d', now, n), field, line)
		n = n + 1
	end
end

-- An hour's record contains the one before it, which can go. Two older ones stay for readers that still show an older snapshot.
local function keep_hour(key, field, record)
	if record == '' then
		return
	end
	local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 3)
	keep(key, arg.scored, field, record)
	if last[3] and hour_of(last[3][1]) == hour_of(last[2][1]) then
		redis.call('XDEL', key, last[3][1])
	end
end

-- The caller has taken a step from the moment that it has seen. If another one is the last, its result does not count: what was open stays
-- open for the next commit, and nothing is scored or settled.
local function keep_step()
	local last = newest(KEYS[9])
	if arg.seen ~= (last and string.match(last[1], '^%d+') or '0') then
		return keep_moment(last and last[2][4] or '')
	end
	keep_moment(arg.open)
	keep_lines(KEYS[12], arg.ended, 'i', arg.closed)
	keep_hour(KEYS[13], 'a', arg.accuracy)
	keep_hour(KEYS[15], 'w', arg.warnings)
	keep_lines(KEYS[16], arg.outcomes, 'l', arg.told)
	redis.call('XADD', KEYS[17], 'MAXLEN', '=', 1, id_of(now), 's', arg.watch)
end

-- The id is the bucket's time, so Redis itself refuses a second point for the same bucket, with all that belongs to it. There is at most one
-- point per interval, so a limit in time is also a limit in number. Answers the parts that are to be kept with it.
local function keep_point()
	local last, parts = newest(KEYS[5]), {}
	local kept = math.min(168 * hour, tonumber(arg.points) * interval)
	redis.call('XADD', KEYS[5], 'MINID', '~', id_of(now - kept), id_of(now), 'd', arg.record)
	if last and hour_of(last[1]) < hour_of(id_of(now)) then
		parts[#parts + 1] = function()
			close_hour(hour_of(last[1]), id_of(hour_of(id_of(now - kept * 31 / 7))))
		end
	end
	if arg.risks ~= '' then
		parts[#parts + 1] = keep_servers
	end
	if arg.moment ~= '' then
		parts[#parts + 1] = keep_step
	end
	return parts
end

-- A part that fails, for instance at a key of another type, costs the others nothing. The first failure is told.
local function keep_history()
	local failed
	for _, part in ipairs(keep_point()) do
		local ok, why = pcall(part)
		failed = failed or not ok and {why}
	end
	if failed then
		error(failed[1], 0)
	end
end

-- The new data are published even if writing the history fails.
local kept, why = pcall(keep_history)
if kept then
	return {'ok', current, 'hist-new'}
end
why = type(why) == 'table' and why.err or tostring(why)
if string.find(why, 'equal or smaller', 1, true) then
	local last = newest(KEYS[5])
	if last and ms_of(last[1]) > now then
		return {'ok', current, 'hist-ahead', string.match(last[1], '^%d+')}
	end
	return {'ok', current, 'hist-dup'}
end
return {'ok', current, 'hist-failed', why}
