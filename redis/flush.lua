#!lua
-- Declares everything cached so far out of date; every host notices with its next request. Nothing is deleted: the old data are shown,
-- marked as old, until new data arrive. A refresh in flight is refused at its commit. Budget and breaker stay, so flushing cannot exceed
-- the upstream's limit. Limited to one flush in 5 s over all hosts.
-- Answers {'ok', epoch} or {'limited', wait_ms}.
--
--   redis-cli --eval redis/flush.lua                     all groups
--   redis-cli --eval redis/flush.lua , fleet             one group: fleet, status, scenario, alerts or alertmanager
--   redis-cli --eval redis/flush.lua , all fleet-b       with another key prefix than tft
--
-- KEYS none    ARGV 1 group or all (optional) 2 prefix (optional)
local groups = {'fleet', 'status', 'scenario', 'alerts', 'alertmanager'}
local wanted, prefix = ARGV[1] or 'all', ARGV[2] or 'tft'
if not string.match(prefix, '^[a-z0-9-]+$') then
	return redis.error_reply('ERR prefix must be of a-z, 0-9 and -')
end
if wanted ~= 'all' then
	local known = false
	for _, group in ipairs(groups) do
		known = known or group == wanted
	end
	if not known then
		return redis.error_reply('ERR group must be all, fleet, status, scenario, alerts or alertmanager')
	end
	groups = {wanted}
end

-- A gate that would stay shut for longer was written by another program, or before the clock was set back.
local gate = prefix .. ':gate:flush'
local left = redis.call('PTTL', gate)
if left >= 0 and left <= 5000 then
	return {'limited', left}
end
redis.call('SET', gate, '1', 'PX', 5000)
local time = redis.call('TIME')
local epoch = time[1] .. string.format('%06d', time[2])
for _, group in ipairs(groups) do
	redis.call('SET', prefix .. ':epoch:' .. group, epoch)
end
return {'ok', epoch}
