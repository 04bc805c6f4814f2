#!lua flags=allow-oom
-- kill: scheduled and retrying jobs become dead.
-- KIND: moves
-- KEYS: prefix
-- ARGV: now_ms n [jid header record group words]*n
-- RETURNS: {1 moved, 0 not in such a set}*n {queue to look at}*
local P, now = KEYS[1], ARGV[1]
--@include places
--@include locks
--@include callbacks
--@include batches
--@include ties
--@include failed
local out, died = {}, {}
for i = 1, tonumber(ARGV[2]) do
    local at = 5 * i - 2
    local jid, member = ARGV[at], ARGV[at + 1] .. ' ' .. ARGV[at]
    out[i] = 0
    if redis.call('ZREM', P .. 'scheduled', member) == 1
        or redis.call('ZREM', P .. 'retrying', member) == 1 then
        out[i] = 1
        died[#died + 1] = jid
        redis.call('ZADD', P .. 'dead', ARGV[1], member)
        redis.call('HSET', P .. 'm', jid, ARGV[at + 2])
        mark_record(jid)
        forget_failed({jid})
        note_failed('dead', ARGV[at + 1], jid, ARGV[at + 3], ARGV[at + 4], now)
    end
end
if #died > 0 then redis.call('HINCRBY', P .. 'stat', 'died', #died) end
settle(died, 'fail')
return with_ready(out)
