--- Tells the daemon what stands in planning files that are being edited, and of no other file: only those it asks for,
--- by registering for `textDocument/didChange` with patterns of paths. Neovim itself has no such registrations.
local compat = require("ccdash.compat")

local M = {}

local registered = {} -- regular expressions, by id of the registration
local followed = {} -- buffers whose changes are seen here
local due = {}

--- The regular expression of a glob pattern, in which `**/` is any folders or none.
local function expression(pattern)
  return vim.regex([[\C]] .. vim.fn.glob2regpat((pattern:gsub("%*%*/", "*"))))
end

local function tells(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  for _, expressions in pairs(registered) do
    for _, regex in ipairs(expressions) do
      if regex:match_str(name) then
        return true
      end
    end
  end
  return false
end

local function tell(bufnr)
  local client = require("ccdash.client").current()
  if not client or not vim.api.nvim_buf_is_loaded(bufnr) or not tells(bufnr) then
    return
  end
  local lines = vim.api.nvim_buf_get_lines(bufnr, 0, -1, true)
  local ending = vim.api.nvim_buf_get_option(bufnr, "fileformat") == "dos" and "\r\n" or "\n"
  local text = table.concat(lines, ending)
  if vim.api.nvim_buf_get_option(bufnr, "endofline") then
    text = text .. ending
  end
  compat.notify(client, "textDocument/didChange", {
    textDocument = { uri = vim.uri_from_bufnr(bufnr), version = vim.api.nvim_buf_get_changedtick(bufnr) },
    contentChanges = { { text = text } },
  })
end

--- See the changes of a buffer.
function M.follow(bufnr)
  if followed[bufnr] then
    return
  end
  followed[bufnr] = true
  vim.api.nvim_buf_attach(bufnr, false, {
    on_lines = function()
      if not due[bufnr] then
        due[bufnr] = true
        -- With all that changes until Neovim waits for the next key.
        vim.schedule(function()
          due[bufnr] = nil
          tell(bufnr)
        end)
      end
    end,
    on_detach = function()
      followed[bufnr] = nil
    end,
  })
end

--- The daemon wants to know the changes of files whose path fits a pattern.
function M.register(registrations)
  for _, registration in ipairs(registrations) do
    if registration.method == "textDocument/didChange" then
      local expressions = {}
      for _, filter in ipairs((registration.registerOptions or {}).documentSelector or {}) do
        table.insert(expressions, expression(filter.pattern))
      end
      registered[registration.id] = expressions
    end
  end
  -- Of files that were opened before, the daemon knows what is on disk.
  for _, bufnr in ipairs(require("ccdash.client").buffers()) do
    tell(bufnr)
  end
end

--- What the daemon wants to know of, by id of the registration.
function M.registered()
  return registered
end

--- It does not want to any more.
function M.unregister(registrations)
  for _, registration in ipairs(registrations) do
    registered[registration.id] = nil
  end
end

return M
