-- A job that is the next of its list.
local function put_first(header, jid)
    know_queue(header)
    if redis.call('EXISTS', passed_key(header)) == 1 then
        pass_over(header, {jid}, {type_of(redis.call('HGET', P .. 'j', jid) or '')}, true)
    else
        redis.call('RPUSH', list_key(header), jid)
    end
end
