-- What the check_* scripts find: rows {kind, what, where}; kinds are in core/store/checkup.cpp. With
-- `fix`, declared before, each is repaired in the same step.
local found = {}
local function report(kind, what, where) found[#found + 1] = {kind, what, where or ''} end

-- Is there a live job of this jid? Bodies of tombstones are short.
local function is_live(jid)
    local size = redis.call('HSTRLEN', P .. 'j', jid)
    if size > 258 then return true end
    local envelope = redis.call('HGET', P .. 'j', jid)
    return envelope and string.byte(envelope) ~= 120
end

local function is_number(text) return text and string.find(text, '^%-?%d+$') ~= nil end
