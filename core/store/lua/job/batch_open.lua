#!lua flags=allow-oom
-- batch_open: commit a batch (open 0), which lets its callbacks fire, or open it again (open 1).
-- KIND: moves
-- KEYS: prefix
-- ARGV: now bid open
-- RETURNS: {0 no such batch | 1, {queue to look at}*}
local P, now = KEYS[1], ARGV[1]
--@include places
--@include callbacks
--@include batches
local bid, key = ARGV[2], P .. 'batch:' .. ARGV[2]
if redis.call('EXISTS', key) == 0 then return {0} end
redis.call('HSET', key, 'open', ARGV[3])
if ARGV[3] == '1' then
    redis.call('ZADD', P .. 'batches', now + redis.call('HGET', key, 'patience'), bid)
else
    redis.call('HSET', key, 'committed', 1)
    advance(bid, key)
end
local answer = {1}
for _, queue in ipairs(ready) do answer[#answer + 1] = queue end
return answer
