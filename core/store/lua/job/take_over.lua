#!lua flags=allow-oom
-- take_over: move what one owner holds to another, with new tokens; when it started stays.
-- KIND: moves
-- KEYS: prefix
-- ARGV: from to token limit [jid token or ""]*
-- RETURNS: {[jid, envelope, record or "", cancel asked 0/1, old "<token> <started>"]*}
local P = KEYS[1]
local from, to = P .. 'run:' .. ARGV[1], P .. 'run:' .. ARGV[2]
local ids, of = {}, {}
if #ARGV > 4 then
    for i = 5, #ARGV, 2 do
        ids[#ids + 1] = ARGV[i]
        of[ARGV[i]] = ARGV[i + 1]
    end
else
    ids = redis.call('HRANDFIELD', from, ARGV[4])
end
local out = {}
for _, jid in ipairs(ids) do
    local held = redis.call('HGET', from, jid)
    local token = of[jid] or ''
    if held and (token == '' or token == string.match(held, '^[^ ]*')) then
        redis.call('HDEL', from, jid)
        redis.call('HSET', to, jid, ARGV[3] .. string.match(held, ' .*$'))
        out[#out + 1] = jid
        out[#out + 1] = redis.call('HGET', P .. 'j', jid) or ''
        out[#out + 1] = redis.call('HGET', P .. 'm', jid) or ''
        out[#out + 1] = redis.call('HEXISTS', P .. 'cancel', jid)
        out[#out + 1] = held
    end
end
if #out > 0 then redis.call('HSETNX', P .. 'own', ARGV[2], 0) end
if redis.call('EXISTS', from) == 0 then redis.call('HDEL', P .. 'own', ARGV[1]) end
return out
