-- A cancelled job's jid comes back while its old list entry is still there. True when the new job
-- may take that entry as its own.
local function bury(jid, tombstone, header, at)
    local old = header_of(tombstone)
    redis.call('HINCRBY', P .. 'tomb', string.sub(old, 2), -1)
    local queue = string.sub(old, 2)
    local flags = redis.call('HGET', P .. 'queues', queue) or ''
    -- With parking classes in use the entry may be parked: the new job must not be.
    if old == header and at == '0' and not string.find(flags, '%l') then return true end
    for class in string.gmatch('5' .. flags, '[^P]') do
        redis.call('LREM', list_key(class .. queue), -1, jid)
    end
    return false
end
