--- Lenses and hints. Up to 0.11 lenses are Neovim's own code lenses. From 0.12 on Neovim turns them on for all servers of
--- a buffer at once, so they are drawn here, unless the user turned them on. `vim.lsp.codelens.run()` runs them always.
--- Hints are Neovim's own from 0.10 on, and are drawn here before.
local client = require("ccdash.client")
local compat = require("ccdash.compat")
local config = require("ccdash.config")

local M = {}

local HINTS = vim.api.nvim_create_namespace("ccdash_hints")
local LENSES = vim.api.nvim_create_namespace("ccdash_lenses")
local own_lenses = vim.lsp.codelens.enable ~= nil
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

--- Draw what `items` have to say behind their lines: pairs of a line and a list of texts.
local function draw(bufnr, namespace, items)
  vim.api.nvim_buf_clear_namespace(bufnr, namespace, 0, -1)
  for line, texts in pairs(items) do
    if line < vim.api.nvim_buf_line_count(bufnr) then
      vim.api.nvim_buf_set_extmark(bufnr, namespace, line, 0, {
        virt_text = { { table.concat(texts, " | "), namespace == HINTS and "CcdashHint" or "LspCodeLens" } },
        hl_mode = "combine",
      })
    end
  end
end

local function by_line(found, line_of, text_of)
  local items = {}
  for _, item in ipairs(found) do
    items[line_of(item)] = items[line_of(item)] or {}
    table.insert(items[line_of(item)], text_of(item))
  end
  return items
end

local function draw_lenses(bufnr, result)
  draw(bufnr, LENSES, by_line(result, function(lens)
    return lens.range.start.line
  end, function(lens)
    return lens.command.title
  end))
end

--- Give lenses to Neovim, which keeps and draws them.
local function hand_over(bufnr, result, context)
  if #result > 0 then
    return vim.lsp.codelens.on_codelens(nil, result, { bufnr = bufnr, client_id = context.client_id, method = context.method })
  end
  -- It would leave the old ones where there are no new ones.
  vim.lsp.codelens.save({}, bufnr, context.client_id)
  if vim.lsp.codelens.clear then
    vim.lsp.codelens.clear(context.client_id, bufnr)
  else
    vim.api.nvim_buf_clear_namespace(bufnr, vim.lsp.codelens.__namespaces[context.client_id], 0, -1)
  end
end

local function lenses(bufnr)
  ask(bufnr, "textDocument/codeLens", { textDocument = { uri = vim.uri_from_bufnr(bufnr) } }, function(result, context)
    if not own_lenses then
      hand_over(bufnr, result, context)
    elseif vim.lsp.codelens.is_enabled({ bufnr = bufnr, client_id = context.client_id }) then
      draw_lenses(bufnr, {})
    else
      draw_lenses(bufnr, result)
    end
  end)
end

local function hints(bufnr)
  local last = vim.api.nvim_buf_line_count(bufnr)
  local all = { start = { line = 0, character = 0 }, ["end"] = { line = last, character = 0 } }
  local params = { textDocument = { uri = vim.uri_from_bufnr(bufnr) }, range = all }
  ask(bufnr, "textDocument/inlayHint", params, function(result)
    draw(bufnr, HINTS, by_line(result, function(hint)
      return hint.position.line
    end, function(hint)
      return hint.label
    end))
  end)
end

local function has_hints(bufnr)
  -- Elsewhere there are none of ours, and those of other servers are not ours to turn on.
  return config.get().hints and vim.api.nvim_buf_get_option(bufnr, "filetype") == "markdown"
end

--- A buffer was attached: have Neovim show its hints, where it can.
function M.enable(bufnr)
  vim.cmd("highlight default link CcdashHint LspCodeLens")
  if not own_hints and has_hints(bufnr) then
    vim.lsp.inlay_hint.enable(true, { bufnr = bufnr })
  end
end

--- Ask anew for lenses and hints of a buffer.
function M.refresh(bufnr)
  if config.get().lens then
    lenses(bufnr)
  end
  if own_hints and has_hints(bufnr) then
    hints(bufnr)
  end
end

--- Something changed: ask anew for those of all buffers that can be seen, and read files that were written elsewhere.
function M.refresh_shown()
  for _, bufnr in ipairs(client.buffers()) do
    if vim.fn.bufwinid(bufnr) > 0 then
      if not vim.api.nvim_buf_get_option(bufnr, "modified") then
        vim.cmd("silent! checktime " .. bufnr)
      end
      M.refresh(bufnr)
    end
  end
end

--- Take away what is drawn here: the connection it came from is gone.
function M.clear_all()
  asking = {}
  for _, bufnr in ipairs(client.buffers()) do
    draw(bufnr, HINTS, {})
    draw(bufnr, LENSES, {})
  end
end

return M
