--- What an entry of a transcript looks like, as lines of Markdown.
local words = require("ccdash.words")

local M = {}

local KINDS = {
  prompt = "you",
  command = "you",
  steering = "you",
  queued = "you queue",
  bash = "you run",
  assistant = "agent",
  thinking = "thinks",
  toolResult = "result",
  compactSummary = "summary",
  compaction = "compacts",
  interrupt = "you stop",
  teammate = "teammate",
  notification = "notice",
}
local SHOWN = { prompt = true, command = true, steering = true, queued = true, bash = true, assistant = true }

local function fenced(text)
  local fence = "```"
  for ticks in text:gmatch("`+") do
    if #ticks >= #fence then
      fence = ("`"):rep(#ticks + 1)
    end
  end
  return ("%s\n%s\n%s"):format(fence, text, fence)
end

--- An entry as lines; the first is its heading.
function M.lines(entry)
  local text = (entry.text or ""):gsub("\r", ""):gsub("%z", "")
  local name = KINDS[entry.kind] or entry.kind
  if entry.kind == "toolCall" then
    name, text = entry.tool or "tool", fenced(text)
  elseif entry.kind == "toolResult" then
    name, text = entry.isError and "error" or "result", fenced(text)
  end
  local heading = ("%s %s · %s"):format(SHOWN[entry.kind] and "##" or "###", name, words.clock(entry.timestamp))
  if entry.kind == "assistant" and entry.model then
    heading = heading .. " · " .. words.model(entry.model)
  end
  if entry.truncated then
    text = text .. "\n\n… cut; <CR> shows all"
  end
  local lines = { words.line(heading), "" }
  vim.list_extend(lines, vim.split(text, "\n", { plain = true }))
  table.insert(lines, "")
  return lines
end

--- The level of folding of each of its lines, so many as there are, for 'foldexpr'.
function M.levels(entry, count)
  local levels = {}
  for number = 1, count do
    levels[number] = SHOWN[entry.kind] and "0" or (number == 1 and ">1" or "1")
  end
  return levels
end

--- Every string inside a value.
local function strings(value, found)
  if type(value) == "string" then
    table.insert(found, value)
  elseif type(value) == "table" then
    for _, item in pairs(value) do
      strings(item, found)
    end
  end
  return found
end

--- The whole text of an entry that was cut, in its record as it stands in the log.
function M.whole(entry, payload)
  -- What is kept may end in a mark that says that it was cut, so a little less of it is looked for.
  local begins, text = entry.text:sub(1, math.max(1, #entry.text - 16)), payload.raw or entry.text
  for _, candidate in ipairs(strings(payload.record, {})) do
    if candidate:sub(1, #begins) == begins and #candidate > #text then
      text = candidate
    end
  end
  return text
end

return M
