-- The types a fetch takes, from ARGV[6] on. Declared before: n, how many, -1: all.
local types, order, first = nil, nil, 6 + math.max(n, 0)
if n >= 0 then
    types, order = {}, {''}
    for i = 6, first - 1 do
        types[ARGV[i]] = true
        order[#order + 1] = ARGV[i]
    end
end
