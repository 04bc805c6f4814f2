#!lua flags=no-writes,allow-oom
-- causes: failed jobs, counted by cause. All of them: there are at most some thousand.
-- KIND: reads
-- KEYS: prefix
-- ARGV:
-- RETURNS: {all are counted 0/1, {[group, dead]*}, {[group, retrying]*}, {[group, "<since> <words>"]*},
--          {[group, "<ms> <jid>" of the latest]*}}
local P = KEYS[1]
return {redis.call('HEXISTS', P .. 'stat', 'counted'), redis.call('HGETALL', P .. 'groups:dead'),
        redis.call('HGETALL', P .. 'groups:retrying'), redis.call('HGETALL', P .. 'causes'),
        redis.call('HGETALL', P .. 'latest')}
