#!lua flags=no-writes,allow-oom
-- get: all that is stored of some jobs: of the first of them, until their bytes are many. Of a list's
-- jobs just the first bytes of the envelope, and nothing of those that do not hold a text.
-- KIND: reads
-- KEYS: prefix
-- ARGV: head_bytes (0: all) text ("": any) jid...
-- RETURNS: {{} unknown | {"done", final of each life} | {"other"} without the text
--          | {state, envelope, record, score or owner, held, cancel, bytes of the envelope}}*
local P = KEYS[1]
--@include places
--@include running
local buckets, owners, bytes = false, false, 0
local head, text = tonumber(ARGV[1]), ARGV[2]
local most = text == '' and 4194304 or 1048576

local function final(jid)
    buckets = buckets or redis.call('ZREVRANGE', P .. 'buckets', 0, -1)
    local found = {}
    for _, bucket in ipairs(buckets) do
        if string.sub(bucket, 1, 5) == 'done:' then
            local record = redis.call('HGET', P .. bucket, jid)
            if record then
                if #found == 0 then found[1] = 'done' end
                found[#found + 1] = record
            end
        end
    end
    return found
end

local function live(jid, envelope)
    local record, size = '', #envelope
    bytes = bytes + size
    if text ~= '' and not string.find(envelope, text, 1, true) then return {'other'} end
    if has_record(envelope) then record = redis.call('HGET', P .. 'm', jid) or '' end
    bytes = bytes + #record
    local header = header_of(envelope)
    if head > 0 then envelope = string.sub(envelope, 1, head) end
    for _, set in ipairs({'scheduled', 'retrying', 'dead'}) do
        local score = redis.call('ZSCORE', P .. set, header .. ' ' .. jid)
        if score then return {set, envelope, record, score, '', 0, size} end
    end
    owners = owners or owners_of({unpack(ARGV, 3)})
    local owner = owners[jid]
    if owner then
        local held = redis.call('HGET', P .. 'run:' .. owner, jid)
        local cancel = redis.call('HEXISTS', P .. 'cancel', jid)
        return {'running', envelope, record, owner, held, cancel, size}
    end
    return {'ready', envelope, record, '', '', 0, size}
end

local out = {}
for i = 3, #ARGV do
    if bytes > most then break end
    local jid = ARGV[i]
    local envelope = redis.call('HGET', P .. 'j', jid)
    if envelope and string.byte(envelope) ~= 120 then
        out[i - 2] = live(jid, envelope)
    else
        out[i - 2] = final(jid)
    end
end
return out
