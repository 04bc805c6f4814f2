#!lua flags=allow-oom
-- fetch: take jobs from the first queues that have any, and lease them to the owner.
-- KEYS: prefix
-- ARGV: owner token started_ms count also queue...
-- RETURNS: {more, [jid, envelope, record or ""]*} more: 1 when only cancelled ones were met
local P = KEYS[1]
local run = P .. 'run:' .. ARGV[1]
local wanted, held = tonumber(ARGV[4]), ARGV[2] .. ' ' .. ARGV[3]
local queues = {}
for i = 6, #ARGV do queues[#queues + 1] = ARGV[i] end
local flags = redis.call('HMGET', P .. 'queues', unpack(queues))
local out, leases, with_record, buried = {0}, {}, {}, 0

local function pop(list, queue)
    while wanted > 0 and buried < 1000 do
        local ids = redis.call('RPOP', list, wanted)
        if not ids then return end
        local envelopes = redis.call('HMGET', P .. 'j', unpack(ids))
        local dead = {}
        for i, jid in ipairs(ids) do
            local envelope = envelopes[i]
            local kind = envelope and string.byte(envelope) or 0
            if kind == 120 then
                dead[#dead + 1] = jid
            elseif envelope then
                local at = #out
                out[at + 1], out[at + 2], out[at + 3] = jid, envelope, ''
                if kind == 109 then with_record[#with_record + 1] = at + 3 end
                leases[#leases + 1] = jid
                leases[#leases + 1] = held
                wanted = wanted - 1
            end
        end
        if #dead > 0 then
            buried = buried + #dead
            redis.call('HDEL', P .. 'j', unpack(dead))
            redis.call('HINCRBY', P .. 'tomb', queue, -#dead)
        end
    end
end

for i, queue in ipairs(queues) do
    local flag = flags[i]
    if wanted > 0 and flag and string.byte(flag) ~= 80 then
        if flag == '' then
            pop(P .. 'q:' .. queue, queue)
        else
            for priority = 57, 49, -1 do
                if priority == 53 then
                    pop(P .. 'q:' .. queue, queue)
                elseif string.find(flag, string.char(priority), 1, true) then
                    pop(P .. 'q:' .. queue .. ':' .. string.char(priority), queue)
                end
            end
            for class in string.gmatch(ARGV[5], '.') do
                if string.find(flag, class, 1, true) then
                    pop(P .. 'q:' .. queue .. ':' .. class, queue)
                end
            end
        end
    end
end

if #leases > 0 then
    redis.call('HSET', run, unpack(leases))
    redis.call('HSETNX', P .. 'own', ARGV[1], 0)
    for _, at in ipairs(with_record) do
        out[at] = redis.call('HGET', P .. 'm', out[at - 2]) or ''
    end
elseif buried >= 1000 then
    out[1] = 1
end
return out
