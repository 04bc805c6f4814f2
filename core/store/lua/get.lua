#!lua flags=no-writes,allow-oom
-- get: all that is stored of some jobs.
-- KEYS: prefix
-- ARGV: jid...
-- RETURNS: {{} unknown | {"done", final of each life} | {state, envelope, record, score or owner, held, cancel}}*n
local P = KEYS[1]
--@include places
--@include leases
local buckets = false

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
    local record = ''
    if has_record(envelope) then record = redis.call('HGET', P .. 'm', jid) or '' end
    for _, set in ipairs({'scheduled', 'retrying', 'dead'}) do
        local score = redis.call('ZSCORE', P .. set, header_of(envelope) .. ' ' .. jid)
        if score then return {set, envelope, record, score, '', 0} end
    end
    local owner = owner_of(jid)
    if owner then
        local held = redis.call('HGET', P .. 'run:' .. owner, jid)
        return {'running', envelope, record, owner, held, redis.call('HEXISTS', P .. 'cancel', jid)}
    end
    return {'ready', envelope, record, '', '', 0}
end

local out = {}
for i, jid in ipairs(ARGV) do
    local envelope = redis.call('HGET', P .. 'j', jid)
    if envelope and string.byte(envelope) ~= 120 then
        out[i] = live(jid, envelope)
    else
        out[i] = final(jid)
    end
end
return out
