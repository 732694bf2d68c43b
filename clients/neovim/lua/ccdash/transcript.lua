--- Transcripts as Markdown in buffers that cannot be changed. What agents ran and thought is folded. A chunk is shown at
--- first; what comes before and after it is read on demand, and what is added while the buffer is open appears by itself.
local client = require("ccdash.client")
local entries = require("ccdash.entries")
local words = require("ccdash.words")

local M = {}

--- Entries that are read at a time.
local CHUNK = 200

local open = {} -- transcripts by buffer

--- The level of a line, for 'foldexpr'.
function M.fold(number)
  local transcript = open[vim.api.nvim_get_current_buf()]
  return transcript and transcript.levels[number] or "0"
end

local function write(transcript, start, stop, lines)
  vim.api.nvim_buf_set_option(transcript.bufnr, "modifiable", true)
  vim.api.nvim_buf_set_lines(transcript.bufnr, start, stop, true, lines)
  vim.api.nvim_buf_set_option(transcript.bufnr, "modifiable", false)
  vim.api.nvim_buf_set_option(transcript.bufnr, "modified", false)
end

--- Put entries before or after those that are shown.
local function insert(transcript, new, at_end)
  local lines, levels, shown = {}, {}, {}
  for _, entry in ipairs(new) do
    local own = entries.lines(entry)
    vim.list_extend(lines, own)
    vim.list_extend(levels, entries.levels(entry, #own))
    table.insert(shown, { entry = entry, count = #own })
  end
  if at_end then
    write(transcript, transcript.count, transcript.count, lines)
    vim.list_extend(transcript.levels, levels)
    vim.list_extend(transcript.shown, shown)
  else
    write(transcript, transcript.head, transcript.head, lines)
    local head = vim.list_slice(transcript.levels, 1, transcript.head)
    local rest = vim.list_slice(transcript.levels, transcript.head + 1)
    transcript.levels = vim.list_extend(vim.list_extend(head, levels), rest)
    transcript.shown = vim.list_extend(shown, transcript.shown)
  end
  transcript.count = transcript.count + #lines
end

--- The entry that a line belongs to, its place in `shown`, and its first line.
local function entry_at(transcript, line)
  local first = transcript.head + 1
  for place, shown in ipairs(transcript.shown) do
    if line >= first and line < first + shown.count then
      return shown, place, first
    end
    first = first + shown.count
  end
end

--- Tell above and below what is not shown.
local function edges(transcript)
  local before, after = transcript.first, transcript.total - transcript.last
  local top = before > 0 and ("… %d earlier entries; [e shows more"):format(before) or ""
  local bottom = after > 0 and ("… %d later entries; ]e shows more"):format(after) or ""
  write(transcript, transcript.head - 2, transcript.head - 1, { top })
  write(transcript, transcript.count, -1, { bottom })
end

local function take(transcript, chunk, at_end)
  insert(transcript, chunk.items, at_end)
  if at_end then
    transcript.last = chunk.start + #chunk.items
  end
  if not at_end or transcript.first == nil then
    transcript.first = chunk.start
  end
  transcript.total = math.max(chunk.total, transcript.last)
  edges(transcript)
end

local function read(transcript, start, limit, at_end, done)
  if transcript.reading then
    return
  end
  transcript.reading = true
  client.ask("sessions/transcript", { id = transcript.session, start = start, limit = limit }, function(chunk)
    transcript.reading = false
    if vim.api.nvim_buf_is_loaded(transcript.bufnr) then
      take(transcript, chunk, at_end)
      if done then
        done()
      end
    end
  end, function(problem)
    transcript.reading = false
    client.warn(problem)
  end)
end

local function earlier(transcript)
  local start = math.max(0, transcript.first - CHUNK)
  if transcript.first > 0 then
    read(transcript, start, transcript.first - start, false)
  end
end

local function later(transcript)
  if transcript.last < transcript.total then
    read(transcript, transcript.last, CHUNK, true)
  end
end

--- Show an entry that was cut with all of its text, which the daemon reads from the log.
local function whole(transcript)
  local shown = entry_at(transcript, vim.api.nvim_win_get_cursor(0)[1])
  if not shown or not shown.entry.truncated then
    return
  end
  local entry = shown.entry
  client.ask("sessions/entry", { id = transcript.session, entry = entry.id }, function(payload)
    local new = vim.tbl_extend("force", entry, { text = entries.whole(entry, payload), truncated = false })
    for place, other in ipairs(transcript.shown) do
      if other == shown then
        local line = transcript.head
        for before = 1, place - 1 do
          line = line + transcript.shown[before].count
        end
        local lines = entries.lines(new)
        write(transcript, line, line + shown.count, lines)
        local head = vim.list_slice(transcript.levels, 1, line)
        local rest = vim.list_slice(transcript.levels, line + shown.count + 1)
        transcript.levels = vim.list_extend(vim.list_extend(head, entries.levels(new, #lines)), rest)
        transcript.count = transcript.count + #lines - shown.count
        shown.entry, shown.count = new, #lines
      end
    end
  end)
end

--- Entries were added to a session that is being written.
function M.added(params)
  for _, transcript in pairs(open) do
    if transcript.session == params.sessionId and transcript.last == transcript.total then
      local given, next_one = params.entries or {}, transcript.last
      if params.missed or (given[1] and given[1].index > next_one) then
        read(transcript, next_one, CHUNK, true)
        return
      end
      local new = vim.tbl_filter(function(entry)
        return entry.index >= next_one
      end, given)
      if #new > 0 then
        take(transcript, { items = new, start = next_one, total = next_one + #new }, true)
      end
    end
  end
end

--- Options of the window, some of which it may have from the one that it was split from.
local WINDOW = {
  foldmethod = "expr",
  foldexpr = "v:lua.require'ccdash.transcript'.fold(v:lnum)",
  foldlevel = 0,
  foldenable = true,
  wrap = true,
  linebreak = true,
  scrollbind = false,
  cursorbind = false,
  winfixwidth = false,
}

local function prepare(session, row)
  local bufnr = vim.api.nvim_create_buf(true, true)
  vim.api.nvim_buf_set_name(bufnr, "ccdash://transcript/" .. session)
  local options = { buftype = "nofile", bufhidden = "wipe", swapfile = false, undolevels = -1, modeline = false }
  for name, value in pairs(options) do
    vim.api.nvim_buf_set_option(bufnr, name, value)
  end
  local facts = { row.projectName, row.agent, words.model(row.model), words.clock(row.startedAt, "%Y-%m-%d %H:%M") }
  local head = {
    words.line("# " .. (row.title ~= "" and row.title or "(no title)")),
    "",
    words.line(("`%s` · %s"):format(session, table.concat(facts, " · "))),
    "",
    "",
  }
  local transcript = { bufnr = bufnr, session = session, shown = {}, levels = {}, head = #head, count = #head }
  transcript.last, transcript.total = 0, 0
  for number in ipairs(head) do
    transcript.levels[number] = "0"
  end
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, true, head)
  open[bufnr] = transcript
  vim.api.nvim_create_autocmd("BufWipeout", {
    buffer = bufnr,
    callback = function()
      open[bufnr] = nil
      if client.current() then
        client.ask("ccdash/unsubscribe", { topics = { "transcript:" .. session } }, function() end, function() end)
      end
    end,
  })
  local keys = {
    q = function()
      vim.cmd(#vim.api.nvim_list_wins() > 1 and "close" or "bwipeout")
    end,
    ["[e"] = function()
      earlier(transcript)
    end,
    ["]e"] = function()
      later(transcript)
    end,
    ["<CR>"] = function()
      whole(transcript)
    end,
  }
  for key, action in pairs(keys) do
    vim.keymap.set("n", key, action, { buffer = bufnr, nowait = true })
  end
  return transcript
end

local function show(transcript, entry)
  vim.cmd("botright split")
  vim.api.nvim_win_set_buf(0, transcript.bufnr)
  vim.api.nvim_buf_set_option(transcript.bufnr, "filetype", "markdown")
  -- After what belongs to the file type.
  for name, value in pairs(WINDOW) do
    vim.opt_local[name] = value
  end
  vim.api.nvim_buf_set_option(transcript.bufnr, "modifiable", false)
  M.go(transcript, entry)
end

--- Put the cursor on an entry; on the last where none is named.
function M.go(transcript, entry)
  local line, found = transcript.head + 1, transcript.head + 1
  for _, shown in ipairs(transcript.shown) do
    if not entry or shown.entry.id == entry or shown.entry.uuid == entry then
      found = line
      if entry then
        break
      end
    end
    line = line + shown.count
  end
  vim.api.nvim_win_set_cursor(0, { math.min(found, vim.api.nvim_buf_line_count(0)), 0 })
  vim.cmd("silent! normal! zv")
end

--- Go to the window of a transcript that is shown already. Returns whether there is one.
local function go_to_shown(session, entry)
  for bufnr, transcript in pairs(open) do
    local window = vim.fn.bufwinid(bufnr)
    if transcript.session == session and window > 0 then
      vim.api.nvim_set_current_win(window)
      M.go(transcript, entry)
      return true
    end
  end
  return false
end

--- Open the transcript of a session at its end, or at an entry.
function M.open(session, entry)
  client.ask("sessions/get", { id = session }, function(row)
    if go_to_shown(row.id, entry) then
      return
    end
    local params = { id = row.id, limit = CHUNK, from = entry, start = not entry and -CHUNK or nil }
    -- First, so that nothing can fall between.
    client.ask("ccdash/subscribe", { topics = { "transcript:" .. row.id } }, function()
      client.ask("sessions/transcript", params, function(chunk)
        if not go_to_shown(row.id, entry) then
          local transcript = prepare(row.id, row)
          take(transcript, chunk, true)
          show(transcript, entry)
        end
      end)
    end)
  end)
end

--- Open the transcript of the session that touched the file of the buffer last.
function M.open_last()
  local path = client.file()
  if not path then
    return
  end
  client.ask("files/context", { path = path, limit = 1 }, function(context)
    if context.sessions[1] then
      M.open(context.sessions[1].session.id)
    else
      client.say("no session touched this file; :CcdashSessions! lists all sessions")
    end
  end)
end

return M
