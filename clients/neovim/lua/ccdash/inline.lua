--- Lenses and hints. Lenses are Neovim's own code lenses, so that `vim.lsp.codelens.run()` runs them. Hints are Neovim's
--- own from 0.10 on, and are drawn here before.
local client = require("ccdash.client")
local compat = require("ccdash.compat")
local config = require("ccdash.config")

local M = {}

local NAMESPACE = vim.api.nvim_create_namespace("ccdash_hints")
local automatic_lenses = vim.lsp.codelens.enable ~= nil
local own_hints = vim.lsp.inlay_hint == nil

local asking = {}

--- Ask for something of a buffer; only one request of a kind at a time, and one more when it changed meanwhile.
local function ask(bufnr, method, params, done)
  local lsp_client = client.current()
  if not lsp_client or not vim.api.nvim_buf_is_loaded(bufnr) then
    return
  end
  local key = method .. bufnr
  if asking[key] then
    asking[key] = "again"
    return
  end
  asking[key] = "once"
  local sent = compat.request(lsp_client, method, params, function(err, result, context)
    local again = asking[key] == "again"
    asking[key] = nil
    -- What the daemon cannot answer now is asked again at the next occasion.
    if not err and vim.api.nvim_buf_is_loaded(bufnr) then
      done(result or {}, context)
    end
    if again then
      ask(bufnr, method, params, done)
    end
  end, bufnr)
  if not sent then
    asking[key] = nil
  end
end

local function clear_lenses(bufnr, client_id)
  if vim.lsp.codelens.clear then
    vim.lsp.codelens.clear(client_id, bufnr)
  else
    vim.lsp.codelens.save({}, bufnr, client_id)
    vim.api.nvim_buf_clear_namespace(bufnr, vim.lsp.codelens.__namespaces[client_id], 0, -1)
  end
end

local function lenses(bufnr)
  ask(bufnr, "textDocument/codeLens", { textDocument = { uri = vim.uri_from_bufnr(bufnr) } }, function(result, context)
    -- Neovim leaves the old ones where there are no new ones.
    if #result == 0 then
      clear_lenses(bufnr, context.client_id)
    else
      vim.lsp.codelens.on_codelens(nil, result, { bufnr = bufnr, client_id = context.client_id, method = context.method })
    end
  end)
end

local function hints(bufnr)
  local last = vim.api.nvim_buf_line_count(bufnr)
  local all = { start = { line = 0, character = 0 }, ["end"] = { line = last, character = 0 } }
  local params = { textDocument = { uri = vim.uri_from_bufnr(bufnr) }, range = all }
  ask(bufnr, "textDocument/inlayHint", params, function(result)
    vim.api.nvim_buf_clear_namespace(bufnr, NAMESPACE, 0, -1)
    for _, hint in ipairs(result) do
      if hint.position.line < vim.api.nvim_buf_line_count(bufnr) then
        vim.api.nvim_buf_set_extmark(bufnr, NAMESPACE, hint.position.line, 0, {
          virt_text = { { hint.label, "CcdashHint" } },
          hl_mode = "combine",
        })
      end
    end
  end)
end

local function has_hints(bufnr)
  -- Elsewhere there are none of ours, and those of other servers are not ours to turn on.
  return config.get().hints and vim.api.nvim_buf_get_option(bufnr, "filetype") == "markdown"
end

--- Show lenses and hints of a buffer from now on, as far as Neovim does that itself.
function M.enable(lsp_client, bufnr)
  vim.cmd("highlight default link CcdashHint LspCodeLens")
  if automatic_lenses then
    vim.lsp.codelens.enable(config.get().lens, { bufnr = bufnr, client_id = lsp_client.id })
  end
  if not own_hints and has_hints(bufnr) then
    vim.lsp.inlay_hint.enable(true, { bufnr = bufnr })
  end
end

--- Ask anew for lenses and hints of a buffer.
function M.refresh(bufnr)
  if config.get().lens and not automatic_lenses then
    lenses(bufnr)
  end
  if own_hints and has_hints(bufnr) then
    hints(bufnr)
  end
end

--- Ask anew for those of all buffers that can be seen.
function M.refresh_shown()
  for _, bufnr in ipairs(client.buffers()) do
    if vim.fn.bufwinid(bufnr) > 0 then
      M.refresh(bufnr)
    end
  end
end

--- Take away what is drawn here: the connection it came from is gone.
function M.clear_all()
  asking = {}
  for _, bufnr in ipairs(client.buffers()) do
    vim.api.nvim_buf_clear_namespace(bufnr, NAMESPACE, 0, -1)
  end
end

return M
