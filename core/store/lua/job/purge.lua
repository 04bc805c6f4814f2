#!lua flags=allow-oom
-- purge: drop what is past its time: buckets, idempotency keys, old dead jobs, batches.
-- KIND: moves
-- KEYS: prefix
-- ARGV: now_ms dead_before_ms limit
-- RETURNS: {more 0/1, {queue to look at}*}
local P, now = KEYS[1], ARGV[1]
--@include places
--@include locks
--@include callbacks
--@include batches
--@include ties
--@include failed
local limit = tonumber(ARGV[3])
local now_s = string.format('%.0f', math.floor(tonumber(ARGV[1]) / 1000))
for _, bucket in ipairs(redis.call('ZRANGEBYSCORE', P .. 'buckets', '-inf', now_s)) do
    redis.call('UNLINK', P .. bucket)
    redis.call('ZREM', P .. 'buckets', bucket)
end
local more = 0
local keys = redis.call('ZRANGEBYSCORE', P .. 'idemx', '-inf', ARGV[1], 'LIMIT', 0, limit)
if #keys > 0 then
    redis.call('HDEL', P .. 'idem', unpack(keys))
    redis.call('ZREM', P .. 'idemx', unpack(keys))
end
local dead = redis.call('ZRANGEBYSCORE', P .. 'dead', '-inf', ARGV[2], 'LIMIT', 0, limit)
local gone = {}
for i, member in ipairs(dead) do
    local jid = string.sub(member, string.find(member, ' ', 1, true) + 1)
    gone[i] = jid
    redis.call('HDEL', P .. 'j', jid)
    redis.call('HDEL', P .. 'm', jid)
    redis.call('ZREM', P .. 'dead', member)
end
if #dead > 0 then redis.call('HINCRBY', P .. 'stat', 'removed', #dead) end
forget_failed(gone)
settle(gone, 'gone')

-- A batch that was opened again and then forgotten counts as committed. Any other goes; one that has
-- not succeeded can't let its parent succeed.
local batches = redis.call('ZRANGEBYSCORE', P .. 'batches', '-inf', ARGV[1], 'LIMIT', 0, limit)
for _, bid in ipairs(batches) do
    local key = P .. 'batch:' .. bid
    local b = redis.call('HMGET', key, 'open', 'committed', 'sst', 'parent')
    redis.call('ZREM', P .. 'batches', bid)
    if b[1] == '1' and b[2] == '1' then
        redis.call('HSET', key, 'open', '0')
        advance(bid, key)
    else
        redis.call('UNLINK', key)
        local parent = P .. 'batch:' .. (b[4] or '')
        if b[3] ~= '2' and b[3] ~= '-' and redis.call('EXISTS', parent) == 1 then
            redis.call('HSET', parent, 'lost', '1')
            redis.call('HINCRBY', parent, 'kids', -1)
            let_rest(b[4], parent)
        end
    end
end
if #keys == limit or #dead == limit or #batches == limit then more = 1 end
return with_ready({more})
