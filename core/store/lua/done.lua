#!lua flags=allow-oom
-- done: end attempts for good; each job leaves only its final record.
-- KEYS: prefix
-- ARGV: owner counter failed bucket log_bucket n [jid token final_record attempt log]*n
-- RETURNS: 0 all done | {0 done, -1 lease lost}*n
local P = KEYS[1]
--@include leases
--@include buckets
local run, n = P .. 'run:' .. ARGV[1], tonumber(ARGV[6])
local ids = {}
for i = 1, n do ids[i] = ARGV[2 + 5 * i] end
local held = redis.call('HMGET', run, unpack(ids))
local over, records, logs, answer = {}, {}, {}, {}
for i = 1, n do
    local at, jid = 2 + 5 * i, ids[i]
    if holds(held[i], ARGV[at + 1]) and not answer[jid] then
        answer[jid], answer[i] = true, 0
        over[#over + 1] = jid
        if ARGV[at + 2] ~= '' then
            records[#records + 1] = jid
            records[#records + 1] = ARGV[at + 2]
        end
        if ARGV[at + 4] ~= '' then
            logs[#logs + 1] = jid .. '/' .. ARGV[at + 3]
            logs[#logs + 1] = ARGV[at + 4]
        end
    else
        answer[i] = -1
    end
end
if #over > 0 then
    redis.call('HDEL', run, unpack(over))
    redis.call('HDEL', P .. 'j', unpack(over))
    if redis.call('EXISTS', P .. 'm') == 1 then redis.call('HDEL', P .. 'm', unpack(over)) end
    if redis.call('EXISTS', P .. 'cancel') == 1 then
        redis.call('HDEL', P .. 'cancel', unpack(over))
    end
    keep(ARGV[4], records)
    keep(ARGV[5], logs)
    redis.call('HINCRBY', P .. 'stat', ARGV[2], #over)
    if ARGV[2] ~= 'expired' then redis.call('HINCRBY', P .. 'stat', 'processed', #over) end
    if ARGV[3] == '1' then redis.call('HINCRBY', P .. 'stat', 'failed_attempts', #over) end
end
if #over == n then return 0 end
local list = {}
for i = 1, n do list[i] = answer[i] end
return list
