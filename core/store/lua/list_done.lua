#!lua flags=no-writes,allow-oom
-- list_done: a page of final records, buckets that go last first. A cursor is "<bucket> <scan> <n>":
-- behind the first n wanted of that step of the scan.
-- A call looks at a few thousand records, so a page may be empty and still have a next one.
-- KEYS: prefix
-- ARGV: cursor limit first_bytes (of the records wanted)
-- RETURNS: {next cursor or "", records looked at, [jid, record, cursor behind it]*}
local P = KEYS[1]
local most, looked, bytes = 3000, 0, 0
local bucket, scan, skip = string.match(ARGV[1], '^(%S+) (%d+) (%d+)$')
local wanted, out, take = ARGV[3], {'', 0}, not bucket
skip = tonumber(skip or 0)

-- One step of the scan. Returns where the next one begins.
local function step(name)
    local page = redis.call('HSCAN', P .. name, scan, 'COUNT', 250)
    local list, met = page[2], 0
    for i = 1, #list, 2 do
        bytes = bytes + #list[i + 1]
        if string.sub(list[i + 1], 1, #wanted) == wanted then
            met = met + 1
            if met > skip then
                out[#out + 1] = list[i]
                out[#out + 1] = list[i + 1]
                out[#out + 1] = name .. ' ' .. scan .. ' ' .. met
            end
        end
    end
    looked, skip = looked + #list / 2, 0
    return page[1]
end

for _, name in ipairs(redis.call('ZREVRANGE', P .. 'buckets', 0, -1)) do
    if string.sub(name, 1, 5) == 'done:' then
        if take then bucket, scan = name, '0' end
        take = take or name == bucket
        while take and scan do
            if #out > 3 * tonumber(ARGV[2]) or looked >= most or bytes > 4194304 then
                out[1], out[2] = name .. ' ' .. scan .. ' 0', looked
                return out
            end
            scan = step(name)
            if scan == '0' then scan = nil end
        end
    end
end
out[2] = looked
return out
