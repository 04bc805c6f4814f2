#!lua flags=allow-oom
-- unpark: in a store of schema 2 jobs of a queue may be parked, in lists named by a letter: each is the
-- next of its priority again, oldest first. At its end the queue's flags name no such list any more.
-- KIND: moves
-- KEYS: prefix
-- ARGV: queue limit
-- RETURNS: list entries met
local P = KEYS[1]
--@include places
local queue, met = ARGV[1], 0
local flags = redis.call('HGET', P .. 'queues', queue) or ''
for class in string.gmatch(flags, '%l') do
    while met < tonumber(ARGV[2]) do
        local jid = redis.call('LPOP', list_key(class .. queue))
        if not jid then break end
        met = met + 1
        local envelope = redis.call('HGET', P .. 'j', jid)
        if envelope and string.byte(envelope) == 120 then
            redis.call('HDEL', P .. 'j', jid)
            redis.call('HINCRBY', P .. 'tomb', queue, -1)
            redis.call('HINCRBY', P .. 'stat', 'tombs', -1)
        elseif envelope then
            -- Its priority; one that can't be read goes among the normal ones, to be found out.
            local digit = string.match(envelope, '^.([1-9])') or '5'
            know_queue(digit .. queue)
            redis.call('RPUSH', list_key(digit .. queue), jid)
        end
    end
end
flags = redis.call('HGET', P .. 'queues', queue)
if flags and met < tonumber(ARGV[2]) then
    redis.call('HSET', P .. 'queues', queue, (string.gsub(flags, '%l', '')))
end
return met
