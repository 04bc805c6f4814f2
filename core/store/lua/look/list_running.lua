#!lua flags=no-writes,allow-oom
-- list_running: the jids that run, of all owners. They are no more than there are slots.
-- KIND: reads
-- KEYS: prefix
-- ARGV:
-- RETURNS: {jid*}
local P = KEYS[1]
local out = {}
for _, owner in ipairs(redis.call('HKEYS', P .. 'own')) do
    for _, jid in ipairs(redis.call('HKEYS', P .. 'run:' .. owner)) do out[#out + 1] = jid end
end
return out
