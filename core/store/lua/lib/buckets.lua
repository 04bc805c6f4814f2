-- Keeps values in the hash `bucket` ("done:<t>", "log:<t>"), which goes as a whole at its time t.
local function keep(bucket, pairs_)
    if #pairs_ == 0 then return end
    if redis.call('EXISTS', P .. bucket) == 0 then
        redis.call('ZADD', P .. 'buckets', string.match(bucket, '%d+'), bucket)
    end
    redis.call('HSET', P .. bucket, unpack(pairs_))
end
