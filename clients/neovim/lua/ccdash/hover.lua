--- What is known of the line under the cursor, in a floating window.
local client = require("ccdash.client")
local compat = require("ccdash.compat")

local M = {}

--- Show the daemon's answer to a hover.
function M.display(result)
  if not result or not result.contents then
    return client.say("nothing is known of this line")
  end
  local lines = vim.lsp.util.convert_input_to_markdown_lines(result.contents)
  vim.lsp.util.open_floating_preview(lines, "markdown", { focus_id = "ccdash-hover" })
end

--- Ask, and show the answer.
function M.show()
  if not client.file() then
    return
  end
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local before = vim.api.nvim_get_current_line():sub(1, column)
  local _, character = vim.str_utfindex(before)
  local params = {
    textDocument = { uri = vim.uri_from_bufnr(0) },
    position = { line = row - 1, character = character },
  }
  client.ask("textDocument/hover", params, M.display)
end

--- Answers of `vim.lsp.buf.hover()` in versions that show only one: another server's comes first.
function M.handler(err, result, context)
  for _, other in ipairs(compat.clients(context.bufnr)) do
    if other.id ~= context.client_id and compat.hovers(other) then
      return
    end
  end
  if err then
    return client.warn(err.message)
  end
  M.display(result)
end

return M
