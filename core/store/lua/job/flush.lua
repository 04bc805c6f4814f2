#!lua flags=allow-oom
-- flush: drop everything of this namespace but its schema. The store has some hundred keys.
-- KIND: moves
-- KEYS: prefix
-- ARGV:
-- RETURNS: 0
local P, cursor = KEYS[1], '0'
repeat
    local page = redis.call('SCAN', cursor, 'MATCH', P .. '*', 'COUNT', 1000)
    cursor = page[1]
    for _, key in ipairs(page[2]) do
        if key ~= P .. 'schema' then redis.call('UNLINK', key) end
    end
until cursor == '0'
redis.call('HSET', P .. 'stat', 'counted', 1, 'adopted', 1)
return 0
