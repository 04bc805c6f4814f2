#!lua flags=allow-oom
-- check_jobs: a page of bodies, with the places that each has but lists; and its record, if it says that
-- it has one. A body is judged by who reads it.
-- KIND: moves
-- KEYS: prefix
-- ARGV: cursor count fix now
-- RETURNS: {next cursor, bytes, {finding*}, [jid, envelope, record or "", places with a space between]*}
local P, fix, now = KEYS[1], ARGV[3] == '1', ARGV[4]
--@include places
--@include report
--@include running
--@include census
local page = redis.call('HSCAN', P .. 'j', ARGV[1], 'COUNT', ARGV[2])
local rows, ids, headers, bytes = page[2], {}, {}, 0
for i = 1, #rows, 2 do
    ids[#ids + 1], headers[#headers + 1] = rows[i], header_of(rows[i + 1])
    bytes = bytes + #rows[i + 1]
end
local out = {page[1], bytes, found}
local records = #ids > 0 and redis.call('HMGET', P .. 'm', unpack(ids)) or {}
for i, places in ipairs(census(ids, headers)) do
    local jid, envelope, record = ids[i], rows[2 * i], records[i]
    if record and string.find(envelope, '^[:.]') then
        report('unused_record', jid, 'm')
        if fix then redis.call('HSET', P .. 'j', jid, with_record(envelope)) end
    elseif not record and has_record(envelope) then
        record = '{"attempts":0,"ready":' .. now .. '}'
        report('no_record', jid, 'm')
        if fix then redis.call('HSET', P .. 'm', jid, record) end
    end
    for _, value in ipairs({jid, envelope, record or '', table.concat(places, ' ')}) do
        out[#out + 1] = value
    end
end
return out
