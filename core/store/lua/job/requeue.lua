#!lua flags=allow-oom
-- requeue: dead, retrying and scheduled jobs become ready now.
-- KIND: moves
-- KEYS: prefix
-- ARGV: hint n [jid header record]*n
-- RETURNS: {1 moved, 0 not in such a set}*n
local P = KEYS[1]
--@include places
--@include failed
local out, moved = {}, {}
for i = 1, tonumber(ARGV[2]) do
    local jid, header, record = ARGV[3 * i], ARGV[3 * i + 1], ARGV[3 * i + 2]
    out[i] = 0
    for _, set in ipairs({'dead', 'retrying', 'scheduled'}) do
        if out[i] == 0 and redis.call('ZREM', P .. set, header .. ' ' .. jid) == 1 then
            out[i] = 1
            moved[#moved + 1] = jid
            redis.call('HSET', P .. 'm', jid, record)
            mark_record(jid)
            know_queue(header)
            redis.call('LPUSH', list_key(header), jid)
            if ARGV[1] == '1' then redis.call('PUBLISH', P .. 'hint', string.sub(header, 2)) end
        end
    end
end
forget_failed(moved)
return out
