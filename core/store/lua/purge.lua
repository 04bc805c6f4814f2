#!lua flags=allow-oom
-- purge: drop what is past its time: buckets, idempotency keys, old dead jobs.
-- KEYS: prefix
-- ARGV: now_ms dead_before_ms limit
-- RETURNS: more 0/1
local P = KEYS[1]
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
for _, member in ipairs(dead) do
    local jid = string.sub(member, string.find(member, ' ', 1, true) + 1)
    redis.call('HDEL', P .. 'j', jid)
    redis.call('HDEL', P .. 'm', jid)
    redis.call('ZREM', P .. 'dead', member)
end
if #dead > 0 then redis.call('HINCRBY', P .. 'stat', 'removed', #dead) end
if #keys == limit or #dead == limit then more = 1 end
return more
