#!lua
-- import: store jobs that come from another store, each where it was there, once.
-- KIND: adds
-- KEYS: prefix
-- ARGV: mark_bucket hint n [jid envelope header set score record group words]*n
-- RETURNS: 0 all are stored | {"" stored, "=" the jid is live, "m" it was imported before}*n
local P = KEYS[1]
--@include places
--@include type_of
--@include hints
--@include buckets
--@include failed
local n = tonumber(ARGV[3])
local ids, answer, stored = {}, {}, 0
for i = 1, n do ids[i] = ARGV[8 * i - 4] end
local live = redis.call('HMGET', P .. 'j', unpack(ids))

local marked = {}  -- by day: there are few such buckets
for _, bucket in ipairs(redis.call('ZRANGE', P .. 'buckets', 0, -1)) do
    if string.sub(bucket, 1, 4) == 'imp:' then
        local found = redis.call('HMGET', P .. bucket, unpack(ids))
        for i = 1, n do
            if found[i] then marked[ids[i]] = true end
        end
    end
end

local function bury(jid, tombstone)
    local header = header_of(tombstone)
    redis.call('HINCRBY', P .. 'tomb', string.sub(header, 2), -1)
    redis.call('HINCRBY', P .. 'stat', 'tombs', -1)
    redis.call('LREM', list_key(header), -1, jid)
end

local envelopes, records, marks, lists, headers = {}, {}, {}, {}, {}
local counts, sets = {}, {scheduled = {}, retrying = {}, dead = {}}
local function place(at, jid)
    local header, set = ARGV[at + 2], sets[ARGV[at + 3]]
    if set then
        set[#set + 1] = ARGV[at + 4]
        set[#set + 1] = header .. ' ' .. jid
        if ARGV[at + 6] ~= '' then
            note_failed(ARGV[at + 3], header, jid, ARGV[at + 6], ARGV[at + 7], ARGV[at + 4])
        end
        return
    end
    if not lists[header] then
        lists[header] = {}
        headers[#headers + 1] = header
    end
    table.insert(lists[header], jid)
    if ARGV[2] == '1' then count_type(counts, header, ARGV[at + 1]) end
end

for i = 1, n do
    local at, jid = 8 * i - 4, ids[i]
    if marked[jid] then
        answer[i] = 'm'
    elseif live[i] and string.byte(live[i]) ~= 120 then
        answer[i] = '='
    else
        answer[i], marked[jid] = '', true
        if live[i] then bury(jid, live[i]) end
        stored = stored + 1
        envelopes[#envelopes + 1], envelopes[#envelopes + 2] = jid, ARGV[at + 1]
        marks[#marks + 1], marks[#marks + 2] = jid, ''
        if ARGV[at + 5] ~= '' then
            records[#records + 1], records[#records + 2] = jid, ARGV[at + 5]
        end
        place(at, jid)
    end
end

if #envelopes > 0 then redis.call('HSET', P .. 'j', unpack(envelopes)) end
if #records > 0 then redis.call('HSET', P .. 'm', unpack(records)) end
keep(ARGV[1], marks)
for set, members in pairs(sets) do
    if #members > 0 then redis.call('ZADD', P .. set, unpack(members)) end
end
for _, header in ipairs(headers) do
    know_queue(header)
    redis.call('LPUSH', list_key(header), unpack(lists[header]))
end
hint_types(counts)
if stored > 0 then
    if ARGV[2] == '1' then redis.call('PUBLISH', P .. 'hint', '') end
    redis.call('HINCRBY', P .. 'stat', 'enqueued', stored)
end
if stored == n then return 0 end
return answer
