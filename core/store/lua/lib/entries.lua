-- All places of one job. Which is right when there are several: the one nearest to being run, as a job
-- may run twice but not be lost: running, in a list, retrying, scheduled, dead; of two owners the one
-- that started it later.
local entries = {}

local function enter(rank, where, right, drop) entries[#entries + 1] =
    {rank = rank, where = where, right = right, drop = drop, order = #entries} end

local function enter_owners(jid)
    for _, owner in ipairs(redis.call('HKEYS', P .. 'own')) do
        local key = P .. 'run:' .. owner
        local held = redis.call('HGET', key, jid)
        local started = held and tonumber(string.match(held, ' (%d+)$')) or 0
        if held then
            enter(1 - started / 1e15, 'run:' .. owner, true,
                  function() redis.call('HDEL', key, jid) end)
        end
    end
end

-- In the list of `header`, or among those passed over there; `own` is the job's header.
local function enter_list(jid, header, own, type)
    local key, right = list_key(header), header == own
    local place = redis.call('ZSCORE', passed_key(header), jid)
    if place then
        local in_lane = redis.call('ZSCORE', lane_key(header, type), jid) == place
        enter(right and in_lane and 1.9 or 2.4, string.sub(passed_key(header), #P + 1),
              right and in_lane, function()
                  leave_lanes(header, {jid}, {redis.call('HGET', P .. 'j', jid)})
              end)
    end
    for _ = 1, #redis.call('LPOS', key, jid, 'COUNT', 0) do
        -- Of several in one list the one that would be next stays: the last.
        enter(right and 2 or 2.5, 'q:' .. string.sub(key, #P + 3), right,
              function() redis.call('LREM', key, 1, jid) end)
    end
end

local function enter_set(set, rank, member, own_member)
    local score = redis.call('ZSCORE', P .. set, member)
    if not score then return end
    enter(member == own_member and rank or rank + 0.5, set, member == own_member,
          function() redis.call('ZREM', P .. set, member) end)
    entries[#entries].score = score
end

local function where_all()
    local names = {}
    for i, entry in ipairs(entries) do names[i] = entry.where end
    return #names > 0 and table.concat(names, ' ') or 'nowhere'
end

-- Drops all entries but the right one, which is returned.
local function keep_one()
    table.sort(entries, function(a, b)
        if a.rank ~= b.rank then return a.rank < b.rank end
        return a.order < b.order
    end)
    for i = 2, #entries do entries[i].drop() end
    return entries[1]
end
