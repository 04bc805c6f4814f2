#!lua flags=no-writes,allow-oom
-- owners: who holds running jobs.
-- KIND: reads
-- KEYS: prefix
-- ARGV:
-- RETURNS: {[owner, beat, running]*}
local P = KEYS[1]
local out, all = {}, redis.call('HGETALL', P .. 'own')
for i = 1, #all, 2 do
    out[#out + 1] = all[i]
    out[#out + 1] = all[i + 1]
    out[#out + 1] = redis.call('HLEN', P .. 'run:' .. all[i])
end
return out
