--- Who wrote which lines: a window beside the file that scrolls with it, with a note at each block of lines that an agent
--- wrote and that still stands.
local client = require("ccdash.client")
local words = require("ccdash.words")

local M = {}

local WIDTH = 56

--- Options of the window of the file, without which lines would not stand side by side.
local ALIGNED = { wrap = false, foldenable = false, scrollbind = true, cursorbind = true }
local SIDE = { number = false, relativenumber = false, signcolumn = "no", foldcolumn = "0", winfixwidth = true, list = false }

local open = {} -- buffers with notes, by the buffer of the file

local function text_of(change)
  local facts = { words.ago(change.time), words.model(change.model), words.cost(change.cost) }
  table.insert(facts, (change.prompt or {}).text or change.title)
  local known = vim.tbl_filter(function(fact)
    return fact ~= ""
  end, facts)
  return words.cut(table.concat(known, " · "), WIDTH - 1)
end

--- A line of notes for each line of the file, and the change of each that has one.
local function notes_of(blame, count)
  local lines, changes = {}, {}
  for number = 1, count do
    lines[number] = ""
  end
  for _, block in ipairs(blame.blocks) do
    local change = blame.changes[block.change + 1]
    for number = block.start, math.min(block["end"], count) do
      lines[number] = number == block.start and text_of(change) or "│"
      changes[number] = change
    end
  end
  return lines, changes
end

--- Set options of a window alone. Returns what they were.
local function set_options(window, options)
  local before = {}
  vim.api.nvim_win_call(window, function()
    for name, value in pairs(options) do
      before[name] = vim.wo[name]
      vim.opt_local[name] = value
    end
  end)
  return before
end

local function show_notes(bufnr, window, lines, changes)
  local notes = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(notes, 0, -1, true, lines)
  for name, value in pairs({ bufhidden = "wipe", modifiable = false, filetype = "ccdash-blame" }) do
    vim.api.nvim_buf_set_option(notes, name, value)
  end
  local before = set_options(window, ALIGNED)
  local place = vim.api.nvim_win_get_cursor(window)
  vim.cmd(("leftabove vertical %dsplit"):format(WIDTH))
  vim.api.nvim_win_set_buf(0, notes)
  set_options(vim.api.nvim_get_current_win(), vim.tbl_extend("error", SIDE, ALIGNED))
  vim.api.nvim_win_set_cursor(0, place)
  vim.cmd("syncbind")
  open[bufnr] = notes
  vim.api.nvim_create_autocmd("BufWipeout", {
    buffer = notes,
    callback = function()
      open[bufnr] = nil
      if vim.api.nvim_win_is_valid(window) then
        set_options(window, before)
      end
    end,
  })
  vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = notes, nowait = true })
  vim.keymap.set("n", "<CR>", function()
    local change = changes[vim.api.nvim_win_get_cursor(0)[1]]
    if change then
      require("ccdash.transcript").open(change.sessionId, change.entry)
    end
  end, { buffer = notes, nowait = true })
end

--- Show who wrote the lines of a buffer, as they are now, beside its window.
function M.show(bufnr)
  local params = { path = vim.api.nvim_buf_get_name(bufnr) }
  if vim.api.nvim_buf_get_option(bufnr, "modified") then
    params.text = table.concat(vim.api.nvim_buf_get_lines(bufnr, 0, -1, true), "\n") .. "\n"
  end
  client.ask("files/blame", params, function(blame)
    local window = vim.fn.bufwinid(bufnr)
    if window < 0 or open[bufnr] then
      return
    end
    if #blame.blocks == 0 then
      return client.say("no line of this file was written by an agent, as far as is known")
    end
    vim.api.nvim_set_current_win(window)
    show_notes(bufnr, window, notes_of(blame, vim.api.nvim_buf_line_count(bufnr)))
    local count = words.count(blame.lines, "line")
    client.say(("%d of %s were written by agents; <CR> shows the transcript, q closes"):format(blame.agentLines, count))
  end)
end

--- Show who wrote the lines of the current buffer, or close what shows it.
function M.toggle()
  local bufnr = vim.api.nvim_get_current_buf()
  for file, notes in pairs(open) do
    if file == bufnr or notes == bufnr then
      vim.api.nvim_buf_delete(notes, { force = true })
      return
    end
  end
  if client.file() then
    M.show(bufnr)
  end
end

return M
