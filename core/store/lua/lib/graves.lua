-- A cancelled job's jid comes back while its old list entry is still there. True when the new job
-- may take that entry as its own.
local function bury(jid, tombstone, header, at)
    local old = header_of(tombstone)
    redis.call('HINCRBY', P .. 'tomb', string.sub(old, 2), -1)
    redis.call('HINCRBY', P .. 'stat', 'tombs', -1)
    if old == header and at == '0' then return true end
    redis.call('LREM', list_key(old), -1, jid)
    return false
end
