-- The next jobs of the wanted types, at most `most`, by their places; and whether there may be more.
local function next_of_lanes(header, most)
    local rows, last = {}, nil
    local page = math.min(most, math.ceil(2000 / #order))
    for _, type in ipairs(order) do
        local lane = redis.call('ZRANGE', lane_key(header, type), 0, page - 1, 'WITHSCORES')
        for i = 1, #lane, 2 do rows[#rows + 1] = {lane[i], tonumber(lane[i + 1])} end
        local place = #lane == 2 * page and tonumber(lane[#lane])
        if place and (not last or place < last) then last = place end
    end
    table.sort(rows, function(a, b) return a[2] < b[2] end)
    local ids = {}
    for _, row in ipairs(rows) do
        if #ids == most or last and row[2] > last then break end
        ids[#ids + 1] = row[1]
    end
    return ids, last ~= nil
end
