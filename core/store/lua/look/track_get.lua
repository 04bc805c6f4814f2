#!lua flags=no-writes,allow-oom
-- track_get: the noted progress of some jobs.
-- KIND: reads
-- KEYS: prefix
-- ARGV: jid...
-- RETURNS: {tracked 0/1, percent, desc, state it ended in, updated, until}*n, each "" when not set
local P = KEYS[1]
local out = {}
for i, jid in ipairs(ARGV) do
    local key = P .. 'track:' .. jid
    local row = redis.call('HMGET', key, 'percent', 'desc', 'state', 'updated', 'until')
    local words = redis.call('HGET', P .. 'tie', jid)
    local tracked = row[4] or (words and string.find(' ' .. words, ' t', 1, true))
    out[i] = {tracked and 1 or 0}
    for k = 1, 5 do out[i][k + 1] = row[k] or '' end
end
return out
