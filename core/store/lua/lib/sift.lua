-- Adds what can run to jids and envelopes. The last of a list's entries go back when enough is taken.
local function sort_out(ids, found, header, list)
    local dead, over, of, bytes = {}, {}, {}, 0
    for i = 1, #ids do
        if #jids == wanted then
            local back = {}
            for at = #ids, i, -1 do back[#back + 1] = ids[at] end
            redis.call('RPUSH', list, unpack(back))
            break
        end
        local envelope = found[i]
        local type = types and envelope and type_of(envelope) or ''
        -- A tombstone has nothing behind its queue's name; what has is a damaged job, found out later.
        if envelope and string.byte(envelope) == 120
            and #envelope == 3 + (string.byte(envelope, 3) or 0) then
            dead[#dead + 1] = ids[i]
        elseif envelope and type ~= '' and not types[type] then
            over[#over + 1], of[#of + 1], bytes = ids[i], type, bytes + #envelope
        elseif envelope then
            jids[#jids + 1], envelopes[#envelopes + 1] = ids[i], envelope
        end
    end
    if #dead > 0 then
        redis.call('HDEL', P .. 'j', unpack(dead))
        redis.call('HINCRBY', P .. 'tomb', string.sub(header, 2), -#dead)
        redis.call('HINCRBY', P .. 'stat', 'tombs', -#dead)
    end
    if #over > 0 then pass_over(header, over, of) end
    idle = idle + #dead + #over + math.floor(bytes / 4096)
    return bytes
end
