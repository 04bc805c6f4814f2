-- Where jobs wait. A header is "<priority digit><queue>"; members of the sets are "<header> <jid>". A
-- queue's flags: "P" first when paused, then the digits in use, and letters, see lanes.
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
        redis.call('ZADD', P .. 'names', 0, queue)
    elseif digit ~= '5' and not string.find(flags, digit, 1, true) then
        redis.call('HSET', P .. 'queues', queue, flags .. digit)
    end
end

-- The header of an envelope: byte 2 the priority, byte 3 the length of the queue's name. Of a damaged
-- one: something.
local function header_of(envelope)
    return string.sub(envelope, 2, 2) .. string.sub(envelope, 4, 3 + (string.byte(envelope, 3) or 0))
end

-- By an envelope's first byte: does it say that the job has a record?
local function has_record(envelope)
    return string.find(envelope, '^[rm!]') ~= nil
end

-- The envelope of a job that has a record from now on.
local function with_record(envelope)
    local kind = ({[':'] = 'r', ['.'] = 'm'})[string.sub(envelope, 1, 1)]
    return kind and kind .. string.sub(envelope, 2) or envelope
end

-- Notes that the job has a record from now on.
local function mark_record(jid)
    local envelope = redis.call('HGET', P .. 'j', jid)
    if envelope and string.find(envelope, '^[:.]') then
        redis.call('HSET', P .. 'j', jid, with_record(envelope))
    end
end

-- The same of a job that dies. Its place in the set has `header`: an envelope so damaged that it says
-- otherwise is kept whole behind one that can be read.
local function mark_dead(jid, header)
    local envelope = redis.call('HGET', P .. 'j', jid)
    if not envelope then return end
    local known = string.find(envelope, '^[:rm.!]') and header_of(envelope) == header
    local length = string.char(#header - 1)
    redis.call('HSET', P .. 'j', jid, known and with_record(envelope) or
               '!' .. string.sub(header, 1, 1) .. length .. string.sub(header, 2) .. envelope)
end
