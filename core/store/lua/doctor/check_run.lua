#!lua flags=allow-oom
-- check_run: a page of what an owner runs: has each lease its form, and its job a body and no other owner?
-- KIND: moves
-- KEYS: prefix
-- ARGV: owner cursor count fix
-- RETURNS: {next cursor, looked at, {finding*}, {jid*} suspect, {jid*} all, when nobody knows the owner}
local P, owner, fix = KEYS[1], ARGV[1], ARGV[4] == '1'
--@include places
--@include type_of
--@include lanes
--@include first
--@include report
--@include running
local run = P .. 'run:' .. owner
local page = redis.call('HSCAN', run, ARGV[2], 'COUNT', ARGV[3])
local rows, suspect, hidden = page[2], {}, {}
local good, holders = {}, {}
local known = redis.call('HEXISTS', P .. 'own', owner) == 1
for i = 1, #rows, 2 do
    local jid, held = rows[i], rows[i + 1]
    if not known then hidden[#hidden + 1] = jid end
    if not is_live(jid) then
        report('no_body', jid, 'run:' .. owner)
        if fix then redis.call('HDEL', run, jid) end
    elseif not string.find(held, '^%S+ %d+$') then
        -- Nobody can end such an attempt.
        report('bad_lease', jid, 'run:' .. owner)
        if fix then
            local header = header_of(redis.call('HGET', P .. 'j', jid))
            redis.call('HDEL', run, jid)
            put_first(header, jid)
        end
    else
        good[#good + 1] = jid
    end
end
note_running(good, function(jid)
    holders[jid] = (holders[jid] or 0) + 1
    if holders[jid] == 2 then suspect[#suspect + 1] = jid end
end)
return {page[1], #rows / 2, found, suspect, hidden}
