-- Takes a job that does not run out of its place and forgets its envelope and record. A job in a list
-- leaves a tombstone in its envelope's stead: its list entry stays until it is popped, so a
-- list never needs a search. Returns the state it was in, or false when it is not live.
local function take_waiting(jid)
    local envelope = redis.call('HGET', P .. 'j', jid)
    if not envelope or string.byte(envelope) == 120 then return false end
    local header = header_of(envelope)
    for _, set in ipairs({'scheduled', 'retrying', 'dead'}) do
        if redis.call('ZREM', P .. set, header .. ' ' .. jid) == 1 then
            redis.call('HDEL', P .. 'j', jid)
            redis.call('HDEL', P .. 'm', jid)
            forget_failed({jid})
            return set
        end
    end
    if #leave_lanes(header, {jid}, {envelope}) == 1 then
        redis.call('HDEL', P .. 'j', jid)
        redis.call('HDEL', P .. 'm', jid)
        return 'ready'
    end
    redis.call('HSET', P .. 'j', jid, 'x' .. string.sub(envelope, 2, 3 + string.byte(envelope, 3)))
    redis.call('HDEL', P .. 'm', jid)
    redis.call('HINCRBY', P .. 'tomb', string.sub(header, 2), 1)
    redis.call('HINCRBY', P .. 'stat', 'tombs', 1)
    return 'ready'
end
