-- A queue's flags as its lists are, see places and lanes.
local function flags_there(queue, paused)
    local flags = paused and 'P' or ''
    local function exists(key) return redis.call('EXISTS', key) == 1 end
    for class in string.gmatch('123456789', '.') do
        local letter = string.char(string.byte(class) + 16)
        if class ~= '5' and exists(list_key(class .. queue)) then flags = flags .. class end
        if exists(passed_key(class .. queue)) then flags = flags .. letter end
    end
    return flags
end
