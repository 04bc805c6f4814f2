-- Hashes that go as a whole at their time: "done:<t>" and "log:<t>" go at t.
local function know_bucket(bucket)
    if redis.call('EXISTS', P .. bucket) == 0 then
        redis.call('ZADD', P .. 'buckets', string.match(bucket, '%d+'), bucket)
    end
end

local function keep(bucket, pairs_)
    if #pairs_ == 0 then return end
    know_bucket(bucket)
    redis.call('HSET', P .. bucket, unpack(pairs_))
end
