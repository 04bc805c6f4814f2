-- Ties of live jobs: hash tie, jid -> words, see keys.h.
local tied = redis.call('EXISTS', P .. 'tie') == 1

-- Words of a job that it has from now on; none when it is over.
local function words_after(jid, words, event, over)
    local left = {}
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
    return table.concat(left, ' ')
end

-- What befell these jobs: "back", they wait again and nothing counts; "fail", they wait again or are
-- dead; and their ends: "ok", "drop" by a failure, "gone" without having run well.
local function settle(ids, event)
    if not tied or #ids == 0 then return end
    local over = event == 'ok' or event == 'drop' or event == 'gone'
    local all, changed = redis.call('HMGET', P .. 'tie', unpack(ids)), {}
    -- First: a callback that fires by this may be a job of the same jid.
    if over then redis.call('HDEL', P .. 'tie', unpack(ids)) end
    for i, words in ipairs(all) do
        local after = words and words_after(ids[i], words, event, over)
        if after and not over and after == '' then
            redis.call('HDEL', P .. 'tie', ids[i])
        elseif after and not over and after ~= words then
            changed[#changed + 1], changed[#changed + 2] = ids[i], after
        end
    end
    if #changed > 0 then redis.call('HSET', P .. 'tie', unpack(changed)) end
    close_batches()
end

-- `answer` with the queues of `ready` behind it.
local function with_ready(answer)
    for _, queue in ipairs(ready) do answer[#answer + 1] = queue end
    return answer
end
