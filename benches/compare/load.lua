-- The requests of wrk: the same document for a hundred mailboxes in turn. The output of wrk cannot
-- be parsed, so the sums are printed here, on one line.

local requests = {}
local at = 0

function init(args)
    for number = 1, 100 do
        local path = string.format("/mail/config-v1.1.xml?emailaddress=user%02d@%s", number - 1, args[1])
        requests[number] = wrk.format("GET", path)
    end
end

function request()
    at = at % 100 + 1
    return requests[at]
end

function done(summary, latency, requests)
    local errors = summary.errors
    print(string.format("sums %d %d %d %d %d %d", summary.requests, summary.duration, summary.bytes,
        latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.timeout + errors.status))
end
