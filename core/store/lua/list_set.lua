#!lua flags=no-writes,allow-oom
-- list_set: a page of the jids of scheduled, retrying or dead, by time. A cursor is "<score> <member>"
-- of the last one seen: its rank when it is still there, else the place of its score.
-- KEYS: prefix
-- ARGV: set cursor limit
-- RETURNS: {next cursor or "", jid*}
local P = KEYS[1]
local key, start = P .. ARGV[1], 0
local score, last = string.match(ARGV[2], '^(%S+) (.*)$')
if score then
    local rank = redis.call('ZRANK', key, last)
    start = rank and rank + 1 or redis.call('ZCOUNT', key, '-inf', '(' .. score)
end
local limit = tonumber(ARGV[3])
local rows = redis.call('ZRANGE', key, start, start + limit - 1, 'WITHSCORES')
local out = {''}
for i = 1, #rows, 2 do
    out[#out + 1] = string.sub(rows[i], string.find(rows[i], ' ', 1, true) + 1)
end
if #rows == 2 * limit then out[1] = rows[#rows] .. ' ' .. rows[#rows - 1] end
return out
