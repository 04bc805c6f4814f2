#!lua flags=no-writes,allow-oom
-- list_ready: a page of a queue's jids, next one first. A cursor is "<list> <offset>".
-- KEYS: prefix
-- ARGV: queue cursor limit
-- RETURNS: {next cursor or "", [jid, cursor behind it]*}
local P = KEYS[1]
--@include places
local flags = redis.call('HGET', P .. 'queues', ARGV[1]) or ''
local from, offset = string.match(ARGV[2], '^(%w) (%d+)$')
offset = tonumber(offset or 0)
local limit, out = tonumber(ARGV[3]), {''}
for class in string.gmatch('987654321' .. string.gsub(flags, '[%dP]', ''), '.') do
    if class == from then from = nil end
    if not from and (class == '5' or string.find(flags, class, 1, true)) then
        local wanted = limit - (#out - 1) / 2
        local ids = redis.call('LRANGE', list_key(class .. ARGV[1]), -offset - wanted, -offset - 1)
        for i = #ids, 1, -1 do
            out[#out + 1] = ids[i]
            out[#out + 1] = class .. ' ' .. string.format('%.0f', offset + #ids - i + 1)
        end
        if #out - 1 >= 2 * limit then
            out[1] = out[#out]
            return out
        end
        offset = 0
    end
end
return out
