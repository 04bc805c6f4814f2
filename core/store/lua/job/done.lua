#!lua flags=allow-oom
-- done: end attempts for good; each job leaves its final record, with keep 0 nothing.
-- KIND: moves
-- KEYS: prefix
-- ARGV: owner counter failed bucket log_bucket keep now n logs [jid final_record]*n [token]*n
--       [place log_field log]*logs [place member envelope]*, see follow
-- RETURNS: 0 all done | {0 done, -1 lease lost}*n {queue to look at}*
local P = KEYS[1]
local now, n = ARGV[7], tonumber(ARGV[8])
--@include places
--@include leases
--@include buckets
--@include locks
--@include callbacks
--@include batches
--@include ties
--@include follow
local run = P .. 'run:' .. ARGV[1]
local ids, tokens, logs = {}, 9 + 2 * n, 10 + 3 * n
local follows = logs + 3 * tonumber(ARGV[9])
for i = 1, n do ids[i] = ARGV[8 + 2 * i] end
local held = redis.call('HMGET', run, unpack(ids))
local lost, good, good_token = 0, nil, nil
for i = 1, n do
    local token = ARGV[tokens + i]
    -- What one fetch gave has one token: mostly the same two strings again.
    if held[i] ~= good or token ~= good_token then
        if holds(held[i], token) then
            good, good_token = held[i], token
        else
            held[i], lost = false, lost + 1
        end
    end
end

local over, records, log_pairs = ids, nil, {}
if lost > 0 then
    over, records = {}, {}
    for i = 1, n do
        if held[i] then
            over[#over + 1] = ids[i]
            records[#records + 1] = ids[i]
            records[#records + 1] = ARGV[9 + 2 * i]
        end
    end
end
for at = logs, follows - 1, 3 do
    if held[tonumber(ARGV[at])] then
        log_pairs[#log_pairs + 1] = ARGV[at + 1]
        log_pairs[#log_pairs + 1] = ARGV[at + 2]
    end
end

if #over > 0 then
    redis.call('HDEL', run, unpack(over))
    redis.call('HDEL', P .. 'j', unpack(over))
    if redis.call('EXISTS', P .. 'm') == 1 then redis.call('HDEL', P .. 'm', unpack(over)) end
    if redis.call('EXISTS', P .. 'cancel') == 1 then
        redis.call('HDEL', P .. 'cancel', unpack(over))
    end
    if ARGV[6] == '1' then
        know_bucket(ARGV[4])
        if records then
            redis.call('HSET', P .. ARGV[4], unpack(records))
        else
            redis.call('HSET', P .. ARGV[4], unpack(ARGV, 10, tokens))
        end
    end
    keep(ARGV[5], log_pairs)
    redis.call('HINCRBY', P .. 'stat', ARGV[2], #over)
    if ARGV[2] ~= 'expired' then redis.call('HINCRBY', P .. 'stat', 'processed', #over) end
    if ARGV[3] == '1' then redis.call('HINCRBY', P .. 'stat', 'failed_attempts', #over) end
    settle(over, ({succeeded = 'ok', dropped = 'drop'})[ARGV[2]] or 'gone')
    follow(follows, #ARGV, function(place) return held[place] end)
end
if lost == 0 and #ready == 0 then return 0 end
local answer = {}
for i = 1, n do answer[i] = held[i] and 0 or -1 end
return with_ready(answer)
