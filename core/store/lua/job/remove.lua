#!lua flags=allow-oom
-- remove: forget jobs that wait, are dead or are over.
-- KIND: moves
-- KEYS: prefix
-- ARGV: now jid...
-- RETURNS: {1 removed, 0 not known, -1 it runs}*n {queue to look at}*
local P, now = KEYS[1], ARGV[1]
--@include places
--@include type_of
--@include lanes
--@include running
--@include failed
--@include waiting
--@include locks
--@include callbacks
--@include batches
--@include ties
local out, removed = {}, {}
local ids = {}
for i = 2, #ARGV do ids[i - 1] = ARGV[i] end
local owners = owners_of(ids)
local buckets = redis.call('ZRANGE', P .. 'buckets', 0, -1)
for i, jid in ipairs(ids) do
    out[i] = 0
    if owners[jid] then
        out[i] = -1
    elseif take_waiting(jid) then
        out[i] = 1
        removed[#removed + 1] = jid
    else
        for _, bucket in ipairs(buckets) do
            if string.sub(bucket, 1, 5) == 'done:' and redis.call('HDEL', P .. bucket, jid) == 1 then
                out[i] = 1
            end
        end
    end
end
if #removed > 0 then redis.call('HINCRBY', P .. 'stat', 'removed', #removed) end
settle(removed, 'gone')
return with_ready(out)
