#!lua flags=no-writes,allow-oom
-- queues: a page of the known queues, in the order of their names' bytes, or those of the named that are
-- known; with the envelope of the job that is next when asked.
-- KIND: reads
-- KEYS: prefix
-- ARGV: with_next 0/1 after limit name...
-- RETURNS: {the last name when there may be more or "", how many there are, [name, flags, size,
--          jid or "", envelope or "", record or ""]*}
local P = KEYS[1]
--@include places
--@include type_of
--@include lanes

-- The next job of a list: not cancelled, when the queue has cancelled ones, then looked for among its
-- next few entries.
local function next_of(list, tomb)
    if not tomb or tomb == '0' then return redis.call('LINDEX', list, -1) or '' end
    local ids = redis.call('LRANGE', list, -50, -1)
    for i = #ids, 1, -1 do
        local envelope = redis.call('HGET', P .. 'j', ids[i])
        if envelope and string.byte(envelope) ~= 120 then return ids[i] end
    end
    return ''
end

local names = {}
for i = 4, #ARGV do names[#names + 1] = ARGV[i] end
if #names == 0 then
    local from = ARGV[2] == '' and '-' or '(' .. ARGV[2]
    names = redis.call('ZRANGEBYLEX', P .. 'names', from, '+', 'LIMIT', 0, ARGV[3])
end
local out = {#ARGV == 3 and #names == tonumber(ARGV[3]) and names[#names] or '',
             redis.call('HLEN', P .. 'queues')}
local flags_of = #names > 0 and redis.call('HMGET', P .. 'queues', unpack(names)) or {}
local tombs = #names > 0 and redis.call('HMGET', P .. 'tomb', unpack(names)) or {}

local function add(name, flags, tomb)
    local size, jid = 0, ''
    -- Mostly the normal priority alone is in use.
    local plain = flags == '' or flags == 'P'
    for class in string.gmatch(plain and '5' or 'I9H8G7F6E5D4C3B2A1', '.') do
        local byte = string.byte(class)
        if byte > 57 and string.find(flags, class, 1, true) then
            local passed = passed_key(string.char(byte - 16) .. name)
            size = size + redis.call('ZCARD', passed)
            if jid == '' then jid = redis.call('ZRANGE', passed, 0, 0)[1] or '' end
        elseif class == '5' or string.find(flags, class, 1, true) then
            local list = list_key(class .. name)
            local length = redis.call('LLEN', list)
            size = size + length
            if ARGV[1] == '1' and jid == '' and length > 0 then jid = next_of(list, tomb) end
        end
    end
    if ARGV[1] ~= '1' then jid = '' end
    local at = #out
    out[at + 1], out[at + 2], out[at + 3] = name, flags, size - (tomb or 0)
    out[at + 4], out[at + 5], out[at + 6] = jid, '', ''
    if jid ~= '' then
        -- The fields that say when it became ready stand before the payload.
        local envelope = redis.call('HGET', P .. 'j', jid) or ''
        out[at + 5] = string.sub(envelope, 1, 2048)
        if has_record(envelope) then out[at + 6] = redis.call('HGET', P .. 'm', jid) or '' end
    end
end

for i, name in ipairs(names) do
    if flags_of[i] then add(name, flags_of[i], tombs[i]) end
end
return out
