#!lua flags=allow-oom
-- check_list: a page of a list, or of those passed over there, from its newest end on: has each entry a
-- body that belongs here, and no other place? It looks at 256 KiB of bodies at most.
-- KIND: moves
-- KEYS: prefix
-- ARGV: header start count fix passed 0/1
-- RETURNS: {entries there, looked at, {finding*}, {jid*} suspect, {jid*} all}
local P, header, fix = KEYS[1], ARGV[1], ARGV[4] == '1'
--@include places
--@include type_of
--@include lanes
--@include report
--@include running
--@include census
local start, passed = tonumber(ARGV[2]), ARGV[5] == '1'
local key = passed and passed_key(header) or list_key(header)
local page = redis.call(passed and 'ZREVRANGE' or 'LRANGE', key, start, start + tonumber(ARGV[3]) - 1)
local there, bytes, looked = redis.call(passed and 'ZCARD' or 'LLEN', key), 0, 0
local ids, headers, suspect = {}, {}, {}

local function check_lane(jid, type)
    local place = redis.call('ZSCORE', key, jid)
    if redis.call('ZSCORE', lane_key(header, type), jid) == place then return end
    report('misfiled', jid, string.sub(key, #P + 1))
    if fix then redis.call('ZADD', lane_key(header, type), place, jid) end
end

for _, jid in ipairs(page) do
    if bytes > 262144 then break end
    looked = looked + 1
    local envelope = redis.call('HGET', P .. 'j', jid)
    if envelope then
        bytes = bytes + #envelope
        ids[#ids + 1], headers[#headers + 1] = jid, header_of(envelope)
        local queue_is = string.sub(headers[#headers], 2) == string.sub(header, 2)
        -- A tombstone is only to be in its queue.
        local loose = string.byte(envelope) == 120
        if not queue_is or not (loose or headers[#headers] == header) then
            suspect[#suspect + 1] = jid
        elseif passed then
            check_lane(jid, type_of(envelope))
        end
    else
        report('no_body', jid, string.sub(key, #P + 1))
        if fix and passed then leave_lanes(header, {jid}, {false}) end
        if fix and not passed then redis.call('LREM', key, 0, jid) end
    end
end
for i, places in ipairs(census(ids, headers)) do
    if #places > 0 then suspect[#suspect + 1] = ids[i] end
end
return {there, looked, found, suspect, ids}
