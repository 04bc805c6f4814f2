#!lua flags=no-writes,allow-oom
-- stats: counters and sizes.
-- KEYS: prefix
-- ARGV:
-- RETURNS: {scheduled, retrying, dead, ready, running, [counter, value]*}
local P = KEYS[1]
local ready, running = 0, 0
local all = redis.call('HGETALL', P .. 'queues')
for i = 1, #all, 2 do
    ready = ready + redis.call('LLEN', P .. 'q:' .. all[i])
    for class in string.gmatch(all[i + 1], '[^P]') do
        if string.find(class, '%d') then
            ready = ready + redis.call('LLEN', P .. 'q:' .. all[i] .. ':' .. class)
        else
            local digit = string.char(string.byte(class) - 16)
            ready = ready + redis.call('ZCARD', P .. 'passed:' .. all[i] .. ':' .. digit)
        end
    end
end
for _, count in ipairs(redis.call('HVALS', P .. 'tomb')) do ready = ready - tonumber(count) end
for _, owner in ipairs(redis.call('HKEYS', P .. 'own')) do
    running = running + redis.call('HLEN', P .. 'run:' .. owner)
end
local out = {redis.call('ZCARD', P .. 'scheduled'), redis.call('ZCARD', P .. 'retrying'),
             redis.call('ZCARD', P .. 'dead'), ready, running}
for _, value in ipairs(redis.call('HGETALL', P .. 'stat')) do out[#out + 1] = value end
return out
