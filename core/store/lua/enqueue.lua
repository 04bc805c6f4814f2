#!lua
-- enqueue: store new jobs and put each in its queue or among the scheduled.
-- KEYS: prefix
-- ARGV: now_ms idem_expires_ms hint n [jid envelope header due_ms idempotency_key]*n
-- RETURNS: 0 all are stored | {"" stored, "=" the jid is live, "!"..jid the key has this job}*n
local P = KEYS[1]
--@include places
local now, n = tonumber(ARGV[1]), tonumber(ARGV[4])
local ids = {}
for i = 1, n do ids[i] = ARGV[5 * i] end
local live = redis.call('HMGET', P .. 'j', unpack(ids))
local envelopes, lists, due, answer, refused, seen = {}, {}, {}, {}, 0, {}

local function key_taken(key)
    local entry = redis.call('HGET', P .. 'idem', key)
    if not entry then return false end
    local expires, jid = string.match(entry, '^(%d+) (.*)$')
    return tonumber(expires) > now and jid
end

-- A cancelled job's jid comes back while its old list entry is still there.
local function bury(jid, tombstone, header, at)
    local old = header_of(tombstone)
    redis.call('HINCRBY', P .. 'tomb', string.sub(old, 2), -1)
    local queue = string.sub(old, 2)
    local flags = redis.call('HGET', P .. 'queues', queue) or ''
    -- With parking classes in use the entry may be parked: the new job must not be.
    if old == header and at == '0' and not string.find(flags, '%l') then return true end
    for class in string.gmatch('5' .. flags, '[^P]') do
        redis.call('LREM', list_key(class .. queue), -1, jid)
    end
    return false
end

for i = 1, n do
    local at = 5 * i
    local jid, header, when, key = ids[i], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
    local other = key ~= '' and key_taken(key)
    local old = live[i]
    if other then
        answer[i] = '!' .. other
    elseif seen[jid] or (old and string.byte(old) ~= 120) then
        answer[i] = '='
    else
        answer[i] = ''
        seen[jid] = true
        envelopes[#envelopes + 1] = jid
        envelopes[#envelopes + 1] = ARGV[at + 1]
        if key ~= '' then
            redis.call('HSET', P .. 'idem', key, ARGV[2] .. ' ' .. jid)
            redis.call('ZADD', P .. 'idemx', ARGV[2], key)
        end
        if old and bury(jid, old, header, when) then
            lists[header] = lists[header] or {}
        elseif when == '0' then
            local list = lists[header]
            if not list then
                list = {}
                lists[header] = list
            end
            list[#list + 1] = jid
        else
            due[#due + 1] = when
            due[#due + 1] = header .. ' ' .. jid
        end
    end
    if answer[i] ~= '' then refused = refused + 1 end
end

if #envelopes > 0 then redis.call('HSET', P .. 'j', unpack(envelopes)) end
if #due > 0 then redis.call('ZADD', P .. 'scheduled', unpack(due)) end
for header, list in pairs(lists) do
    know_queue(header)
    if #list > 0 then redis.call('LPUSH', list_key(header), unpack(list)) end
    if ARGV[3] == '1' then redis.call('PUBLISH', P .. 'hint', string.sub(header, 2)) end
end
if #due > 0 and ARGV[3] == '1' then redis.call('PUBLISH', P .. 'hint', '') end
if refused < n then redis.call('HINCRBY', P .. 'stat', 'enqueued', n - refused) end
if refused == 0 then return 0 end
return answer
