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

-- What befell jobs of each batch in this call, as changes of its counters; false: there is no such batch.
local befell, events = {}, 0

local function count_in(counts, name, by) counts[name] = (counts[name] or 0) + by end

-- What befell the job with the tie kind..bid. Returns the kind it has from now on, or nil. Of plain jobs it
-- is noted: close_batches() writes it.
local function batch_event(kind, bid, event, over)
    local key, after = P .. 'batch:' .. bid, kind
    if over then after = nil end
    if event == 'back' then return after end
    if befell[bid] == nil then befell[bid] = redis.call('EXISTS', key) == 1 and {} end
    local counts, ok = befell[bid], event == 'ok'
    if not counts then return after end
    events, counts.last = events + 1, events
    if kind == 'b' then
        count_in(counts, 'pending', -1)
        count_in(counts, ok and 'ok' or 'failed', 1)
        if not over then after = 'f' end
    elseif kind == 'f' and ok then
        count_in(counts, 'failed', -1)
        count_in(counts, 'ok', 1)
    elseif kind == 'c' and ok then
        redis.call('HSET', key, 'cst', '2')
    elseif kind == 'k' and ok then
        redis.call('HSET', key, 'sst', '2')
        child_over(redis.call('HGET', key, 'parent'))
    end
    if over then count_in(counts, 'live', -1) end
    return after
end

-- Writes what befell the batches, and fires what is due: in the order in which the last job of each came.
local function close_batches()
    local bids = {}
    for bid, counts in pairs(befell) do
        if counts then bids[#bids + 1] = bid end
    end
    table.sort(bids, function(a, b) return befell[a].last < befell[b].last end)
    for _, bid in ipairs(bids) do
        local key = P .. 'batch:' .. bid
        for _, name in ipairs({'pending', 'ok', 'failed', 'live'}) do
            local by = befell[bid][name] or 0
            if by ~= 0 then redis.call('HINCRBY', key, name, by) end
        end
        advance(bid, key)
    end
    befell = {}
end
