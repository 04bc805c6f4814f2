#!lua flags=no-writes,allow-oom
-- batch_get: what is known of a batch.
-- KIND: reads
-- KEYS: prefix
-- ARGV: bid
-- RETURNS: {} unknown | {parent, description, created, total, pending, failed, cst, sst, open}
local key = KEYS[1] .. 'batch:' .. ARGV[1]
if redis.call('EXISTS', key) == 0 then return {} end
return redis.call('HMGET', key, 'parent', 'description', 'created', 'total', 'pending', 'failed',
                  'cst', 'sst', 'open')
