#!lua flags=allow-oom
-- fetch: take jobs from the first queues that have any, and lease them to the owner.
-- KEYS: prefix
-- ARGV: owner token started_ms count also queue...
-- RETURNS: {more, jids, envelopes, [place, record]*} more: 1 when only cancelled ones were met;
-- place: of the jid whose record it is
local P = KEYS[1]
local wanted = tonumber(ARGV[4])
local jids, envelopes, buried = {}, {}, 0

-- Moves what can run from ids and found to the end of jids and envelopes.
local function sort_out(ids, found, queue)
    local at, dead = #jids, {}
    for i = 1, #ids do
        local envelope = found[i]
        if envelope and string.byte(envelope) == 120 then
            dead[#dead + 1] = ids[i]
        elseif envelope then
            at = at + 1
            jids[at], envelopes[at] = ids[i], envelope
        end
    end
    if #dead > 0 then
        buried = buried + #dead
        redis.call('HDEL', P .. 'j', unpack(dead))
        redis.call('HINCRBY', P .. 'tomb', queue, -#dead)
    end
end

local function pop(list, queue)
    while #jids < wanted and buried < 1000 do
        local ids = redis.call('RPOP', list, wanted - #jids)
        if not ids then return end
        local found = redis.call('HMGET', P .. 'j', unpack(ids))
        local plain = #jids == 0 and (redis.call('HGET', P .. 'tomb', queue) or '0') == '0'
        for i = 1, #ids do plain = plain and found[i] end
        if plain then
            jids, envelopes = ids, found
        else
            sort_out(ids, found, queue)
        end
    end
end

local flags = redis.call('HMGET', P .. 'queues', unpack(ARGV, 6))
for i = 6, #ARGV do
    local queue, flag = ARGV[i], flags[i - 5]
    if #jids < wanted and flag and string.byte(flag) ~= 80 then
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

if #jids == 0 then return {buried >= 1000 and 1 or 0, {}, {}} end
local leases, held = {}, ARGV[2] .. ' ' .. ARGV[3]
for i = 1, #jids do leases[2 * i - 1], leases[2 * i] = jids[i], held end
redis.call('HSET', P .. 'run:' .. ARGV[1], unpack(leases))
redis.call('HSETNX', P .. 'own', ARGV[1], 0)
local out = {0, jids, envelopes}
if redis.call('EXISTS', P .. 'm') == 1 then
    for i = 1, #jids do
        if string.byte(envelopes[i]) == 109 then
            out[#out + 1] = i
            out[#out + 1] = redis.call('HGET', P .. 'm', jids[i]) or ''
        end
    end
end
return out
