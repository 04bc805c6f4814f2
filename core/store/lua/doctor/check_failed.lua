#!lua flags=allow-oom
-- check_failed: a page of the failed jobs that are counted: is each in the set that it is counted in?
-- KIND: moves
-- KEYS: prefix
-- ARGV: cursor count fix
-- RETURNS: {next cursor, looked at, {finding*}, {[jid, "<set> <group>"]*} of those with a group}
local P, fix = KEYS[1], ARGV[3] == '1'
--@include report
--@include failed
local page = redis.call('HSCAN', P .. 'failed', ARGV[1], 'COUNT', ARGV[2])
local rows, good = page[2], {}
for i = 1, #rows, 2 do
    local jid = rows[i]
    local set, group, header = string.match(rows[i + 1], '^%d+ (%l+) (%S*) (%S+)$')
    local known = set == 'scheduled' or set == 'retrying' or set == 'dead'
    if not known or not redis.call('ZSCORE', P .. set, header .. ' ' .. jid) then
        report('miscounted', jid, rows[i + 1])
        if fix then count_anew(jid) end
    end
    if known and group ~= '' then
        good[#good + 1], good[#good + 2] = jid, set .. ' ' .. group
    end
end
return {page[1], #rows / 2, found, good}
