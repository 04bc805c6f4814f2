-- Batches as Faktory's: hash batch:<bid>, see keys.h. `now` is the caller's wall clock in ms.

-- One that is committed and of which nothing lives any more goes after its time.
local function let_rest(bid, key)
    local b = redis.call('HMGET', key, 'open', 'live', 'kids', 'keep')
    if b[1] ~= '0' then return end
    if b[2] == '0' and b[3] == '0' then
        redis.call('ZADD', P .. 'batches', now + b[4], bid)
    else
        redis.call('ZREM', P .. 'batches', bid)
    end
end

local advance

-- A child has come to its good end.
local function child_over(parent)
    local key = P .. 'batch:' .. parent
    if parent == '' or redis.call('EXISTS', key) == 0 then return end
    redis.call('HINCRBY', key, 'kids', -1)
    advance(parent, key)
end

-- Fires what is due: complete once no job is pending, success after it once all went well.
advance = function(bid, key)
    local b = redis.call('HMGET', key, 'open', 'pending', 'total', 'ok', 'kids', 'lost', 'cst',
                         'sst', 'parent')
    local cst, sst = b[7], b[8]
    if b[1] == '0' and cst == '' and b[2] == '0' then
        cst = fire(bid, key, 'complete', 'c')
        redis.call('HSET', key, 'cst', cst)
    end
    local well = b[3] == b[4] and b[5] == '0' and b[6] == '0'
    if b[1] == '0' and sst == '' and (cst == '2' or cst == '-') and well then
        sst = fire(bid, key, 'success', 'k')
        redis.call('HSET', key, 'sst', sst)
        if sst == '-' then child_over(b[9]) end
    end
    let_rest(bid, key)
end

-- What befell the job with the tie kind..bid. Returns the kind it has from now on, or nil.
local function batch_event(kind, bid, event, over)
    local key, after = P .. 'batch:' .. bid, kind
    if over then after = nil end
    if event == 'back' or redis.call('EXISTS', key) == 0 then return after end
    local ok = event == 'ok'
    if kind == 'b' then
        redis.call('HINCRBY', key, 'pending', -1)
        redis.call('HINCRBY', key, ok and 'ok' or 'failed', 1)
        if not over then after = 'f' end
    elseif kind == 'f' and ok then
        redis.call('HINCRBY', key, 'failed', -1)
        redis.call('HINCRBY', key, 'ok', 1)
    elseif kind == 'c' and ok then
        redis.call('HSET', key, 'cst', '2')
    elseif kind == 'k' and ok then
        redis.call('HSET', key, 'sst', '2')
        child_over(redis.call('HGET', key, 'parent'))
    end
    if over then redis.call('HINCRBY', key, 'live', -1) end
    advance(bid, key)
    return after
end
