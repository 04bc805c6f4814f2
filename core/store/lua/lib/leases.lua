-- True when `held`, the value of a running entry, is "<token> <started>" with this very token.
local function holds(held, token)
    return held and string.byte(held, #token + 1) == 32 and string.find(held, token, 1, true) == 1
end
