-- Callbacks of batches, and what there is to tell those who wait. `now` is the caller's wall clock in ms.
local ready = {}  -- queues where something can be fetched from now on; "": the schedule has more

local function tell(queue)
    ready[#ready + 1] = queue
    redis.call('PUBLISH', P .. 'hint', queue)
end

-- Enqueues the callback `kind`. Returns "1", or "-" when there is none.
local function fire(bid, key, kind, tie)
    local c = redis.call('HMGET', key, kind .. '_jid', kind .. '_header', kind .. '_job',
                         kind .. '_tie', kind .. '_due')
    local jid, header = c[1], c[2]
    if jid == '' then return '-' end
    local envelope = c[3]
    -- Its jid may be another job's by now; it must run all the same, with the checksum of its name.
    if redis.call('HEXISTS', P .. 'j', jid) == 1 then
        jid = bid .. '-' .. kind
        local sum, at = redis.call('HGET', key, kind .. '_sum'), 3 + string.byte(envelope, 3)
        if sum then envelope = string.sub(envelope, 1, at) .. sum .. string.sub(envelope, at + 5) end
    end
    local later = tonumber(c[5]) > tonumber(now)
    redis.call('HSET', P .. 'j', jid, later and envelope or with_record(envelope))
    redis.call('HSET', P .. 'tie', jid, tie .. bid .. c[4])
    redis.call('HINCRBY', key, 'live', 1)
    redis.call('HINCRBY', P .. 'stat', 'enqueued', 1)
    if later then
        redis.call('ZADD', P .. 'scheduled', c[5], header .. ' ' .. jid)
        tell('')
    else
        redis.call('HSET', P .. 'm', jid, '{"attempts":0,"ready":' .. now .. '}')
        know_queue(header)
        redis.call('LPUSH', list_key(header), jid)
        tell(string.sub(header, 2))
    end
    return '1'
end
