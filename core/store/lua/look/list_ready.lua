#!lua flags=no-writes,allow-oom
-- list_ready: a page of a queue's jids, next one first. A cursor is "<list> <offset> <state> <jid>" of the
-- last one seen; of those that were passed over, which stand before their list, "<letter> <place> - <jid>".
-- Jobs leave in front of it and come behind it, so the page goes on behind that job, where it is by now.
-- When it has been taken, and so all before it, then that is the list's front: also when it is back in the
-- list, which its record tells.
-- KIND: reads
-- KEYS: prefix
-- ARGV: queue cursor limit
-- RETURNS: {next cursor or "", [jid, cursor behind it, ""]*}
local P = KEYS[1]
--@include places
--@include type_of
--@include lanes
local flags = redis.call('HGET', P .. 'queues', ARGV[1]) or ''
local limit, out, class = tonumber(ARGV[3]), {''}, nil

-- What changes of a record when its job has run, or was made ready by hand.
local function state_of(jid)
    local record = redis.call('HGET', P .. 'm', jid)
    return record and string.sub(redis.sha1hex(string.sub(record, -120) .. #record), 1, 8) or '-'
end

-- How many entries are in front of the first that is not seen yet.
local function offset_behind(list, offset, state, jid)
    local at = redis.call('LINDEX', list, -offset) == jid and offset
    if not at then
        -- Mostly nearer to the front than it was; jobs that were handed back may be before it.
        local found = redis.call('LPOS', list, jid, 'RANK', -1, 'MAXLEN', offset + 10000)
        at = found and redis.call('LLEN', list) - found
    end
    if not at then return 0 end
    local envelope = redis.call('HGET', P .. 'j', jid)
    local cancelled = envelope and string.byte(envelope) == 120
    return (cancelled or state_of(jid) == state) and at or 0
end

local function add(jid, behind, state)
    out[#out + 1] = jid
    out[#out + 1] = class .. ' ' .. string.format('%.0f', behind) .. ' ' .. state .. ' ' .. jid
    out[#out + 1] = ''
end

local function add_passed(header, wanted, behind)
    local rows = redis.call('ZRANGEBYSCORE', passed_key(header), behind and '(' .. behind or '-inf',
                            '+inf', 'WITHSCORES', 'LIMIT', 0, wanted)
    for i = 1, #rows, 2 do add(rows[i], tonumber(rows[i + 1]), '-') end
end

local function add_list(list, wanted, skip)
    local ids = redis.call('LRANGE', list, -skip - wanted, -skip - 1)
    for i = #ids, 1, -1 do add(ids[i], skip + #ids - i + 1, state_of(ids[i])) end
end

local from, at, state, last = string.match(ARGV[2], '^(%w) (%-?%d+) (%S+) (.+)$')
if from and string.find(from, '%d') then
    -- It may have been passed over since.
    local place = redis.call('ZSCORE', passed_key(from .. ARGV[1]), last)
    if place then from, at = string.char(string.byte(from) + 16), place end
end
for one in string.gmatch('I9H8G7F6E5D4C3B2A1', '.') do
    class = one
    local reached, byte = not from or class == from, string.byte(class)
    if reached and (class == '5' or string.find(flags, class, 1, true)) then
        local wanted = limit - (#out - 1) / 3
        if byte > 57 then
            add_passed(string.char(byte - 16) .. ARGV[1], wanted, from and at)
        else
            local list = list_key(class .. ARGV[1])
            add_list(list, wanted, from and offset_behind(list, tonumber(at), state, last) or 0)
        end
        if #out - 1 >= 3 * limit then
            out[1] = out[#out - 1]
            return out
        end
    end
    if reached then from = nil end
end
return out
