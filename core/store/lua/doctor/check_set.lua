#!lua flags=allow-oom
-- check_set: a page of scheduled, retrying or dead: has each member a body of that header, and no other
-- place but a list?
-- KIND: moves
-- KEYS: prefix
-- ARGV: set cursor count fix
-- RETURNS: {next cursor, looked at, bytes, {finding*}, {[jid, member]*} suspect}
local P, set, fix = KEYS[1], ARGV[1], ARGV[4] == '1'
--@include places
--@include report
--@include running
--@include census
--@include failed
local counted = set ~= 'scheduled' and redis.call('HEXISTS', P .. 'stat', 'counted') == 1
local page = redis.call('ZSCAN', P .. set, ARGV[2], 'COUNT', ARGV[3])
local rows, ids, headers, members, suspect, bytes = page[2], {}, {}, {}, {}, 0
for i = 1, #rows, 2 do
    local member = rows[i]
    local space = string.find(member, ' ', 1, true)
    local jid = space and string.sub(member, space + 1)
    local envelope = jid and redis.call('HGET', P .. 'j', jid)
    if not envelope or string.byte(envelope) == 120 then
        report('no_body', jid or member, set)
        if fix then
            redis.call('ZREM', P .. set, member)
            forget_failed({jid or member})
        end
    else
        bytes = bytes + #envelope
        if counted and redis.call('HEXISTS', P .. 'failed', jid) == 0 then
            report('uncounted', jid, set)
            if fix then redis.call('HDEL', P .. 'stat', 'counted') end
        end
        ids[#ids + 1], headers[#headers + 1], members[#members + 1] = jid, header_of(envelope), member
    end
end
for i, places in ipairs(census(ids, headers)) do
    if #places ~= 1 or places[1] ~= set or members[i] ~= headers[i] .. ' ' .. ids[i] then
        suspect[#suspect + 1] = ids[i]
        suspect[#suspect + 1] = members[i]
    end
end
return {page[1], #rows / 2, bytes, found, suspect}
