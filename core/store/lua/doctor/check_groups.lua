#!lua flags=allow-oom
-- check_groups: do the counters of failed jobs agree with those that were counted? Not judged when one has
-- come or gone since. Without groups: what is there now.
-- KIND: moves
-- KEYS: prefix
-- ARGV: fix seen [set group counted]*  (seen: the answer without groups)
-- RETURNS: {finding*}, or what is there: {string, ["<set> <group>", counter]*}
local P, fix = KEYS[1], ARGV[1] == '1'
--@include report
local there = redis.call('HGET', P .. 'stat', 'changes') or '0'
if #ARGV == 2 and ARGV[2] == '' then
    local all = {there}
    for _, set in ipairs({'retrying', 'dead'}) do
        local rows = redis.call('HGETALL', P .. 'groups:' .. set)
        for i = 1, #rows, 2 do
            all[#all + 1], all[#all + 2] = set .. ' ' .. rows[i], rows[i + 1]
        end
    end
    return all
end
if there ~= ARGV[2] then return found end
for i = 3, #ARGV, 3 do
    local key, group, counted = P .. 'groups:' .. ARGV[i], ARGV[i + 1], ARGV[i + 2]
    local now = redis.call('HGET', key, group) or '0'
    if now ~= counted then
        report('bad_count', group, ARGV[i] .. ' ' .. now .. ' for ' .. counted)
        if fix and counted == '0' then
            redis.call('HDEL', key, group)
        elseif fix then
            redis.call('HSET', key, group, counted)
            redis.call('HSETNX', P .. 'causes', group, '0 {}')
        end
    end
end
return found
