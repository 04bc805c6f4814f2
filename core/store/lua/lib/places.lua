-- Where jobs wait. A header is "<priority digit or parking class><queue>"; members of the sets are
-- "<header> <jid>". A queue's flags: "P" first when paused, then the digits and classes in use.
local function list_key(header)
    local queue = string.sub(header, 2)
    if string.byte(header) == 53 then return P .. 'q:' .. queue end
    return P .. 'q:' .. queue .. ':' .. string.sub(header, 1, 1)
end

-- Makes the queue known, and its priority when it is not the normal one.
local function know_queue(header)
    local queue, digit = string.sub(header, 2), string.sub(header, 1, 1)
    local flags = redis.call('HGET', P .. 'queues', queue)
    if not flags then
        flags = digit == '5' and '' or digit
        redis.call('HSET', P .. 'queues', queue, flags)
    elseif digit ~= '5' and not string.find(flags, digit, 1, true) then
        redis.call('HSET', P .. 'queues', queue, flags .. digit)
    end
end

-- The header of an envelope: byte 2 the priority, byte 3 the length of the queue's name.
local function header_of(envelope)
    return string.sub(envelope, 2, 2) .. string.sub(envelope, 4, 3 + string.byte(envelope, 3))
end

-- Notes that the envelope has a record from now on.
local function mark_record(jid)
    local envelope = redis.call('HGET', P .. 'j', jid)
    if envelope and string.byte(envelope) == 46 then
        redis.call('HSET', P .. 'j', jid, 'm' .. string.sub(envelope, 2))
    end
end
