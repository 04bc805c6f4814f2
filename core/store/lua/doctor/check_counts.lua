#!lua flags=allow-oom
-- check_counts: do the counters of tombstones agree with those that were counted? Not judged when one
-- may have come or gone since: each that comes raises cancelled or removed. Without queues: as it is; with
-- what was seen alone: does the sum of all agree with them?
-- KIND: moves
-- KEYS: prefix
-- ARGV: fix seen [queue before counted]*  (seen: the answer without queues)
-- RETURNS: {finding*}, or what is there: {string, [queue, counter]*}
local P, fix = KEYS[1], ARGV[1] == '1'
--@include report
local there = redis.call('HMGET', P .. 'stat', 'cancelled', 'removed')
there = (there[1] or '0') .. ' ' .. (there[2] or '0')
if #ARGV == 2 and ARGV[2] == '' then
    local all = redis.call('HGETALL', P .. 'tomb')
    table.insert(all, 1, there)
    return all
end
if there ~= ARGV[2] then return found end
for i = 3, #ARGV, 3 do
    local queue, before, counted = ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local now = redis.call('HGET', P .. 'tomb', queue) or '0'
    if now == before and now ~= counted then
        report('bad_count', queue, 'tomb ' .. now .. ' for ' .. counted)
        if fix then redis.call('HSET', P .. 'tomb', queue, counted) end
    end
end
if #ARGV > 2 then return found end
local sum, all = 0, redis.call('HGET', P .. 'stat', 'tombs') or '0'
for _, count in ipairs(redis.call('HVALS', P .. 'tomb')) do sum = sum + (tonumber(count) or 0) end
if tonumber(all) ~= sum then
    report('bad_count', 'tombs', 'stat ' .. all .. ' for ' .. sum)
    if fix then redis.call('HSET', P .. 'stat', 'tombs', sum) end
end
return found
