#!lua
-- enqueue: store new jobs and put each in its queue or among the scheduled.
-- KIND: adds
-- KEYS: prefix
-- ARGV: now_ms idem_expires_ms hint n [jid envelope header due_ms idempotency_key ties lock
--       lock_expires_ms known]*n; known holds "l": look among those that are over; "p": the lock of a
--       live jid counts before the jid
-- RETURNS: 0 all are stored | {"" stored, "=" the jid is known, "!"..jid the key has this job, "u" not
-- unique, "b" no such batch}*n
local P = KEYS[1]
local now, n = tonumber(ARGV[1]), tonumber(ARGV[4])
--@include places
--@include type_of
--@include hints
--@include graves
--@include bind
local ids = {}
for i = 1, n do ids[i] = ARGV[9 * i - 4] end
--@include over
local live = redis.call('HMGET', P .. 'j', unpack(ids))
local function is_live(i) return live[i] and string.byte(live[i]) ~= 120 end
local over = over_of(function(i)
    return string.find(ARGV[9 * i + 4], 'l', 1, true) and not is_live(i)
end)
local envelopes, lists, due, answer, refused, seen = {}, {}, {}, {}, 0, {}
local counts = {}

local function key_taken(key)
    local entry = redis.call('HGET', P .. 'idem', key)
    if not entry then return false end
    local expires, jid = string.match(entry, '^(%d+) (.*)$')
    return tonumber(expires) > now and jid
end

local function why_not(i, jid, key)
    local other = key ~= '' and key_taken(key)
    if other then return '!' .. other end
    local tied = untieable(ARGV[9 * i + 1], ARGV[9 * i + 2])
    if seen[jid] or is_live(i) then
        return tied == 'u' and string.byte(ARGV[9 * i + 4]) == 112 and 'u' or '='
    end
    return over[jid] and '=' or tied
end

for i = 1, n do
    local at = 9 * i - 4
    local jid, header, when, key = ids[i], ARGV[at + 2], ARGV[at + 3], ARGV[at + 4]
    answer[i] = why_not(i, jid, key) or ''
    if answer[i] ~= '' then
        refused = refused + 1
    else
        seen[jid] = true
        envelopes[#envelopes + 1] = jid
        envelopes[#envelopes + 1] = ARGV[at + 1]
        if key ~= '' then
            redis.call('HSET', P .. 'idem', key, ARGV[2] .. ' ' .. jid)
            redis.call('ZADD', P .. 'idemx', ARGV[2], key)
        end
        if ARGV[at + 5] ~= '' then bind(jid, ARGV[at + 5], ARGV[at + 6], ARGV[at + 7]) end
        if ARGV[3] == '1' and when == '0' then count_type(counts, header, ARGV[at + 1]) end
        if live[i] and bury(jid, live[i], header, when) then
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
end

if #envelopes > 0 then redis.call('HSET', P .. 'j', unpack(envelopes)) end
if #due > 0 then redis.call('ZADD', P .. 'scheduled', unpack(due)) end
for header, list in pairs(lists) do
    know_queue(header)
    if #list > 0 then redis.call('LPUSH', list_key(header), unpack(list)) end
end
hint_types(counts)
if #due > 0 and ARGV[3] == '1' then redis.call('PUBLISH', P .. 'hint', '') end
if refused < n then redis.call('HINCRBY', P .. 'stat', 'enqueued', n - refused) end
if refused == 0 then return 0 end
return answer
