-- Sixteen requests in one write.
local batch
init = function(args)
    local requests = {}
    for i = 1, 16 do requests[i] = wrk.format("GET", wrk.path) end
    batch = table.concat(requests)
end
request = function() return batch end
