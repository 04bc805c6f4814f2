#!lua flags=allow-oom
-- promote: scheduled and retrying jobs that are due become ready, oldest first.
-- KIND: moves
-- KEYS: prefix
-- ARGV: now_ms limit hint
-- RETURNS: {next due ms or "", more 0/1, [queue, count]*}
local P = KEYS[1]
--@include places
--@include type_of
--@include hints
--@include failed
local limit, out, due = tonumber(ARGV[2]), {'', 0}, {}
for _, set in ipairs({'scheduled', 'retrying'}) do
    local rows = redis.call('ZRANGEBYSCORE', P .. set, '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0,
                            limit)
    for i = 1, #rows, 2 do
        local space = string.find(rows[i], ' ', 1, true)
        due[#due + 1] = {at = tonumber(rows[i + 1]), set = set, member = rows[i],
                         header = string.sub(rows[i], 1, space - 1),
                         jid = string.sub(rows[i], space + 1)}
    end
end
table.sort(due, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.member < b.member
end)

local lists, gone, headers, left = {}, {scheduled = {}, retrying = {}}, {}, {}
for i = 1, math.min(#due, limit) do
    local job = due[i]
    local list = lists[job.header]
    if not list then
        list = {}
        lists[job.header] = list
        headers[#headers + 1] = job.header
    end
    list[#list + 1] = job.jid
    left[i] = job.jid
    table.insert(gone[job.set], job.member)
end
for _, header in ipairs(headers) do
    know_queue(header)
    redis.call('LPUSH', list_key(header), unpack(lists[header]))
    out[#out + 1] = string.sub(header, 2)
    out[#out + 1] = #lists[header]
    if ARGV[3] == '1' then hint_types({[header] = {[''] = #lists[header]}}) end
end
forget_failed(left)
local soonest = nil
for set, members in pairs(gone) do
    if #members > 0 then redis.call('ZREM', P .. set, unpack(members)) end
    local next = redis.call('ZRANGE', P .. set, 0, 0, 'WITHSCORES')
    if next[2] and (not soonest or tonumber(next[2]) < soonest) then soonest = tonumber(next[2]) end
end
if soonest then
    out[1] = string.format('%.0f', soonest)
    if soonest <= tonumber(ARGV[1]) then out[2] = 1 end
end
return out
