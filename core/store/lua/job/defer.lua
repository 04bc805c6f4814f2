#!lua flags=allow-oom
-- defer: end attempts whose jobs wait again or are dead: retrying, scheduled (snooze) or dead.
-- KIND: moves
-- KEYS: prefix
-- ARGV: owner set failed hint log_bucket now n [jid token member score record attempt log group words]*n
--       [place member envelope]*, see follow
-- RETURNS: 0 all moved | {0 moved, -1 lease lost, -2 a cancel is on record}*n {queue to look at}*
local P, now = KEYS[1], ARGV[6]
--@include places
--@include leases
--@include buckets
--@include locks
--@include callbacks
--@include batches
--@include ties
--@include follow
--@include failed
local run, set, n = P .. 'run:' .. ARGV[1], ARGV[2], tonumber(ARGV[7])
local answer, moved, logs = {}, {}, {}
for i = 1, n do
    local at = 9 * i - 1
    local jid = ARGV[at]
    if not holds(redis.call('HGET', run, jid), ARGV[at + 1]) then
        answer[i] = -1
    elseif set ~= 'dead' and redis.call('HEXISTS', P .. 'cancel', jid) == 1 then
        answer[i] = -2
    else
        answer[i] = 0
        moved[#moved + 1] = jid
        redis.call('HDEL', run, jid)
        if set == 'dead' then redis.call('HDEL', P .. 'cancel', jid) end
        redis.call('ZADD', P .. set, ARGV[at + 3], ARGV[at + 2])
        redis.call('HSET', P .. 'm', jid, ARGV[at + 4])
        note_failed(set, string.match(ARGV[at + 2], '^%S+'), jid, ARGV[at + 7], ARGV[at + 8], now)
        if set == 'dead' then
            mark_dead(jid, string.match(ARGV[at + 2], '^%S+'))
        else
            mark_record(jid)
        end
        if ARGV[at + 6] ~= '' then
            logs[#logs + 1] = jid .. '/' .. ARGV[at + 5]
            logs[#logs + 1] = ARGV[at + 6]
        end
    end
end
if #moved > 0 then
    keep(ARGV[5], logs)
    if ARGV[3] == '1' then
        redis.call('HINCRBY', P .. 'stat', 'processed', #moved)
        redis.call('HINCRBY', P .. 'stat', 'failed_attempts', #moved)
    end
    if set == 'dead' then redis.call('HINCRBY', P .. 'stat', 'died', #moved) end
    settle(moved, set == 'scheduled' and 'back' or 'fail')
    follow(8 + 9 * n, #ARGV, function(place) return answer[place] == 0 end)
    if ARGV[4] == '1' then redis.call('PUBLISH', P .. 'hint', '') end
end
if #moved == n and #ready == 0 then return 0 end
return with_ready(answer)
