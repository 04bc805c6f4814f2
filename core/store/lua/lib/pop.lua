-- Takes jobs out of lists. Declared before: wanted, how many there may be in all; jids, envelopes, what
-- was taken; idle, what was met and not taken; types, a set of those to be taken, and its order; or nil.

-- Adds what can run to jids and envelopes. The last of a list's entries go back when enough is taken.
local function sort_out(ids, found, header)
    local dead, over, of, bytes = {}, {}, {}, 0
    for i = 1, #ids do
        if #jids == wanted then
            local back = {}
            for at = #ids, i, -1 do back[#back + 1] = ids[at] end
            redis.call('RPUSH', list_key(header), unpack(back))
            break
        end
        local envelope = found[i]
        local type = types and envelope and type_of(envelope) or ''
        -- A tombstone has nothing behind its queue's name; what has is a damaged job, found out later.
        if envelope and string.byte(envelope) == 120
            and #envelope == 3 + (string.byte(envelope, 3) or 0) then
            dead[#dead + 1] = ids[i]
        elseif envelope and type ~= '' and not types[type] then
            over[#over + 1], of[#of + 1], bytes = ids[i], type, bytes + #envelope
        elseif envelope then
            jids[#jids + 1], envelopes[#envelopes + 1] = ids[i], envelope
        end
    end
    if #dead > 0 then
        redis.call('HDEL', P .. 'j', unpack(dead))
        redis.call('HINCRBY', P .. 'tomb', string.sub(header, 2), -#dead)
    end
    if #over > 0 then pass_over(header, over, of) end
    idle = idle + #dead + #over + math.floor(bytes / 4096)
    return bytes
end

local function pop_passed(header)
    while #jids < wanted do
        local ids, found, more = nil, nil, false
        if types then
            ids, more = next_of_lanes(header, wanted - #jids)
        else
            ids = redis.call('ZRANGE', passed_key(header), 0, wanted - #jids - 1)
        end
        if #ids == 0 then return end
        ids, found = leave_lanes(header, ids, redis.call('HMGET', P .. 'j', unpack(ids)))
        sort_out(ids, found, header)
        if not more then return end
        -- What is behind them in the lanes comes before all that is in the list: not in this call.
        if #order > 50 then wanted = #jids end
    end
end

local function pop(header)
    local list, page = list_key(header), 1
    while #jids < wanted and idle < 1000 do
        local ids = redis.call('RPOP', list, math.max(wanted - #jids, page))
        if not ids then return end
        local found = redis.call('HMGET', P .. 'j', unpack(ids))
        local plain = not types and #jids == 0
                      and (redis.call('HGET', P .. 'tomb', string.sub(header, 2)) or '0') == '0'
        for i = 1, #ids do plain = plain and found[i] end
        if plain then
            jids, envelopes = ids, found
        else
            -- Where many are of other types few of the caller's are expected.
            local small = sort_out(ids, found, header) < 65536
            page = types and small and math.min(4 * page, 250) or 1
        end
    end
end

-- From all lists of a queue, those passed over first.
local function pop_queue(queue, flag)
    if flag == '' then return pop('5' .. queue) end
    for priority = 57, 49, -1 do
        local header = string.char(priority) .. queue
        if string.find(flag, string.char(priority + 16), 1, true) then pop_passed(header) end
        if priority == 53 or string.find(flag, string.char(priority), 1, true) then pop(header) end
    end
end
