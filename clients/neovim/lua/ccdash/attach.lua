--- Which buffers are given to the daemon, and what they get: lenses, hints, keys, and telling changes of plans.
local client = require("ccdash.client")
local compat = require("ccdash.compat")
local config = require("ccdash.config")

local M = {}

local GROUP = "ccdash"

local function wanted(bufnr)
  local types = config.get().filetypes
  return compat.is_file(bufnr)
    and (not types or vim.tbl_contains(types, vim.api.nvim_buf_get_option(bufnr, "filetype")))
end

--- Give a buffer to the daemon, where it is a file in a project; a project is what git knows.
function M.consider(bufnr)
  if not wanted(bufnr) then
    return
  end
  local root = compat.root(vim.api.nvim_buf_get_name(bufnr))
  if root and not (client.owns(bufnr) and client.current()) then
    client.attach(bufnr, root)
  end
end

local function map_keys(bufnr)
  local commands = {
    run_lens = vim.lsp.codelens.run,
    hover = require("ccdash.hover").show,
    search = "<Cmd>CcdashSearch<CR>",
    sessions = "<Cmd>CcdashSessions<CR>",
    transcript = "<Cmd>CcdashTranscript<CR>",
    blame = "<Cmd>CcdashBlame<CR>",
    set_status = "<Cmd>CcdashSetStatus<CR>",
  }
  for name, keys in pairs(config.get().keymaps) do
    vim.keymap.set("n", keys, commands[name], { buffer = bufnr, desc = "ccdash: " .. config.actions[name] })
  end
end

--- A buffer was attached to the daemon's client.
function M.attached(bufnr)
  local inline = require("ccdash.inline")
  map_keys(bufnr)
  require("ccdash.texts").follow(bufnr)
  inline.enable(bufnr)
  vim.api.nvim_create_autocmd({ "BufEnter", "CursorHold", "InsertLeave", "BufWritePost" }, {
    group = vim.api.nvim_create_augroup(GROUP .. "_buffer_" .. bufnr, {}),
    buffer = bufnr,
    desc = "ccdash: ask for lenses anew",
    callback = function()
      inline.refresh(bufnr)
    end,
  })
  inline.refresh(bufnr)
end

--- Attach to files from now on, and to those that are open.
function M.enable()
  local group = vim.api.nvim_create_augroup(GROUP, {})
  vim.api.nvim_create_autocmd({ "BufReadPost", "BufNewFile", "BufWritePost", "BufEnter", "FileType" }, {
    group = group,
    desc = "ccdash: attach to files of projects",
    callback = function(event)
      M.consider(event.buf)
    end,
  })
  vim.api.nvim_create_autocmd("BufUnload", {
    group = group,
    desc = "ccdash: forget a buffer",
    callback = function(event)
      client.forget(event.buf)
    end,
  })
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    M.consider(bufnr)
  end
end

return M
