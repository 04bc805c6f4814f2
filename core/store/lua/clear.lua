#!lua flags=allow-oom
-- clear: remove ready jobs of a queue, oldest first; an emptied queue can be forgotten.
-- KEYS: prefix
-- ARGV: queue limit forget now
-- RETURNS: {removed, tombstones met, {queue to look at}*}
local P, now = KEYS[1], ARGV[4]
--@include places
--@include locks
--@include callbacks
--@include batches
--@include ties
local queue, left = ARGV[1], tonumber(ARGV[2])
local flags = redis.call('HGET', P .. 'queues', queue)
if not flags then return {0, 0} end
local removed, buried = {}, 0
for class in string.gmatch('5' .. flags, '[^P]') do
    if left > 0 then
        local ids = redis.call('RPOP', list_key(class .. queue), left) or {}
        for _, jid in ipairs(ids) do
            local envelope = redis.call('HGET', P .. 'j', jid)
            if envelope and string.byte(envelope) == 120 then
                buried = buried + 1
            else
                removed[#removed + 1] = jid
            end
        end
        if #ids > 0 then
            redis.call('HDEL', P .. 'j', unpack(ids))
            redis.call('HDEL', P .. 'm', unpack(ids))
        end
        left = left - #ids
    end
    -- Cancelled ones that would be next go along: a job of their jid shall not get their place.
    local key, met = list_key(class .. queue), 0
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
if buried > 0 then redis.call('HINCRBY', P .. 'tomb', queue, -buried) end
if ARGV[3] == '1' and left > 0 then
    redis.call('HDEL', P .. 'queues', queue)
    redis.call('HDEL', P .. 'tomb', queue)
end
settle(removed, 'gone')
return with_ready({#removed, buried})
