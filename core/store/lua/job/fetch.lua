#!lua flags=allow-oom
-- fetch: take jobs from the first queues that have any, and lease them to the owner. Jobs of other types
-- that stand before them are passed over.
-- KIND: takes
-- KEYS: prefix
-- ARGV: owner token started_ms count n type*n queue...  (n -1, and no type: any type)
-- RETURNS: {more, jids, envelopes, [place, record]*} more: 1 when none was taken of those met; place: of
-- the jid whose record it is
local P, n = KEYS[1], tonumber(ARGV[5])
local wanted, jids, envelopes, idle = tonumber(ARGV[4]), {}, {}, 0
--@include types
--@include locks
--@include type_of
--@include lanes
--@include overtaken
--@include sift
--@include pop
--@include lease_all
for from = first, #ARGV, limits.kScriptJobs do
    local to = math.min(#ARGV, from + limits.kScriptJobs - 1)
    local flags = redis.call('HMGET', P .. 'queues', unpack(ARGV, from, to))
    for i, flag in ipairs(flags) do
        if #jids >= wanted then break end
        if flag and string.byte(flag) ~= 80 then pop_queue(ARGV[from + i - 1], flag) end
    end
end
return lease_all(ARGV[1], ARGV[2], ARGV[3])
