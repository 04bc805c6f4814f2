#!lua flags=no-writes,allow-oom
-- list_done: a page of final records, buckets that go last first. A cursor is "<bucket> <scan> <size> <jid>":
-- behind that jid in that step of the scan, whose records are in the order of their jids. A bucket with
-- fewer records than that size may have been laid out anew, with more in the same step: then none of it is
-- passed over, as some of them were never met.
-- A call looks at a few thousand records, so a page may be empty and still have a next one.
-- KIND: reads
-- KEYS: prefix
-- ARGV: cursor limit first_bytes (of the records wanted)
-- RETURNS: {next cursor or "", records looked at, [jid, record, cursor behind it]*}
local P = KEYS[1]
local most, looked, bytes = 3000, 0, 0
local bucket, scan, size, last = string.match(ARGV[1], '^(%S+) (%d+) (%d+) (.*)$')
local wanted, out, take = ARGV[3], {'', 0}, not bucket
if bucket and redis.call('HLEN', P .. bucket) < tonumber(size) then last = nil end

-- One step of the scan. Returns where the next one begins.
local function step(name)
    local page = redis.call('HSCAN', P .. name, scan, 'COUNT', 250)
    local list, jids, record_of = page[2], {}, {}
    for i = 1, #list, 2 do
        bytes = bytes + #list[i + 1]
        local behind = not last or last == '' or last < list[i]
        if behind and string.sub(list[i + 1], 1, #wanted) == wanted then
            jids[#jids + 1] = list[i]
            record_of[list[i]] = list[i + 1]
        end
    end
    table.sort(jids)
    for _, jid in ipairs(jids) do
        out[#out + 1] = jid
        out[#out + 1] = record_of[jid]
        out[#out + 1] = name .. ' ' .. scan .. ' ' .. size .. ' ' .. jid
    end
    looked, last = looked + #list / 2, nil
    return page[1]
end

for _, name in ipairs(redis.call('ZREVRANGE', P .. 'buckets', 0, -1)) do
    if string.sub(name, 1, 5) == 'done:' then
        if take then bucket, scan = name, '0' end
        take, size = take or name == bucket, redis.call('HLEN', P .. name)
        while take and scan do
            if #out > 3 * tonumber(ARGV[2]) or looked >= most or bytes > 4194304 then
                out[1], out[2] = name .. ' ' .. scan .. ' 0 ', looked
                return out
            end
            scan = step(name)
            if scan == '0' then scan = nil end
        end
    end
end
out[2] = looked
return out
