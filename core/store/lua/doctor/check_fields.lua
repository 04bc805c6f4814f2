#!lua flags=allow-oom
-- check_fields: a page of one of the hashes beside the jobs: has each field its form and its job?
-- KIND: moves
-- KEYS: prefix
-- ARGV: hash cursor count fix now
-- RETURNS: {next cursor, looked at, bytes, {finding*}, {[field, value]*} (of tie and tomb)}
local P, hash, fix, now = KEYS[1], ARGV[1], ARGV[4] == '1', ARGV[5]
--@include places
--@include type_of
--@include lanes
--@include flags
--@include report
--@include running
--@include locks
--@include callbacks
--@include batches
--@include ties
local rules, rule, rest = {}, string.match(hash, '^(%l+):?(.*)$')
local page = redis.call('HSCAN', P .. hash, ARGV[2], 'COUNT', ARGV[3])
local rows, bytes, owners, fields = page[2], 0, false, {}
for i = 1, #rows, 2 do fields[#fields + 1] = rows[i] end
local function runs(jid)
    owners = owners or owners_of(fields)
    return owners[jid]
end
local function drop(kind, field)
    report(kind, field, hash)
    if fix then redis.call('HDEL', P .. hash, field) end
end
local function must_count(field, value)
    if is_number(value) then return end
    report('bad_count', field, hash)
    if fix then redis.call('HSET', P .. hash, field, 0) end
end
rules.own, rules.stat, rules.tomb = must_count, must_count, must_count
function rules.queues(queue, flags)
    if not redis.call('ZSCORE', P .. 'names', queue) then
        report('bad_queue', queue, 'names')
        if fix then redis.call('ZADD', P .. 'names', 0, queue) end
    end
    if string.find(flags, '^P?[1-46-9A-I]*$') and string.find(queue, '^[%w._-]+$') then return end
    report('bad_queue', queue, hash)
    if fix then redis.call('HDEL', P .. hash, queue) end
    if not fix or not string.find(queue, '^[%w._-]+$') then return end
    redis.call('HSET', P .. hash, queue, flags_there(queue, string.sub(flags, 1, 1) == 'P'))
end

function rules.cancel(jid)
    if not runs(jid) then drop('orphan_cancel', jid) end
end

function rules.m(jid)
    if not is_live(jid) then drop('orphan_record', jid) end
end

function rules.lock(digest, value)
    local jid = string.match(value, '^%d+ (.*)$')
    local words = ' ' .. (jid and is_live(jid) and redis.call('HGET', P .. 'tie', jid) or '') .. ' '
    if string.find(words, ' us' .. digest .. ' ', 1, true) then return end
    if not string.find(words, ' ua' .. digest .. ' ', 1, true) then drop('orphan_lock', digest) end
end

function rules.slot(jid)
    local words = runs(jid) and redis.call('HGET', P .. 'tie', jid)
    if words and string.find(' ' .. words .. ' ', ' q' .. rest .. ' ', 1, true) then return end
    drop('orphan_slot', jid)
    if fix then tell(rest) end
end

function rules.tie(jid, words)
    local slot = string.find(' ' .. words, ' q', 1, true)
    local event = not is_live(jid) and 'gone' or slot and not runs(jid) and 'back'
    if not event then return end
    report(event == 'gone' and 'orphan_tie' or 'orphan_slot', jid, words)
    if fix then settle({jid}, event) end
end

function rules.idem(key, value)
    local expires = string.match(value, '^(%d+) .')
    if not expires then return drop('bad_key', key) end
    if tonumber(redis.call('ZSCORE', P .. 'idemx', key) or -1) == tonumber(expires) then return end
    report('bad_key', key, hash)
    if fix then redis.call('ZADD', P .. 'idemx', expires, key) end
end

for i = 1, #rows, 2 do
    rules[rule](rows[i], rows[i + 1])
    bytes = bytes + #rows[i + 1]
end
return {page[1], #rows / 2, bytes, found, (rule == 'tie' or rule == 'tomb') and rows or {}}
