#!lua flags=allow-oom
-- track: note the progress of a tracked job; of one that is over while what is known of it is kept.
-- KIND: moves
-- KEYS: prefix
-- ARGV: now jid until_ms [field value]*  (until: the lease is to last so long, "0" leaves it)
-- RETURNS: 1 noted | 0 the job is not tracked
local P, jid = KEYS[1], ARGV[2]
local key = P .. 'track:' .. jid
local words = redis.call('HGET', P .. 'tie', jid)
local tracked = words and string.find(' ' .. words, ' t', 1, true)
if not tracked and redis.call('EXISTS', key) == 0 then return 0 end
redis.call('HSET', key, 'updated', ARGV[1], unpack(ARGV, 4))
if tonumber(ARGV[3]) > tonumber(redis.call('HGET', key, 'until') or 0) then
    redis.call('HSET', key, 'until', ARGV[3])
end
return 1
