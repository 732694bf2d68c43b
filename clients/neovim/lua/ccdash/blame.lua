--- Who wrote which lines: a note at the first line of each block that an agent wrote and that still stands.
local client = require("ccdash.client")
local words = require("ccdash.words")

local M = {}

local NAMESPACE = vim.api.nvim_create_namespace("ccdash_blame")

local function text_of(change)
  local facts = { words.ago(change.time), words.model(change.model), words.cost(change.cost) }
  local prompt = change.prompt and change.prompt ~= vim.NIL and change.prompt.text or change.title
  table.insert(facts, words.cut(prompt, 60))
  return table.concat(
    vim.tbl_filter(function(fact)
      return fact ~= ""
    end, facts),
    " · "
  )
end

--- Whether notes are shown in a buffer.
function M.shown(bufnr)
  return #vim.api.nvim_buf_get_extmarks(bufnr, NAMESPACE, 0, -1, {}) > 0
end

--- Take the notes away.
function M.hide(bufnr)
  vim.api.nvim_buf_clear_namespace(bufnr, NAMESPACE, 0, -1)
end

--- Show notes at the lines of a buffer, as they are now.
function M.show(bufnr)
  local params = { path = vim.api.nvim_buf_get_name(bufnr) }
  if vim.api.nvim_buf_get_option(bufnr, "modified") then
    params.text = table.concat(vim.api.nvim_buf_get_lines(bufnr, 0, -1, true), "\n") .. "\n"
  end
  vim.cmd("highlight default link CcdashBlame LspCodeLens")
  client.ask("files/blame", params, function(blame)
    M.hide(bufnr)
    if #blame.blocks == 0 then
      return client.say("no line of this file was written by an agent, as far as is known")
    end
    for _, block in ipairs(blame.blocks) do
      if block.start <= vim.api.nvim_buf_line_count(bufnr) then
        vim.api.nvim_buf_set_extmark(bufnr, NAMESPACE, block.start - 1, 0, {
          virt_text = { { text_of(blame.changes[block.change + 1]), "CcdashBlame" } },
          hl_mode = "combine",
        })
      end
    end
    client.say(
      ("%d of %d lines were written by agents; :CcdashBlame hides this"):format(blame.agentLines, blame.lines)
    )
  end)
end

--- Show the notes of the current buffer, or hide them.
function M.toggle()
  local bufnr = vim.api.nvim_get_current_buf()
  if M.shown(bufnr) then
    M.hide(bufnr)
  else
    M.show(bufnr)
  end
end

return M
