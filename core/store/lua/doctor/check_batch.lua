#!lua flags=allow-oom
-- check_batch: do a batch's counts agree with the ties that were counted? None that changed meanwhile
-- is judged: total, pending and live only go one way between them. With bid alone: what is there now.
-- KIND: moves
-- KEYS: prefix
-- ARGV: now fix bid seen pending live  (seen: the answer without counts)
-- RETURNS: {finding*}, or what is there: a string
local P, now, fix, bid = KEYS[1], ARGV[1], ARGV[2] == '1', ARGV[3]
--@include places
--@include report
--@include callbacks
--@include batches
local key = P .. 'batch:' .. bid
local b = redis.call('HMGET', key, 'total', 'pending', 'live', 'failed', 'ok', 'cst', 'sst', 'open',
                     'kids', 'keep', 'patience')
if not b[1] then return ARGV[4] == '' and '' or found end
local there = {}
for i = 1, 9 do there[i] = b[i] or '?' end
there = table.concat(there, ' ')
if ARGV[4] == '' then return there end
if there ~= ARGV[4] then return found end

local pending, live = tonumber(ARGV[5]), tonumber(ARGV[6])
local total, failed, ok = tonumber(b[1]), tonumber(b[4]), tonumber(b[5])
local whole = total and failed and ok and pending + failed + ok == total
if tonumber(b[2]) ~= pending or tonumber(b[3]) ~= live or not whole then
    report('bad_batch', bid, 'total ' .. b[1] .. ', pending ' .. tostring(b[2]) .. ' for ' .. pending ..
           ', live ' .. tostring(b[3]) .. ' for ' .. live)
    if fix then
        ok = ok or 0
        total = math.max(total or 0, pending + ok)
        redis.call('HSET', key, 'total', total, 'pending', pending, 'live', live, 'ok', ok,
                   'failed', total - pending - ok)
        advance(bid, key)
    end
end
-- An open one, and one of which nothing lives, go at their time; any other stays.
local goes = redis.call('ZSCORE', P .. 'batches', bid)
local rests = b[8] == '1' or b[8] == '0' and live == 0 and b[9] == '0'
if rests and not goes then
    report('bad_batch', bid, 'it would never go')
    if fix then
        redis.call('ZADD', P .. 'batches', now + (tonumber(b[8] == '1' and b[11] or b[10]) or 0), bid)
    end
elseif goes and not rests and b[8] == '0' then
    report('bad_batch', bid, 'it would go while its jobs live')
    if fix then redis.call('ZREM', P .. 'batches', bid) end
end
return found
