#!lua flags=allow-oom
-- release: hand jobs back unfinished; they are the next of their lists, in the order in which they are
-- named, no attempt is spent.
-- KIND: moves
-- KEYS: prefix
-- ARGV: owner hint now n [jid token header]*n
-- RETURNS: 0 all released | {0 released, -1 lease lost, -2 a cancel is on record}*n
local P, now = KEYS[1], ARGV[3]
--@include places
--@include type_of
--@include lanes
--@include first
--@include leases
--@include locks
--@include callbacks
--@include batches
--@include ties
local run, n = P .. 'run:' .. ARGV[1], tonumber(ARGV[4])
local answer, released = {}, {}
for i = n, 1, -1 do
    local at = 2 + 3 * i
    local jid = ARGV[at]
    if not holds(redis.call('HGET', run, jid), ARGV[at + 1]) then
        answer[i] = -1
    elseif redis.call('HEXISTS', P .. 'cancel', jid) == 1 then
        answer[i] = -2
    else
        answer[i] = 0
        released[#released + 1] = jid
        redis.call('HDEL', run, jid)
        put_first(ARGV[at + 2], jid)
        if ARGV[2] == '1' then redis.call('PUBLISH', P .. 'hint', string.sub(ARGV[at + 2], 2)) end
    end
end
settle(released, 'back')
if #released == n then return 0 end
return answer
