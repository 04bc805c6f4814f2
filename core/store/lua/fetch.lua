#!lua flags=allow-oom
-- fetch: take jobs from the first queues that have any, and lease them to the owner.
-- KEYS: prefix
-- ARGV: owner token started_ms count also queue...
-- RETURNS: {more, jids, envelopes, [place, record]*} more: 1 when only cancelled ones were met;
-- place: of the jid whose record it is
local P = KEYS[1]
local wanted, jids, envelopes, buried = tonumber(ARGV[4]), {}, {}, 0
--@include locks
--@include pop
local flags = redis.call('HMGET', P .. 'queues', unpack(ARGV, 6))
for i = 6, #ARGV do
    local queue, flag = ARGV[i], flags[i - 5]
    if #jids < wanted and flag and string.byte(flag) ~= 80 then pop_queue(queue, flag, ARGV[5]) end
end
return lease_all(ARGV[1], ARGV[2], ARGV[3])
