--- Search in everything that was said, done and planned: hits to choose from, each opened where it stands.
local client = require("ccdash.client")
local pickers = require("ccdash.pickers")
local words = require("ccdash.words")

local M = {}

--- Hits that are asked for at a time, and characters around their words.
local HITS = 50
local SNIPPET = 120

local WHO = {
  prompt = "you",
  command = "you",
  steering = "you",
  queued = "you",
  bash = "you",
  assistant = "agent",
  thinking = "thinks",
  compactSummary = "summary",
}

--- What was asked last, to begin with the next time.
local last = ""

local function who(hit)
  if hit.type ~= "entry" then
    return hit.type
  end
  return hit.tool or WHO[hit.kind] or hit.kind or ""
end

local function text_of(hit)
  local parts = {}
  for _, part in ipairs(hit.snippet) do
    table.insert(parts, part.text)
  end
  local place = hit.type ~= "entry" and hit.type ~= "session" and hit.line and (":%d"):format(hit.line) or ""
  return ("%-8s  %-8s  %s%s  %s"):format(
    words.ago(hit.timestamp),
    words.cut(who(hit), 8),
    words.cut(hit.title ~= "" and hit.title or words.short(hit.id), 30),
    place,
    words.line(table.concat(parts))
  )
end

--- What the index lacks, in words; empty where that is nothing.
local function missing(index)
  if not index.enabled then
    return "; the index of texts is turned off"
  elseif index.complete then
    return ""
  elseif index.logsMissing > 0 then
    return ("; %s not indexed yet"):format(words.count(index.logsMissing, "log"))
  end
  return "; the newest entries are being indexed"
end

--- Show a hit: the transcript at the entry, or the file at the line.
local function open(hit)
  -- A note leads to what it is on.
  local type, id = hit.noteOn or hit.type, hit.id
  if type == "entry" or type == "session" then
    return require("ccdash.transcript").open(id, hit.entry)
  elseif hit.path then
    return pickers.open_file(hit.path, hit.line)
  elseif type == "feature" then
    return pickers.feature(id)
  elseif type == "task" or type == "document" then
    return client.ask(type .. "s/get", { id = id }, function(found)
      pickers.open_file(found.absolutePath, found.line)
    end)
  end
  client.say(("%s has no file to show"):format(hit.title))
end

local function ask(query, hits, cursor)
  local params = { query = query, limit = HITS, snippet = SNIPPET, cursor = cursor }
  client.ask("search/query", params, function(found)
    vim.list_extend(hits, found.items)
    local lacks = missing(found.index)
    if #hits == 0 then
      return client.say(("nothing was found for '%s'%s"):format(query, lacks))
    end
    local items = vim.list_slice(hits, 1, #hits)
    if found.nextCursor then
      table.insert(items, { more = found.nextCursor })
    end
    local total = (found.totalExact and "%d" or "more than %d"):format(found.total)
    local prompt = ("Search %s (%d of %s%s)"):format(query, #hits, total, lacks)
    vim.ui.select(items, {
      prompt = words.line(prompt),
      kind = "ccdash",
      format_item = function(item)
        return item.more and "… more" or text_of(item)
      end,
    }, function(item)
      if item and item.more then
        ask(query, hits, item.more)
      elseif item then
        open(item)
      end
    end)
  end)
end

--- Search for what the user types, or for `query`.
function M.search(query)
  if query ~= "" then
    last = query
    return ask(query, {})
  end
  vim.ui.input({ prompt = "Search: ", default = last }, function(typed)
    if typed and vim.trim(typed) ~= "" then
      last = typed
      ask(typed, {})
    end
  end)
end

return M
