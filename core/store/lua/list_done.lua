#!lua flags=no-writes,allow-oom
-- list_done: a page of final records, buckets that go last first. A cursor is "<bucket> <scan>".
-- KEYS: prefix
-- ARGV: cursor limit
-- RETURNS: {next cursor or "", [jid, record]*}
local P = KEYS[1]
local bucket, scan = string.match(ARGV[1], '^(%S+) (%d+)$')
local out, take = {''}, not bucket
for _, name in ipairs(redis.call('ZREVRANGE', P .. 'buckets', 0, -1)) do
    if string.sub(name, 1, 5) == 'done:' then
        if take then
            bucket, scan, take = name, '0', false
            if #out > 1 then
                out[1] = bucket .. ' 0'
                return out
            end
        end
        if name == bucket then
            local page = redis.call('HSCAN', P .. name, scan, 'COUNT', ARGV[2])
            for _, value in ipairs(page[2]) do out[#out + 1] = value end
            if page[1] ~= '0' then
                out[1] = bucket .. ' ' .. page[1]
                return out
            end
            take = true
        end
    end
end
return out
