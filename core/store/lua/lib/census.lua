-- The places of jobs other than lists: for each jid, whose header is at the same index, a list of
-- "scheduled", "retrying", "dead" and "run:<owner>".
local function census(ids, headers)
    local at = {}
    for i = 1, #ids do at[i] = {} end
    if #ids == 0 then return at end
    local function note(answers, place)
        for i = 1, #ids do
            if answers[i] then at[i][#at[i] + 1] = place end
        end
    end
    for _, set in ipairs({'scheduled', 'retrying', 'dead'}) do
        if redis.call('EXISTS', P .. set) == 1 then
            local members = {}
            for i = 1, #ids do members[i] = headers[i] .. ' ' .. ids[i] end
            note(redis.call('ZMSCORE', P .. set, unpack(members)), set)
        end
    end
    local runs = {}
    note_running(ids, function(jid, owner)
        runs[jid] = runs[jid] or {}
        table.insert(runs[jid], 'run:' .. owner)
    end)
    for i = 1, #ids do
        for _, place in ipairs(runs[ids[i]] or {}) do at[i][#at[i] + 1] = place end
    end
    return at
end
