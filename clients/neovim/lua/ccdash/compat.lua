--- What differs between versions of Neovim, from 0.7 on.
local M = {}

local methods = vim.fn.has("nvim-0.11") == 1

--- Start a language server that belongs to no buffer yet. Returns the id of the client, or nil.
function M.start(config)
  if methods then
    return vim.lsp.start(config, {
      attach = false,
      reuse_client = function()
        return false
      end,
    })
  end
  return vim.lsp.start_client(config)
end

--- A value without the nulls of JSON in its objects, which Neovim leaves out before 0.12.
function M.plain(value)
  if value == vim.NIL then
    return nil
  end
  if type(value) == "table" then
    for key, item in pairs(value) do
      if type(key) == "string" then
        value[key] = M.plain(item)
      elseif type(item) == "table" then
        M.plain(item)
      end
    end
  end
  return value
end

--- Send a request. Returns false where the server is gone.
function M.request(client, method, params, callback, bufnr)
  local function answered(err, result, context)
    callback(err, M.plain(result), context)
  end
  if methods then
    return client:request(method, params, answered, bufnr)
  end
  return client.request(method, params, answered, bufnr)
end

function M.notify(client, method, params)
  if methods then
    return client:notify(method, params)
  end
  return client.notify(method, params)
end

--- The clients of a buffer.
function M.clients(bufnr)
  if vim.lsp.get_clients then
    return vim.lsp.get_clients({ bufnr = bufnr })
  end
  return vim.tbl_values(vim.lsp.buf_get_clients(bufnr))
end

--- Whether a client answers hovers.
function M.hovers(client)
  local capabilities = client.server_capabilities or {}
  return capabilities.hoverProvider ~= nil and capabilities.hoverProvider ~= false
end

--- Whether a buffer is a file, and not a help page, a terminal or another plugin's.
function M.is_file(bufnr)
  return vim.api.nvim_buf_is_loaded(bufnr)
    and vim.api.nvim_buf_get_option(bufnr, "buftype") == ""
    and vim.api.nvim_buf_get_name(bufnr):match("^/") ~= nil
end

--- The folder that holds `.git`, which is a file in a worktree, of a path; nil where none does.
function M.root(path)
  local folder = path
  while true do
    local parent = vim.fn.fnamemodify(folder, ":h")
    if parent == folder then
      return nil
    end
    folder = parent
    if vim.loop.fs_stat((folder == "/" and "" or folder) .. "/.git") then
      return folder
    end
  end
end

M.health = vim.health or require("health")

return M
