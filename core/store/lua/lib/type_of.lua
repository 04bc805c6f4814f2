-- The type in an envelope, its first field; "" of a damaged one: anybody takes that, to find it out.
local function type_of(envelope)
    local kind, at = string.byte(envelope), 4 + (string.byte(envelope, 3) or 0)
    if kind == 58 or kind == 114 then
        at = at + 4
    elseif kind ~= 46 and kind ~= 109 then
        return ''
    end
    local tag, length, high = string.byte(envelope, at, at + 2)
    if tag ~= 116 or not length then return '' end
    if length > 127 then length, at = length - 128 + 128 * (high or 0), at + 1 end
    local type = string.sub(envelope, at + 2, at + 1 + length)
    return #type == length and type or ''
end
