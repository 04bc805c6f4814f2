#!lua flags=allow-oom
-- clear: remove ready jobs of a queue, oldest first; an emptied queue can be forgotten.
-- KIND: moves
-- KEYS: prefix
-- ARGV: queue limit forget now
-- RETURNS: {removed, tombstones met, {queue to look at}*}
local P, now = KEYS[1], ARGV[4]
--@include places
--@include type_of
--@include lanes
--@include locks
--@include callbacks
--@include batches
--@include ties
local queue, left = ARGV[1], tonumber(ARGV[2])
local flags = redis.call('HGET', P .. 'queues', queue)
if not flags then return {0, 0} end
local removed, buried = {}, 0

local function drop(ids)
    if #ids == 0 then return end
    left = left - #ids
    for i, envelope in ipairs(redis.call('HMGET', P .. 'j', unpack(ids))) do
        if envelope and string.byte(envelope) == 120 then
            buried = buried + 1
        else
            removed[#removed + 1] = ids[i]
        end
    end
    redis.call('HDEL', P .. 'j', unpack(ids))
    redis.call('HDEL', P .. 'm', unpack(ids))
end

for class in string.gmatch('5' .. flags, '%d') do
    local header = class .. queue
    local key, met = list_key(header), 0
    if left > 0 and string.find(flags, string.char(string.byte(class) + 16), 1, true) then
        local ids = redis.call('ZRANGE', passed_key(header), 0, left - 1)
        if #ids > 0 then leave_lanes(header, ids, redis.call('HMGET', P .. 'j', unpack(ids))) end
        drop(ids)
    end
    if left > 0 then drop(redis.call('RPOP', key, left) or {}) end
    -- Cancelled ones that would be next go along: a job of their jid shall not get their place.
    local next_one = redis.call('LINDEX', key, -1)
    while next_one and met < 1000 do
        local envelope = redis.call('HGET', P .. 'j', next_one)
        if not envelope or string.byte(envelope) ~= 120 then break end
        redis.call('RPOP', key)
        redis.call('HDEL', P .. 'j', next_one)
        met, next_one = met + 1, redis.call('LINDEX', key, -1)
    end
    buried = buried + met
end
if #removed > 0 then redis.call('HINCRBY', P .. 'stat', 'removed', #removed) end
if buried > 0 then
    redis.call('HINCRBY', P .. 'tomb', queue, -buried)
    redis.call('HINCRBY', P .. 'stat', 'tombs', -buried)
end
if ARGV[3] == '1' and left > 0 then
    redis.call('HDEL', P .. 'queues', queue)
    redis.call('ZREM', P .. 'names', queue)
    redis.call('HINCRBY', P .. 'stat', 'tombs', 0 - (redis.call('HGET', P .. 'tomb', queue) or 0))
    redis.call('HDEL', P .. 'tomb', queue)
end
settle(removed, 'gone')
return with_ready({#removed, buried})
