#!lua flags=no-writes,allow-oom
-- logs: what is kept of some attempts' logs.
-- KIND: reads
-- KEYS: prefix
-- ARGV: jid attempt...
-- RETURNS: {log or ""}*n
local P = KEYS[1]
local fields, out = {}, {}
for i = 2, #ARGV do
    fields[#fields + 1] = ARGV[1] .. '/' .. ARGV[i]
    out[#out + 1] = ''
end
for _, bucket in ipairs(redis.call('ZRANGE', P .. 'buckets', 0, -1)) do
    if string.sub(bucket, 1, 4) == 'log:' then
        for i, log in ipairs(redis.call('HMGET', P .. bucket, unpack(fields))) do
            if log then out[i] = log end
        end
    end
end
return out
