#!lua flags=no-writes,allow-oom
-- list_set: a page of the jids of scheduled, retrying or dead, by time. A cursor is "<score> <member>"
-- of the last one seen: its rank when it is still there, else the place of its score.
-- KEYS: prefix
-- ARGV: set cursor limit newest_first (1, or 0)
-- RETURNS: {next cursor or "", [jid, cursor behind it]*}
local P = KEYS[1]
local key, start, newest = P .. ARGV[1], 0, ARGV[4] == '1'
local score, last = string.match(ARGV[2], '^(%S+) (.*)$')
if score then
    local rank = redis.call(newest and 'ZREVRANK' or 'ZRANK', key, last)
    if rank then
        start = rank + 1
    elseif newest then
        start = redis.call('ZCOUNT', key, '(' .. score, '+inf')
    else
        start = redis.call('ZCOUNT', key, '-inf', '(' .. score)
    end
end
local limit = tonumber(ARGV[3])
local range = newest and 'ZREVRANGE' or 'ZRANGE'
local rows = redis.call(range, key, start, start + limit - 1, 'WITHSCORES')
local out = {''}
for i = 1, #rows, 2 do
    out[#out + 1] = string.sub(rows[i], string.find(rows[i], ' ', 1, true) + 1)
    out[#out + 1] = rows[i + 1] .. ' ' .. rows[i]
end
if #rows == 2 * limit then out[1] = out[#out] end
return out
