#!lua flags=allow-oom
-- check_job: all places of one job: exactly one is right. With fix that is made so; a damaged one is dead.
-- KIND: moves
-- KEYS: prefix
-- ARGV: jid fix now envelope header damaged place score record [set or "list", member or header]*
--       (place, score: where one without a place is put, "ready" or a set; record: of a dead one; then
--       places where it was seen beside those its header names)
-- RETURNS: {finding*}, none when the body is another by now
local P, jid, fix, now = KEYS[1], ARGV[1], ARGV[2] == '1', ARGV[3]
--@include places
--@include type_of
--@include lanes
--@include first
--@include report
--@include entries
--@include locks
--@include callbacks
--@include batches
--@include ties
--@include failed
local header, damaged = ARGV[5], ARGV[6] == '1'
local member = header .. ' ' .. jid
local envelope = redis.call('HGET', P .. 'j', jid)
if not envelope or string.sub(envelope, 2) ~= string.sub(ARGV[4], 2) then return found end

local lists, members = {[header] = true}, {scheduled = {}, retrying = {}, dead = {}}
local flags = redis.call('HGET', P .. 'queues', string.sub(header, 2)) or ''
for class in string.gmatch('5' .. flags, '%d') do lists[class .. string.sub(header, 2)] = true end
for i = 10, #ARGV, 2 do
    if ARGV[i] == 'list' then
        lists[ARGV[i + 1]] = true
    else
        members[ARGV[i]][ARGV[i + 1]] = true
    end
end
enter_owners(jid)
for list in pairs(lists) do enter_list(jid, list, header, type_of(envelope)) end
for rank, set in ipairs({'retrying', 'scheduled', 'dead'}) do
    members[set][member] = true
    for one in pairs(members[set]) do enter_set(set, rank + 2, one, member) end
end
if string.byte(envelope) == 120 and not damaged then
    if #entries > 0 then return found end
    report('stray_tombstone', jid, string.sub(header, 2))
    if fix then
        redis.call('HDEL', P .. 'j', jid)
        redis.call('HINCRBY', P .. 'tomb', string.sub(header, 2), -1)
        redis.call('HINCRBY', P .. 'stat', 'tombs', -1)
    end
    return found
end
if damaged and not (#entries > 0 and string.sub(entries[1].where, 1, 4) == 'run:') then
    report('damaged', jid, where_all())
    if not fix then return found end
    count_anew(jid)
    for _, entry in ipairs(entries) do entry.drop() end
    redis.call('ZADD', P .. 'dead', now, member)
    redis.call('HSET', P .. 'm', jid, ARGV[9])
    mark_dead(jid, header)
    if #entries ~= 1 or entries[1].where ~= 'dead' then
        redis.call('HINCRBY', P .. 'stat', 'died', 1)
        settle({jid}, 'fail')
    end
elseif #entries == 0 then
    report('no_place', jid, ARGV[7])
    if redis.call('HEXISTS', P .. 'failed', jid) == 1 then report('miscounted', jid) end
    if not fix then return found end
    count_anew(jid)
    if ARGV[7] == 'ready' then
        put_first(header, jid)
        tell(string.sub(header, 2))
    else
        redis.call('ZADD', P .. ARGV[7], ARGV[8], member)
        tell('')
    end
elseif #entries > 1 or not entries[1].right then
    report(#entries > 1 and 'two_places' or 'misfiled', jid, where_all())
    if not fix then return found end
    count_anew(jid)
    local right = keep_one()
    if right.right then return found end
    right.drop()
    if right.score then
        redis.call('ZADD', P .. right.where, right.score, member)
    else
        put_first(header, jid)
        tell(string.sub(header, 2))
    end
end
return found
