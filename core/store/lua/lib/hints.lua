-- Counts one more job of the envelope's type, in counts[header].
local function count_type(counts, header, envelope)
    local type, of = type_of(envelope), counts[header] or {}
    counts[header] = of
    of[type] = (of[type] or 0) + 1
end

-- Tells other daemons what is ready now: "<queue> <jobs> <type>", with "" for types not known.
local function hint_types(counts)
    for header, of in pairs(counts) do
        for type, count in pairs(of) do
            redis.call('PUBLISH', P .. 'hint', string.sub(header, 2) .. ' ' .. count .. ' ' .. type)
        end
    end
end
