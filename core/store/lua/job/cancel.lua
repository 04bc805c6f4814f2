#!lua flags=allow-oom
-- cancel: waiting and dead jobs end as cancelled, running ones are marked.
-- KIND: moves
-- KEYS: prefix
-- ARGV: now_ms bucket n [jid final_record]*n
-- RETURNS: {state it was in, "running "..owner, or "" when it is not live}*n {queue to look at}*
local P, now = KEYS[1], ARGV[1]
--@include places
--@include type_of
--@include lanes
--@include running
--@include failed
--@include waiting
--@include buckets
--@include locks
--@include callbacks
--@include batches
--@include ties
local out, cancelled, records, ids = {}, {}, {}, {}
for i = 1, tonumber(ARGV[3]) do ids[i] = ARGV[2 + 2 * i] end
local owners = owners_of(ids)
for i = 1, #ids do
    local jid, owner = ids[i], owners[ids[i]]
    if owner then
        redis.call('HSETNX', P .. 'cancel', jid, ARGV[1])
        out[i] = 'running ' .. owner
    else
        local was = take_waiting(jid)
        out[i] = was or ''
        if was then
            cancelled[#cancelled + 1] = jid
            records[#records + 1] = jid
            records[#records + 1] = ARGV[3 + 2 * i]
        end
    end
end
keep(ARGV[2], records)
if #cancelled > 0 then redis.call('HINCRBY', P .. 'stat', 'cancelled', #cancelled) end
settle(cancelled, 'gone')
return with_ready(out)
