-- Takes jobs out of lists. Declared before: wanted, how many there may be in all; jids, envelopes, what
-- was taken; buried, tombstones met.

-- Moves what can run from ids and found to the end of jids and envelopes.
local function sort_out(ids, found, queue)
    local at, dead = #jids, {}
    for i = 1, #ids do
        local envelope = found[i]
        -- A tombstone has nothing behind its queue's name; what has is a damaged job, found out later.
        if envelope and string.byte(envelope) == 120
            and #envelope == 3 + (string.byte(envelope, 3) or 0) then
            dead[#dead + 1] = ids[i]
        elseif envelope then
            at = at + 1
            jids[at], envelopes[at] = ids[i], envelope
        end
    end
    if #dead > 0 then
        buried = buried + #dead
        redis.call('HDEL', P .. 'j', unpack(dead))
        redis.call('HINCRBY', P .. 'tomb', queue, -#dead)
    end
end

local function pop(list, queue)
    while #jids < wanted and buried < 1000 do
        local ids = redis.call('RPOP', list, wanted - #jids)
        if not ids then return end
        local found = redis.call('HMGET', P .. 'j', unpack(ids))
        local plain = #jids == 0 and (redis.call('HGET', P .. 'tomb', queue) or '0') == '0'
        for i = 1, #ids do plain = plain and found[i] end
        if plain then
            jids, envelopes = ids, found
        else
            sort_out(ids, found, queue)
        end
    end
end

-- From all lists of a queue: its priorities, then the parking classes in `also`.
local function pop_queue(queue, flag, also)
    if flag == '' then return pop(P .. 'q:' .. queue, queue) end
    for priority = 57, 49, -1 do
        if priority == 53 then
            pop(P .. 'q:' .. queue, queue)
        elseif string.find(flag, string.char(priority), 1, true) then
            pop(P .. 'q:' .. queue .. ':' .. string.char(priority), queue)
        end
    end
    for class in string.gmatch(also, '.') do
        if string.find(flag, class, 1, true) then pop(P .. 'q:' .. queue .. ':' .. class, queue) end
    end
end

-- Leases all that was taken to the owner; returns the script's answer.
local function lease_all(owner, token, started_ms)
    if #jids == 0 then return {buried >= 1000 and 1 or 0, {}, {}} end
    local leases, held = {}, token .. ' ' .. started_ms
    for i = 1, #jids do leases[2 * i - 1], leases[2 * i] = jids[i], held end
    redis.call('HSET', P .. 'run:' .. owner, unpack(leases))
    redis.call('HSETNX', P .. 'own', owner, 0)
    start(jids)
    local out = {0, jids, envelopes}
    if redis.call('EXISTS', P .. 'm') == 1 then
        for i = 1, #jids do
            if string.find(envelopes[i], '^[rm!]') then
                out[#out + 1] = i
                out[#out + 1] = redis.call('HGET', P .. 'm', jids[i]) or ''
            end
        end
    end
    return out
end
