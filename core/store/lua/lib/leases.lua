-- True when `held`, the value of a running entry, is "<token> <started>" with this very token.
local function holds(held, token)
    return held and string.byte(held, #token + 1) == 32 and string.find(held, token, 1, true) == 1
end

-- The owner that runs the job, or false. Owners are few: pools, runners, one for all Faktory workers.
local function owner_of(jid)
    for _, owner in ipairs(redis.call('HKEYS', P .. 'own')) do
        if redis.call('HEXISTS', P .. 'run:' .. owner, jid) == 1 then return owner end
    end
    return false
end
