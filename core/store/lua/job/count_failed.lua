#!lua flags=allow-oom
-- count_failed: count failed jobs that are not counted yet: those of a store of an older jobqd, or found
-- by a doctor. With over, they were the last.
-- KIND: moves
-- KEYS: prefix
-- ARGV: over 0/1 set [jid group words]*
-- RETURNS: 1 all have been counted before | 0
local P = KEYS[1]
--@include places
--@include failed
if #ARGV == 1 then return tonumber(redis.call('HGET', P .. 'stat', 'counted') or 0) end
for i = 3, #ARGV, 3 do
    local jid = ARGV[i]
    local envelope = redis.call('HGET', P .. 'j', jid)
    local header = envelope and header_of(envelope)
    local score = header and redis.call('ZSCORE', P .. ARGV[2], header .. ' ' .. jid)
    if score and redis.call('HEXISTS', P .. 'failed', jid) == 0 then
        note_failed(ARGV[2], header, jid, ARGV[i + 1], ARGV[i + 2], string.format('%.0f', score))
    end
end
if ARGV[1] == '1' then redis.call('HSET', P .. 'stat', 'counted', 1) end
return 0
