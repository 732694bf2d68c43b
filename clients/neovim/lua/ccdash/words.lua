--- Figures as people read them, like those of the command `ccdash`.
local M = {}

--- Seconds since 1970 of a time of the wire (`2026-01-02T10:00:00.000Z`); nil for what is none.
function M.epoch(stamp)
  local year, month, day, hour, minute, second =
    tostring(stamp or ""):match("^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)")
  if not year then
    return nil
  end
  year, month = tonumber(year), tonumber(month)
  -- Days of the civil calendar, in which a year begins with March: os.time() would take it for local time.
  if month <= 2 then
    year = year - 1
  end
  local era = math.floor(year / 400)
  local of_era = year - era * 400
  local of_year = math.floor((153 * (month + (month > 2 and -3 or 9)) + 2) / 5) + tonumber(day) - 1
  local days = era * 146097 + of_era * 365 + math.floor(of_era / 4) - math.floor(of_era / 100) + of_year - 719468
  return days * 86400 + tonumber(hour) * 3600 + tonumber(minute) * 60 + tonumber(second)
end

--- How long ago: now, 5m ago, 3h ago, 6d ago; a date beyond four weeks.
function M.ago(stamp)
  local moment = M.epoch(stamp)
  if not moment then
    return "-"
  end
  local seconds = os.time() - moment
  if seconds < 60 then
    return "now"
  elseif seconds < 3600 then
    return ("%dm ago"):format(math.floor(seconds / 60))
  elseif seconds < 86400 then
    return ("%dh ago"):format(math.floor(seconds / 3600))
  elseif seconds < 28 * 86400 then
    return ("%dd ago"):format(math.floor(seconds / 86400))
  end
  return os.date("%Y-%m-%d", moment)
end

--- A time of the wire as local date and time, by a format of strftime(3).
function M.clock(stamp, format)
  local moment = M.epoch(stamp)
  return moment and os.date(format or "%H:%M", moment) or "--:--"
end

--- What something cost; `>=` where a part of it has no price. Empty where nothing is known.
function M.cost(cost)
  if not cost or cost.provenance == "unpriced" then
    return ""
  end
  local least = cost.provenance == "lower_bound" and ">=" or ""
  return ("%s$%.2f"):format(least, cost.usd)
end

--- `claude-sonnet-4-20250514` as `sonnet-4`.
function M.model(name)
  return (tostring(name or ""):gsub("^claude%-", ""):gsub("%-20%d%d%d%d%d%d$", ""))
end

--- What is typed for a session: the first eight characters of a UUID.
function M.short(id)
  local parent, agent = id:match("^([^/]+)/(.+)$")
  if parent then
    return M.short(parent) .. "/" .. agent
  end
  return id:match("^(%x%x%x%x%x%x%x%x)%-%x%x%x%x%-") or id
end

--- One line, without what a terminal could take for a command.
function M.line(text)
  return vim.trim((tostring(text or ""):gsub("[%c]+", " ")))
end

--- Cut a line at so many cells.
function M.cut(text, cells)
  text = M.line(text)
  if vim.fn.strdisplaywidth(text) <= cells then
    return text
  end
  return vim.fn.strcharpart(text, 0, cells - 1) .. "…"
end

--- `1 session`, `3 sessions`.
function M.count(number, noun)
  return ("%d %s%s"):format(number, noun, number == 1 and "" or "s")
end

return M
