#!lua flags=no-writes,allow-oom
-- place: where a ready job stands in its queue, and who has the queue's slots. It looks at the first and the
-- last 10,000 of a list.
-- KIND: reads
-- KEYS: prefix
-- ARGV: jid queue digit
-- RETURNS: {how many are before it, -1 it was not found, exact 0/1, slots in use, [jid, worker]*} exact: none
-- of those before it can be a cancelled one that has not left the list yet
local P, queue, digit = KEYS[1], ARGV[2], ARGV[3]
--@include places
--@include type_of
--@include lanes
local flags, ahead, found = redis.call('HGET', P .. 'queues', queue) or '', 0, false

local function add_passed(header, own)
    local rank = own and redis.call('ZRANK', passed_key(header), ARGV[1])
    found = found or rank
    ahead = ahead + (rank or redis.call('ZCARD', passed_key(header)))
end

-- The next job is the last entry.
local function add_list(list, own)
    local length = redis.call('LLEN', list)
    local at = own and (redis.call('LPOS', list, ARGV[1], 'RANK', -1, 'MAXLEN', 10000) or
                        redis.call('LPOS', list, ARGV[1], 'MAXLEN', 10000))
    found = found or at
    ahead = ahead + (at and length - 1 - at or length)
end

for class in string.gmatch('I9H8G7F6E5D4C3B2A1', '.') do
    local byte = string.byte(class)
    local passed = byte > 57
    local of = passed and string.char(byte - 16) or class
    if not found and of >= digit and (class == '5' or string.find(flags, class, 1, true)) then
        local add = passed and add_passed or add_list
        add(passed and of .. queue or list_key(of .. queue), of == digit)
    end
end
local tombs = redis.call('HGET', P .. 'tomb', queue) or '0'
local out = {found and ahead or -1, tombs == '0' and 1 or 0, redis.call('HLEN', P .. 'slot:' .. queue)}
for _, word in ipairs(redis.call('HSCAN', P .. 'slot:' .. queue, 0, 'COUNT', 10)[2]) do
    if #out < 23 then out[#out + 1] = word end
end
return out
