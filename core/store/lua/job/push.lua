#!lua
-- push: store new jobs that all wait in one list, the path of most jobs. Does nothing at all when a
-- jid is known: enqueue is then to be asked. The jids of a call are different.
-- KIND: adds
-- KEYS: prefix
-- ARGV: hint header [jid envelope]*n
-- RETURNS: 0 all are stored | 1 nothing was done
local P = KEYS[1]
--@include places
--@include type_of
--@include hints
local header, n = ARGV[2], (#ARGV - 2) / 2
local ids = {}
for i = 1, n do ids[i] = ARGV[2 * i + 1] end
local live = redis.call('HMGET', P .. 'j', unpack(ids))
for i = 1, n do
    if live[i] then return 1 end
end
redis.call('HSET', P .. 'j', unpack(ARGV, 3))
know_queue(header)
redis.call('LPUSH', list_key(header), unpack(ids))
redis.call('HINCRBY', P .. 'stat', 'enqueued', n)
if ARGV[1] == '1' then
    local counts = {}
    for i = 1, n do count_type(counts, header, ARGV[2 * i + 2]) end
    hint_types(counts)
end
return 0
