-- Ties of live jobs: hash tie, jid -> words, see keys.h.
local tied = redis.call('EXISTS', P .. 'tie') == 1

local function settle_one(jid, words, event)
    local over, left = event == 'ok' or event == 'drop' or event == 'gone', {}
    -- First: a callback that fires by this may be a job of the same jid.
    if over then redis.call('HDEL', P .. 'tie', jid) end
    for word in string.gmatch(words, '%S+') do
        local kind, rest = string.sub(word, 1, 1), string.sub(word, 2)
        local stays = word
        if kind == 'u' then
            if over then
                unlock(string.sub(rest, 2), jid)
                stays = nil
            end
        elseif kind == 'q' then
            redis.call('HDEL', P .. 'slot:' .. rest, jid)
            tell(rest)
            stays = nil
        elseif kind == 't' then
            if over then
                local state = event == 'ok' and 'success' or event == 'drop' and 'failed' or 'dead'
                redis.call('HSET', P .. 'track:' .. jid, 'state', state, 'updated', now)
                redis.call('PEXPIRE', P .. 'track:' .. jid, rest)
                stays = nil
            end
        else
            local after = batch_event(kind, rest, event, over)
            stays = after and after .. rest
        end
        if stays then left[#left + 1] = stays end
    end
    if #left > 0 then
        redis.call('HSET', P .. 'tie', jid, table.concat(left, ' '))
    elseif not over then
        redis.call('HDEL', P .. 'tie', jid)
    end
end

-- What befell these jobs: "back", they wait again and nothing counts; "fail", they wait again or are
-- dead; and their ends: "ok", "drop" by a failure, "gone" without having run well.
local function settle(ids, event)
    if not tied or #ids == 0 then return end
    for i, words in ipairs(redis.call('HMGET', P .. 'tie', unpack(ids))) do
        if words then settle_one(ids[i], words, event) end
    end
end

-- `answer` with the queues of `ready` behind it.
local function with_ready(answer)
    for _, queue in ipairs(ready) do answer[#answer + 1] = queue end
    return answer
end
