--- A few words for a status line: the feature that is worked on, live sessions, and what was spent today.
local compat = require("ccdash.compat")
local words = require("ccdash.words")

local M = {}

--- Seconds after which what is shown is asked for anew.
local FRESH = 30

local shown, asked_at = "", -math.huge

local function text_of(line)
  local parts = {}
  if line.feature then
    table.insert(parts, line.feature)
  end
  if line.active > 0 then
    table.insert(parts, line.active .. " live")
  end
  if words.cost(line.today) ~= "" then
    table.insert(parts, words.cost(line.today) .. " today")
  end
  if line.alerts > 0 then
    table.insert(parts, words.count(line.alerts, "alert"))
  end
  return table.concat(parts, " · ")
end

--- What is known; asks for it anew in the background when it is old. Starts nothing: empty without a connection.
function M.text()
  local client = require("ccdash.client").current()
  if not client then
    shown, asked_at = "", -math.huge
    return shown
  end
  local now = vim.loop.hrtime() / 1e9
  if now - asked_at > FRESH then
    asked_at = now
    compat.request(client, "analytics/statusline", { cwd = vim.loop.cwd() }, function(err, line)
      if not err then
        shown = text_of(line)
        vim.cmd("redrawstatus")
      end
    end, 0)
  end
  return shown
end

return M
