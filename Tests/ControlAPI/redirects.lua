-- Judges every redirect that wrk gets: it must be wholly that of one revision (see test_live_changes.py).
local statuses = { [0] = 301, [1] = 302, [2] = 307, [3] = 308 }
local threads = {}

function setup(thread) table.insert(threads, thread) end

function init() judged, wrong, example = 0, 0, "" end

function response(status, headers)
  judged = judged + 1
  local location = headers["Location"] or ""
  local number = tonumber(location:match("^http://cdn%-(%d+)%.example%.com/s1/video/1488/xcg2djHckad%.m3u8$"))
  if not number or status ~= statuses[number % 4] then
    wrong = wrong + 1
    example = status .. " " .. location
  end
end

function done(summary)
  local judged, wrong, example = 0, 0, ""
  for _, thread in ipairs(threads) do
    judged = judged + thread:get("judged")
    wrong = wrong + thread:get("wrong")
    if thread:get("wrong") > 0 then example = thread:get("example") end
  end
  local errors = summary.errors
  io.write(string.format('{"judged": %d, "wrong": %d, "example": "%s", "connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d}\n',
    judged, wrong, example, errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
