#!lua flags=allow-oom
-- beat: the owners live.
-- KIND: moves
-- KEYS: prefix
-- ARGV: owner...
-- RETURNS: 0
local P = KEYS[1]
for _, owner in ipairs(ARGV) do redis.call('HINCRBY', P .. 'own', owner, 1) end
return 0
