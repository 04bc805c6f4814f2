#!lua flags=allow-oom
-- check_keys: a page of jobq's keys: known ones of the right type? Others are renamed to aside:<name>.
-- KIND: moves
-- KEYS: prefix
-- ARGV: cursor fix
-- RETURNS: {next cursor, {finding*}, {name*} of the good ones}
local P, fix = KEYS[1], ARGV[2] == '1'
--@include report
local exact = {schema = 'string'}
for _, name in ipairs({'j', 'm', 'queues', 'tomb', 'own', 'cancel', 'tie', 'lock', 'idem', 'stat',
                        'failed', 'causes', 'latest'}) do
    exact[name] = 'hash'
end
for _, name in ipairs({'scheduled', 'retrying', 'dead', 'batches', 'buckets', 'idemx', 'names'}) do
    exact[name] = 'zset'
end
local family = {run = 'hash', done = 'hash', log = 'hash', imp = 'hash', slot = 'hash',
                batch = 'hash', groups = 'hash', track = 'hash', q = 'list', passed = 'zset',
                lane = 'zset', aside = 'any'}

local function type_wanted(name)
    if exact[name] then return exact[name] end
    local head, rest = string.match(name, '^(%l+):(.+)$')
    if not head then return nil end
    if head == 'q' and not string.find(rest, '^[%w._-]+$')
        and not string.find(rest, '^[%w._-]+:[1-46-9]$') then return nil end
    if head == 'passed' and not string.find(rest, '^[%w._-]+:[1-9]$') then return nil end
    if head == 'lane' and not string.find(rest, '^[%w._-]+:[1-9]:') then return nil end
    if (head == 'done' or head == 'log' or head == 'imp') and not string.find(rest, '^%d+$') then
        return nil
    end
    return family[head]
end

local function put_aside(name)
    local to, n = P .. 'aside:' .. name, 1
    while redis.call('EXISTS', to) == 1 do
        n = n + 1
        to = P .. 'aside:' .. name .. ':' .. n
    end
    redis.call('RENAME', P .. name, to)
end

local page, good = redis.call('SCAN', ARGV[1], 'MATCH', P .. '*', 'COUNT', 200), {}
for _, key in ipairs(page[2]) do
    local name = string.sub(key, #P + 1)
    local wanted, is = type_wanted(name), redis.call('TYPE', key).ok
    if is == 'none' or wanted == 'any' then
        wanted = nil
    elseif not wanted then
        report('unknown_key', name, is)
        if fix then put_aside(name) end
    elseif wanted ~= is then
        report('wrong_type', name, is .. ', not ' .. wanted)
        if fix then put_aside(name) end
    else
        good[#good + 1] = name
    end
end
return {page[1], found, good}
