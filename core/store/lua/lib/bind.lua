-- Ties of a new job; `now` is the caller's wall clock in ms. `lock`: digest of what must be unique, or "".
local function batch_of(words)
    local bid = string.match(' ' .. words, ' b(%S+)')
    return bid and P .. 'batch:' .. bid, bid
end

-- Why it can't be tied as asked: "b" no such batch, "u" another job has the lock; or false.
local function untieable(words, lock)
    local batch = batch_of(words)
    if batch and redis.call('EXISTS', batch) == 0 then return 'b' end
    local held = lock ~= '' and redis.call('HGET', P .. 'lock', lock)
    if held and tonumber(string.match(held, '^%d+')) > now then return 'u' end
    return false
end

local function bind(jid, words, lock, lock_expires)
    redis.call('HSET', P .. 'tie', jid, words)
    redis.call('DEL', P .. 'track:' .. jid)
    if lock ~= '' then redis.call('HSET', P .. 'lock', lock, lock_expires .. ' ' .. jid) end
    local batch, bid = batch_of(words)
    if not batch then return end
    for _, field in ipairs({'total', 'pending', 'live'}) do
        redis.call('HINCRBY', batch, field, 1)
    end
    local b = redis.call('HMGET', batch, 'open', 'patience')
    if b[1] == '1' then
        redis.call('ZADD', P .. 'batches', now + b[2], bid)
    else
        redis.call('ZREM', P .. 'batches', bid)
    end
end
