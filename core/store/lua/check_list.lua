#!lua flags=allow-oom
-- check_list: a page of a list from its newest end on: has each entry a body that belongs here, and no
-- other place? It looks at 256 KiB of bodies at most.
-- KEYS: prefix
-- ARGV: header start count fix
-- RETURNS: {entries there, looked at, {finding*}, {jid*} suspect, {jid*} all}
local P, header, fix = KEYS[1], ARGV[1], ARGV[4] == '1'
--@include places
--@include report
--@include census
local key, start = list_key(header), tonumber(ARGV[2])
local page = redis.call('LRANGE', key, start, start + tonumber(ARGV[3]) - 1)
local there, bytes, looked = redis.call('LLEN', key), 0, 0
local ids, headers, suspect = {}, {}, {}
local parked = string.find(header, '^%l') ~= nil

for _, jid in ipairs(page) do
    if bytes > 262144 then break end
    looked = looked + 1
    local envelope = redis.call('HGET', P .. 'j', jid)
    if envelope then
        bytes = bytes + #envelope
        ids[#ids + 1], headers[#headers + 1] = jid, header_of(envelope)
        local queue_is = string.sub(headers[#headers], 2) == string.sub(header, 2)
        -- A tombstone is only to be in its queue.
        local loose = parked or string.byte(envelope) == 120
        if not queue_is or not (loose or headers[#headers] == header) then
            suspect[#suspect + 1] = jid
        end
    else
        report('no_body', jid, 'q:' .. string.sub(key, #P + 3))
        if fix then redis.call('LREM', key, 0, jid) end
    end
end
for i, places in ipairs(census(ids, headers)) do
    if #places > 0 then suspect[#suspect + 1] = ids[i] end
end
return {there, looked, found, suspect, ids}
