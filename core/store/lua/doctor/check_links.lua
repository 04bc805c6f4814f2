#!lua flags=allow-oom
-- check_links: are these keys known where they must be? Lists, and what was passed over, as queues, leases
-- by their owner, records by their bucket, progress by its job.
-- KIND: moves
-- KEYS: prefix
-- ARGV: now schema fix name...
-- RETURNS: {finding*}
local P, now, fix = KEYS[1], ARGV[1], ARGV[3] == '1'
--@include places
--@include type_of
--@include lanes
--@include report
local function check_list(rest)
    local queue, class = string.match(rest, '^([^:]+):?(%w?)$')
    local flags = redis.call('HGET', P .. 'queues', queue)
    if class == '' then class = '5' end
    if flags and (class == '5' or string.find(flags, class, 1, true)) then return end
    report('unknown_queue', queue, 'q:' .. rest)
    if fix then know_queue(class .. queue) end
end

local function check_passed(rest)
    local queue, digit = string.match(rest, '^([^:]+):(%d)')
    local flags = redis.call('HGET', P .. 'queues', queue)
    if flags and string.find(flags, string.char(string.byte(digit) + 16), 1, true) then return end
    report('unknown_queue', queue, 'passed:' .. rest)
    if fix then
        know_queue(digit .. queue)
        flag_passed(digit .. queue, true)
    end
end

-- What is in a lane is among those passed over there too.
local function check_lane(rest)
    local queue, digit = string.match(rest, '^([^:]+):(%d)')
    if redis.call('EXISTS', passed_key(digit .. queue)) == 1 then return end
    report('unknown_key', 'lane:' .. rest, 'zset')
    if fix then redis.call('UNLINK', P .. 'lane:' .. rest) end
end

local function check_owner(owner)
    if redis.call('HEXISTS', P .. 'own', owner) == 1 then return end
    report('no_owner', owner, redis.call('HLEN', P .. 'run:' .. owner) .. ' jobs')
    if fix then redis.call('HSET', P .. 'own', owner, 0) end
end

local function check_bucket(name, at)
    local score = redis.call('ZSCORE', P .. 'buckets', name)
    if score and tonumber(score) == tonumber(at) then return end
    report('no_bucket', name, score and 'it would go at ' .. score or 'it would never go')
    if fix then redis.call('ZADD', P .. 'buckets', at, name) end
end

-- Progress lives as long as its job, then for the time the tie said.
local function check_track(jid)
    if redis.call('TTL', P .. 'track:' .. jid) ~= -1 then return end
    local words = redis.call('HGET', P .. 'tie', jid)
    if words and string.find(' ' .. words, ' t', 1, true) then return end
    report('orphan_progress', jid, 'track:' .. jid)
    if fix then redis.call('EXPIRE', P .. 'track:' .. jid, 3600) end
end

local checks = {q = check_list, passed = check_passed, lane = check_lane, run = check_owner,
                track = check_track}
for i = 4, #ARGV do
    local head, rest = string.match(ARGV[i], '^(%l+):(.+)$')
    if redis.call('EXISTS', P .. ARGV[i]) == 0 then
        head = nil
    elseif head == 'done' or head == 'log' or head == 'imp' then
        check_bucket(ARGV[i], rest)
    elseif checks[head] then
        checks[head](rest)
    end
end
if redis.call('GET', P .. 'schema') ~= ARGV[2] then
    report('no_schema', redis.call('GET', P .. 'schema') or 'none', ARGV[2])
    if fix then redis.call('SET', P .. 'schema', ARGV[2]) end
end
return found
