#!lua flags=allow-oom
-- kill: scheduled and retrying jobs become dead.
-- KEYS: prefix
-- ARGV: now_ms n [jid header record]*n
-- RETURNS: {1 moved, 0 not in such a set}*n {queue to look at}*
local P, now = KEYS[1], ARGV[1]
--@include places
--@include locks
--@include callbacks
--@include batches
--@include ties
local out, died = {}, {}
for i = 1, tonumber(ARGV[2]) do
    local jid, member = ARGV[3 * i], ARGV[3 * i + 1] .. ' ' .. ARGV[3 * i]
    out[i] = 0
    if redis.call('ZREM', P .. 'scheduled', member) == 1
        or redis.call('ZREM', P .. 'retrying', member) == 1 then
        out[i] = 1
        died[#died + 1] = jid
        redis.call('ZADD', P .. 'dead', ARGV[1], member)
        redis.call('HSET', P .. 'm', jid, ARGV[3 * i + 2])
        mark_record(jid)
    end
end
if #died > 0 then redis.call('HINCRBY', P .. 'stat', 'died', #died) end
settle(died, 'fail')
return with_ready(out)
