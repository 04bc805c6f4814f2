-- Asks an owner which of the jobs it runs, and tells those by found(jid). An owner may hold one job or
-- very many: it gives all it holds or is asked for these, whichever are fewer.
local function ask_owner(owner, ids, asked, found)
    local run = P .. 'run:' .. owner
    if #ids == 1 then
        if redis.call('HEXISTS', run, ids[1]) == 1 then found(ids[1]) end
    elseif redis.call('HLEN', run) <= #ids then
        for _, jid in ipairs(redis.call('HKEYS', run)) do
            if asked[jid] then found(jid) end
        end
    else
        for from = 1, #ids, limits.kScriptJobs do
            local to = math.min(#ids, from + limits.kScriptJobs - 1)
            local held = redis.call('HMGET', run, unpack(ids, from, to))
            for i = from, to do
                if held[i - from + 1] and asked[ids[i]] then found(ids[i]) end
            end
        end
    end
end

-- Calls note(jid, owner) for each owner that holds one of the jobs; once it says true of a job, for
-- no other owner of it. (Those are left out of what is asked as soon as they are half of it.)
local function note_running(jids, note)
    local asked, ids, over = {}, {}, 0
    for _, jid in ipairs(jids) do
        if not asked[jid] then ids[#ids + 1], asked[jid] = jid, true end
    end
    for _, owner in ipairs(redis.call('HKEYS', P .. 'own')) do
        if 2 * over >= #ids then
            local left = {}
            for _, jid in ipairs(ids) do
                if asked[jid] then left[#left + 1] = jid end
            end
            ids, over = left, 0
        end
        if #ids == 0 then return end
        ask_owner(owner, ids, asked, function(jid)
            if note(jid, owner) then asked[jid], over = nil, over + 1 end
        end)
    end
end

-- jid -> owner, of those of the jobs that run.
local function owners_of(jids)
    local owners = {}
    note_running(jids, function(jid, owner)
        owners[jid] = owner
        return true
    end)
    return owners
end
