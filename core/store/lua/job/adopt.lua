#!lua flags=allow-oom
-- adopt: give a store of an older jobqd what this one keeps beside it, a page at a time: the names of the
-- queues in order, and how many tombstones there are in all.
-- KIND: moves
-- KEYS: prefix
-- ARGV: cursor
-- RETURNS: next cursor, or "" when nothing is left to do
local P = KEYS[1]
if redis.call('HGET', P .. 'stat', 'adopted') == '1' then return '' end
local page = redis.call('HSCAN', P .. 'queues', ARGV[1], 'COUNT', 500)
for i = 1, #page[2], 2 do redis.call('ZADD', P .. 'names', 0, page[2][i]) end
if page[1] ~= '0' then return page[1] end
local tombs = 0
for _, count in ipairs(redis.call('HVALS', P .. 'tomb')) do tombs = tombs + count end
redis.call('HSET', P .. 'stat', 'tombs', tombs, 'adopted', 1)
if redis.call('EXISTS', P .. 'dead', P .. 'retrying') == 0 then
    redis.call('HSET', P .. 'stat', 'counted', 1)
end
return ''
