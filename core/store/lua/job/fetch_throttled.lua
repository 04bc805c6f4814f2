#!lua flags=allow-oom
-- fetch_throttled: fetch where some queues have a limit on how many of their jobs run at once, in all
-- or at one worker. Who takes a job of such a queue has a slot of it until the attempt ends: hash
-- slot:<queue>, jid -> worker.
-- KIND: takes
-- KEYS: prefix
-- ARGV: owner token started_ms count n type*n worker [queue in_all per_worker]*  (0: no limit)
-- RETURNS: {more, jids, envelopes, [place, record]*} as fetch
local P, n = KEYS[1], tonumber(ARGV[5])
local wanted, jids, envelopes, idle = 0, {}, {}, 0
--@include types
--@include locks
--@include type_of
--@include lanes
--@include overtaken
--@include sift
--@include pop
--@include lease_all
local worker, count = ARGV[first], tonumber(ARGV[4])

-- How many jobs of the queue may start.
local function room(queue, in_all, per_worker)
    local free = count
    if in_all > 0 then free = in_all - redis.call('HLEN', P .. 'slot:' .. queue) end
    if per_worker > 0 then
        local mine = 0
        for _, holder in ipairs(redis.call('HVALS', P .. 'slot:' .. queue)) do
            if holder == worker then mine = mine + 1 end
        end
        free = math.min(free, per_worker - mine)
    end
    return free
end

for i = first + 1, #ARGV, 3 do
    local queue, in_all, per_worker = ARGV[i], tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    local flag, before = redis.call('HGET', P .. 'queues', queue), #jids
    local throttled = in_all > 0 or per_worker > 0
    wanted = math.min(count, before + (throttled and room(queue, in_all, per_worker) or count))
    if before < wanted and flag and string.byte(flag) ~= 80 then pop_queue(queue, flag) end
    for at = before + 1, throttled and #jids or 0 do
        redis.call('HSET', P .. 'slot:' .. queue, jids[at], worker)
        local words = redis.call('HGET', P .. 'tie', jids[at])
        redis.call('HSET', P .. 'tie', jids[at], (words and words .. ' ' or '') .. 'q' .. queue)
    end
end
return lease_all(ARGV[1], ARGV[2], ARGV[3])
