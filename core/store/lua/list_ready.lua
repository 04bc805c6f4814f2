#!lua flags=no-writes,allow-oom
-- list_ready: a page of a queue's jids, next one first. A cursor is "<list> <offset>", and of those that
-- were passed over, which stand before their list, "<letter> <place>".
-- KEYS: prefix
-- ARGV: queue cursor limit
-- RETURNS: {next cursor or "", [jid, cursor behind it]*}
local P = KEYS[1]
--@include places
--@include type_of
--@include lanes
local flags = redis.call('HGET', P .. 'queues', ARGV[1]) or ''
local from, offset = string.match(ARGV[2], '^(%w) (%-?%d+)$')
local limit, out, class = tonumber(ARGV[3]), {''}, nil

local function add(jid, behind)
    out[#out + 1] = jid
    out[#out + 1] = class .. ' ' .. string.format('%.0f', behind)
end

local function add_passed(header, wanted)
    local rows = redis.call('ZRANGEBYSCORE', passed_key(header), offset and '(' .. offset or '-inf',
                            '+inf', 'WITHSCORES', 'LIMIT', 0, wanted)
    for i = 1, #rows, 2 do add(rows[i], tonumber(rows[i + 1])) end
end

local function add_list(header, wanted)
    local skip = tonumber(offset or 0)
    local ids = redis.call('LRANGE', list_key(header), -skip - wanted, -skip - 1)
    for i = #ids, 1, -1 do add(ids[i], skip + #ids - i + 1) end
end

for one in string.gmatch('I9H8G7F6E5D4C3B2A1', '.') do
    class = one
    if class == from then from = nil end
    if not from and (class == '5' or string.find(flags, class, 1, true)) then
        local wanted, byte = limit - (#out - 1) / 2, string.byte(class)
        if byte > 57 then
            add_passed(string.char(byte - 16) .. ARGV[1], wanted)
        else
            add_list(class .. ARGV[1], wanted)
        end
        if #out - 1 >= 2 * limit then
            out[1] = out[#out]
            return out
        end
        offset = nil
    elseif not from then
        offset = nil
    end
end
return out
