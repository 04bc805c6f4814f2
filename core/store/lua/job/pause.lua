#!lua flags=allow-oom
-- pause: pause or resume queues. The flag stands first in a queue's flags.
-- KIND: moves
-- KEYS: prefix
-- ARGV: paused 0/1 queue...
-- RETURNS: 0
local P = KEYS[1]
for i = 2, #ARGV do
    local flags = redis.call('HGET', P .. 'queues', ARGV[i])
    if ARGV[1] == '1' then
        flags = flags or ''
        if string.byte(flags) ~= 80 then
            redis.call('HSET', P .. 'queues', ARGV[i], 'P' .. flags)
            redis.call('ZADD', P .. 'names', 0, ARGV[i])
        end
    elseif flags and string.byte(flags) == 80 then
        redis.call('HSET', P .. 'queues', ARGV[i], string.sub(flags, 2))
    end
end
return 0
