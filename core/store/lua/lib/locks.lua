-- Unique locks: hash lock, digest -> "<expires ms> <jid>". A job that holds one has the tie
-- "us<digest>" (until it starts, always its first word) or "ua<digest>" (until it succeeds).
local function unlock(digest, jid)
    local held = redis.call('HGET', P .. 'lock', digest)
    if held and string.match(held, ' (.*)$') == jid then redis.call('HDEL', P .. 'lock', digest) end
end

-- These jobs start: locks held until then are free.
local function start(ids)
    if redis.call('EXISTS', P .. 'tie') == 0 then return end
    for i, words in ipairs(redis.call('HMGET', P .. 'tie', unpack(ids))) do
        local digest = words and string.match(words, '^us(%S+)')
        if digest then
            unlock(digest, ids[i])
            local left = string.match(words, '^%S+ (.+)$')
            if left then
                redis.call('HSET', P .. 'tie', ids[i], left)
            else
                redis.call('HDEL', P .. 'tie', ids[i])
            end
        end
    end
end
