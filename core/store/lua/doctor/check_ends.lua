#!lua flags=allow-oom
-- check_ends: a page of one of the sets that say when something goes, or its name: is that there?
-- KIND: moves
-- KEYS: prefix
-- ARGV: set cursor count fix
-- RETURNS: {next cursor, looked at, {finding*}}
local P, set, fix = KEYS[1], ARGV[1], ARGV[4] == '1'
--@include report
local page = redis.call('ZSCAN', P .. set, ARGV[2], 'COUNT', ARGV[3])
local rows = page[2]
local function is_there(member)
    if set == 'batches' then return redis.call('EXISTS', P .. 'batch:' .. member) == 1 end
    if set == 'names' then
        return redis.call('HEXISTS', P .. 'queues', member) + redis.call('EXISTS', P .. 'q:' .. member) > 0
    end
    if set == 'idemx' then return redis.call('HEXISTS', P .. 'idem', member) == 1 end
    -- A bucket that was emptied is still known.
    return string.find(member, '^done:%d+$') or string.find(member, '^log:%d+$')
           or string.find(member, '^imp:%d+$')
end
for i = 1, #rows, 2 do
    if not is_there(rows[i]) then
        report('bad_key', rows[i], set)
        if fix then redis.call('ZREM', P .. set, rows[i]) end
    end
end
return {page[1], #rows / 2, found}
