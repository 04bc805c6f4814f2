#!lua flags=no-writes,allow-oom
-- stats: counters and sizes. However many queues there are: a job that lives and is in no set and not
-- running waits in one of them.
-- KIND: reads
-- KEYS: prefix
-- ARGV:
-- RETURNS: {scheduled, retrying, dead, ready, running, [counter, value]*}
local P = KEYS[1]
local out, rest = {}, redis.call('HLEN', P .. 'j')
for i, set in ipairs({'scheduled', 'retrying', 'dead'}) do
    out[i] = redis.call('ZCARD', P .. set)
    rest = rest - out[i]
end
local running = 0
for _, owner in ipairs(redis.call('HKEYS', P .. 'own')) do
    running = running + redis.call('HLEN', P .. 'run:' .. owner)
end
local tombs = redis.call('HGET', P .. 'stat', 'tombs') or 0
out[4], out[5] = math.max(0, rest - running - tombs), running
for _, value in ipairs(redis.call('HGETALL', P .. 'stat')) do out[#out + 1] = value end
return out
