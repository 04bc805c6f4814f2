-- Which of the jids in `ids`, declared before, have the record of a job that is over: those of the
-- places that `asked` says yes to. All buckets: it is not known when they ended.
local function over_of(asked)
    local wanted, over = {}, {}
    for i = 1, #ids do
        if asked(i) then wanted[#wanted + 1] = ids[i] end
    end
    if #wanted == 0 then return over end
    for _, bucket in ipairs(redis.call('ZRANGE', P .. 'buckets', 0, -1)) do
        if string.sub(bucket, 1, 5) == 'done:' then
            local found = redis.call('HMGET', P .. bucket, unpack(wanted))
            for i = 1, #wanted do over[wanted[i]] = over[wanted[i]] or found[i] and true end
        end
    end
    return over
end
