#!lua flags=allow-oom
-- remove: forget jobs that wait, are dead or are over.
-- KEYS: prefix
-- ARGV: jid...
-- RETURNS: {1 removed, 0 not known, -1 it runs}*n
local P = KEYS[1]
--@include places
--@include leases
--@include waiting
local out, removed = {}, 0
local buckets = redis.call('ZRANGE', P .. 'buckets', 0, -1)
for i, jid in ipairs(ARGV) do
    out[i] = 0
    if owner_of(jid) then
        out[i] = -1
    elseif take_waiting(jid) then
        out[i] = 1
        removed = removed + 1
    else
        for _, bucket in ipairs(buckets) do
            if string.sub(bucket, 1, 5) == 'done:' and redis.call('HDEL', P .. bucket, jid) == 1 then
                out[i] = 1
            end
        end
    end
end
if removed > 0 then redis.call('HINCRBY', P .. 'stat', 'removed', removed) end
return out
