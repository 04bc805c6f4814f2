#!lua flags=no-writes,allow-oom
-- list_set: a page of the jids of scheduled, retrying or dead, by time. A cursor is "<cut> <score> <member>"
-- of the last one seen. The page goes on behind that place of the order, wherever that member is by now:
-- what comes, goes or moves meanwhile makes it neither pass over nor repeat what stays. The cut is the
-- number of the last change when the walk began: what failed since, perhaps again, is left out.
-- KIND: reads
-- KEYS: prefix
-- ARGV: set cursor limit newest_first (1, or 0)
-- RETURNS: {next cursor or "", [jid, cursor behind it, group or ""]*}
local P = KEYS[1]
local key, start, newest = P .. ARGV[1], 0, ARGV[4] == '1'

-- Members of one score are in the order of their bytes; Lua's own order is that of a language.
local function less(a, b)
    for i = 1, math.min(#a, #b) do
        local x, y = string.byte(a, i), string.byte(b, i)
        if x ~= y then return x < y end
    end
    return #a < #b
end

local cut, score, last = string.match(ARGV[2], '^(%d+) (%S+) (.*)$')
if tonumber(score) then
    -- How many are before the place: of a lower score, and of the same those less than the last.
    local low = redis.call('ZCOUNT', key, '-inf', '(' .. score)
    local high = redis.call('ZCOUNT', key, '-inf', score)
    while low < high do
        local middle = math.floor((low + high) / 2)
        local member = redis.call('ZRANGE', key, middle, middle)[1]
        if less(member, last) or (member == last and not newest) then
            low = middle + 1
        else
            high = middle
        end
    end
    start = newest and redis.call('ZCARD', key) - low or low
end
local limit = tonumber(ARGV[3])
local range = newest and 'ZREVRANGE' or 'ZRANGE'
local rows = redis.call(range, key, start, start + limit - 1, 'WITHSCORES')
cut = cut or redis.call('HGET', P .. 'stat', 'changes') or '0'
local out, jids = {''}, {}
for i = 1, #rows, 2 do
    jids[#jids + 1] = string.sub(rows[i], string.find(rows[i], ' ', 1, true) + 1)
end
local noted = #jids > 0 and redis.call('HMGET', P .. 'failed', unpack(jids)) or {}
for i, jid in ipairs(jids) do
    local change, group = string.match(noted[i] or '0 ', '^(%d+) ?%l* ?(%S*)')
    if tonumber(change) <= tonumber(cut) then
        out[#out + 1] = jid
        out[#out + 1] = cut .. ' ' .. rows[2 * i] .. ' ' .. rows[2 * i - 1]
        out[#out + 1] = group
    end
end
if #jids == limit then out[1] = cut .. ' ' .. rows[#rows] .. ' ' .. rows[#rows - 1] end
return out
