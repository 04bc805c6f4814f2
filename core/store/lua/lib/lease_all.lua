-- Leases all that was taken to the owner; returns the script's answer.
local function lease_all(owner, token, started_ms)
    if #jids == 0 then return {idle >= 1000 and 1 or 0, {}, {}} end
    local leases, held = {}, token .. ' ' .. started_ms
    for i = 1, #jids do leases[2 * i - 1], leases[2 * i] = jids[i], held end
    redis.call('HSET', P .. 'run:' .. owner, unpack(leases))
    redis.call('HSETNX', P .. 'own', owner, 0)
    start(jids)
    local out = {0, jids, envelopes}
    if redis.call('EXISTS', P .. 'm') == 1 then
        for i = 1, #jids do
            if string.find(envelopes[i], '^[rm!]') then
                out[#out + 1] = i
                out[#out + 1] = redis.call('HGET', P .. 'm', jids[i]) or ''
            end
        end
    end
    return out
end
