-- Takes jobs out of lists. Declared before: wanted, how many there may be in all; jids, envelopes, what
-- was taken; idle, what was met and not taken; types, a set of those to be taken, and its order; or nil.

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

-- Are these, mostly, all of one type that is wanted? Then nothing need be sorted out.
local function is_plain(ids, found, header)
    if #jids > 0 or not found[1] then return false end
    if types then
        -- The field of the type stands behind the header and the checksum: are all of them the same?
        local at = #header + 7
        local length = string.byte(found[1], at + 1) or 128
        if length > 127 or not string.find(found[1], '^[:r]') then return false end
        local till = at + 1 + length
        local field = string.sub(found[1], at, till)
        if not types[string.sub(field, 3)] then return false end
        for i = 2, #ids do
            if not found[i] or string.sub(found[i], at, till) ~= field then return false end
        end
        return true
    end
    if (redis.call('HGET', P .. 'tomb', string.sub(header, 2)) or '0') ~= '0' then return false end
    for i = 2, #ids do
        if not found[i] then return false end
    end
    return true
end

local function pop(list, header)
    local page = 1
    while #jids < wanted and idle < 1000 do
        local ids = redis.call('RPOP', list, math.max(wanted - #jids, page))
        if not ids then return end
        local found = redis.call('HMGET', P .. 'j', unpack(ids))
        if #ids <= wanted and is_plain(ids, found, header) then
            jids, envelopes = ids, found
        else
            -- Where many are of other types few of the caller's are expected.
            local small = sort_out(ids, found, header, list) < 65536
            page = types and small and math.min(4 * page, 250) or 1
        end
    end
end

-- From all lists of a queue, those passed over first.
local function pop_queue(queue, flag)
    local list = P .. 'q:' .. queue
    if flag == '' then return pop(list, '5' .. queue) end
    for priority = 57, 49, -1 do
        local digit = string.char(priority)
        if string.find(flag, string.char(priority + 16), 1, true) then pop_passed(digit .. queue) end
        if priority == 53 then
            pop(list, digit .. queue)
        elseif string.find(flag, digit, 1, true) then
            pop(list .. ':' .. digit, digit .. queue)
        end
    end
end
