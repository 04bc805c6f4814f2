-- Jobs that failed, counted by cause, while they are retrying or dead. Hash failed: jid -> "<n> <set>
-- <group> <header>", n the number of the change that put it there: who failed later has the higher. Hashes
-- groups:retrying and groups:dead: group -> how many; causes: group -> "<since ms> <words>"; latest: group ->
-- "<ms> <jid>". A job that snoozed is noted without a group. With too many groups new ones are "other".
local function note_failed(set, header, jid, group, words, at)
    local change = redis.call('HINCRBY', P .. 'stat', 'changes', 1)
    if group ~= '' then
        if redis.call('HEXISTS', P .. 'causes', group) == 0 then
            if redis.call('HLEN', P .. 'causes') >= limits.kFailedGroups then group, words = 'other', '{}' end
            redis.call('HSETNX', P .. 'causes', group, at .. ' ' .. words)
        end
        redis.call('HINCRBY', P .. 'groups:' .. set, group, 1)
        redis.call('HSET', P .. 'latest', group, at .. ' ' .. jid)
    end
    redis.call('HSET', P .. 'failed', jid, change .. ' ' .. set .. ' ' .. group .. ' ' .. header)
end

local function uncount(set, group, count)
    if redis.call('HINCRBY', P .. 'groups:' .. set, group, -count) > 0 then return end
    redis.call('HDEL', P .. 'groups:' .. set, group)
    local other = set == 'dead' and 'retrying' or 'dead'
    if redis.call('HEXISTS', P .. 'groups:' .. other, group) == 0 then
        redis.call('HDEL', P .. 'causes', group)
        redis.call('HDEL', P .. 'latest', group)
    end
end

-- These have left scheduled, retrying or dead.
local function forget_failed(ids)
    if #ids == 0 or redis.call('EXISTS', P .. 'failed') == 0 then return end
    local counts, gone = {}, {}
    for i, noted in ipairs(redis.call('HMGET', P .. 'failed', unpack(ids))) do
        if noted then
            gone[#gone + 1] = ids[i]
            local place = string.match(noted, ' (%l+ %S+) %S+$')
            if place then counts[place] = (counts[place] or 0) + 1 end
        end
    end
    if #gone == 0 then return end
    redis.call('HDEL', P .. 'failed', unpack(gone))
    redis.call('HINCRBY', P .. 'stat', 'changes', 1)
    for place, count in pairs(counts) do
        local set, group = string.match(place, '^(%l+) (%S+)$')
        uncount(set, group, count)
    end
end

-- By count_failed, where a doctor changes something.
local function count_anew(jid)
    forget_failed({jid})
    redis.call('HDEL', P .. 'stat', 'counted')
end
