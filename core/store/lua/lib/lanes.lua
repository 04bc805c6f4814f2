-- Jobs of a list that fetches of other types have passed over. They stand before all that is in the list:
-- zset passed:<queue>:<p>, jid by place, the next one lowest; and by type zset lane:<queue>:<p>:<type>,
-- with the same places. While there are any the queue's flags hold a letter, "A" for priority 1.
local function passed_key(header)
    return P .. 'passed:' .. string.sub(header, 2) .. ':' .. string.sub(header, 1, 1)
end

local function lane_key(header, type)
    return P .. 'lane:' .. string.sub(header, 2) .. ':' .. string.sub(header, 1, 1) .. ':' .. type
end

local function flag_passed(header, there)
    local queue, letter = string.sub(header, 2), string.char(string.byte(header) + 16)
    local flags = redis.call('HGET', P .. 'queues', queue) or ''
    local is = string.find(flags, letter, 1, true)
    if there and not is then
        redis.call('HSET', P .. 'queues', queue, flags .. letter)
    elseif is and not there then
        redis.call('HSET', P .. 'queues', queue, (string.gsub(flags, letter, '')))
    end
end

-- Puts jobs, whose types are at the same index, behind those passed over before; or in front of all.
local function pass_over(header, ids, types_, in_front)
    local key, end_ = passed_key(header), in_front and 0 or -1
    local place = redis.call('ZRANGE', key, end_, end_, 'WITHSCORES')[2]
    if not place then flag_passed(header, true) end
    local all, lanes = {}, {}
    for i, jid in ipairs(ids) do
        place = (place or 0) + (in_front and -1 or 1)
        local lane = lanes[types_[i]] or {}
        lanes[types_[i]] = lane
        all[2 * i - 1], all[2 * i] = place, jid
        lane[#lane + 1], lane[#lane + 2] = place, jid
    end
    redis.call('ZADD', key, unpack(all))
    for type, lane in pairs(lanes) do redis.call('ZADD', lane_key(header, type), unpack(lane)) end
end

-- Takes jobs out of those passed over; found: their envelopes. Returns both of those that were there.
local function leave_lanes(header, ids, found)
    local key, lanes, there, theirs = passed_key(header), {}, {}, {}
    for i, place in ipairs(redis.call('ZMSCORE', key, unpack(ids))) do
        local type = found[i] and type_of(found[i]) or ''
        local lane = lanes[type] or {}
        lanes[type] = lane
        lane[#lane + 1] = ids[i]
        if place then there[#there + 1], theirs[#theirs + 1] = ids[i], found[i] end
    end
    for type, lane in pairs(lanes) do redis.call('ZREM', lane_key(header, type), unpack(lane)) end
    if #there > 0 then redis.call('ZREM', key, unpack(there)) end
    if redis.call('EXISTS', key) == 0 then flag_passed(header, false) end
    return there, theirs
end
