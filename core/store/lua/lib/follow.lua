-- News of an end: a job enqueued in the step that ends another. Arguments from `from` on come in
-- threes, place, member "<header> <jid>", envelope; `ended(place)` says whether that end was accepted.
local function follow(from, to, ended)
    local told, count = {}, 0
    for at = from, to, 3 do
        local header, jid = string.match(ARGV[at + 1], '^(%S+) (%S+)$')
        if ended(tonumber(ARGV[at])) and redis.call('HSETNX', P .. 'j', jid, ARGV[at + 2]) == 1 then
            know_queue(header)
            redis.call('LPUSH', list_key(header), jid)
            count = count + 1
            if not told[header] then tell(string.sub(header, 2)) end
            told[header] = true
        end
    end
    if count > 0 then redis.call('HINCRBY', P .. 'stat', 'enqueued', count) end
end
