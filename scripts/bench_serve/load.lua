-- Bodies from a file, one after the other, each connection perhaps at rest for so many milliseconds before the next; at the end one line
-- of JSON.
local bodies, next_body = {}, 0
function init(arguments)
  for line in io.lines(arguments[1]) do bodies[#bodies + 1] = line end
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  local rest = tonumber(arguments[2]) or 0
  -- Not all at once.
  if rest > 0 then delay = function() return math.random(0, 2 * rest) end end
end
function request()
  next_body = next_body % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[next_body])
end
function done(summary, latency, _)
  local failed = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
    + summary.errors.timeout
  io.write(string.format(
    '\nRESULT {"requests":%d,"rps":%.1f,"failed":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d}\n',
    summary.requests, summary.requests / summary.duration * 1e6, failed,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
