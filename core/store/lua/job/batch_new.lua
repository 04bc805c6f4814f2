#!lua
-- batch_new: a batch without jobs, open, with the callbacks it is to enqueue.
-- KIND: adds
-- KEYS: prefix
-- ARGV: now bid parent description patience_ms keep_ms complete_jid complete_header complete_job
--       complete_tie complete_due complete_sum success_jid success_header success_job success_tie
--       success_due success_sum  (sum: the checksum of the job when its jid is <bid>-complete)
-- RETURNS: 0 | 1 no such parent
local P, now = KEYS[1], ARGV[1]
--@include places
--@include callbacks
--@include batches
local key, parent = P .. 'batch:' .. ARGV[2], P .. 'batch:' .. ARGV[3]
if ARGV[3] ~= '' then
    if redis.call('EXISTS', parent) == 0 then return 1 end
    redis.call('HINCRBY', parent, 'kids', 1)
    let_rest(ARGV[3], parent)
end
local fields = {'created', now, 'parent', ARGV[3], 'description', ARGV[4], 'patience', ARGV[5],
                'keep', ARGV[6], 'open', 1, 'committed', 0, 'cst', '', 'sst', '', 'lost', 0}
for _, count in ipairs({'total', 'pending', 'failed', 'ok', 'kids', 'live'}) do
    fields[#fields + 1] = count
    fields[#fields + 1] = 0
end
for i, field in ipairs({'jid', 'header', 'job', 'tie', 'due', 'sum'}) do
    fields[#fields + 1] = 'complete_' .. field
    fields[#fields + 1] = ARGV[6 + i]
    fields[#fields + 1] = 'success_' .. field
    fields[#fields + 1] = ARGV[12 + i]
end
redis.call('HSET', key, unpack(fields))
redis.call('ZADD', P .. 'batches', now + ARGV[5], ARGV[2])
return 0
