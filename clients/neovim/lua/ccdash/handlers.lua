--- What the daemon asks of Neovim, and the commands that are carried out here and not by the daemon.
local client = require("ccdash.client")
local compat = require("ccdash.compat")

local M = {}

--- Save a buffer as it is: without what others do on saving, and without a line end that was not there. The edit changes
--- one value, and every other byte stays.
local function save(bufnr)
  local fix = vim.api.nvim_buf_get_option(bufnr, "fixendofline")
  vim.api.nvim_buf_set_option(bufnr, "fixendofline", false)
  local ok, problem = pcall(vim.api.nvim_buf_call, bufnr, function()
    vim.cmd("silent noautocmd update")
  end)
  vim.api.nvim_buf_set_option(bufnr, "fixendofline", fix)
  if not ok then
    client.warn(("the change is in the buffer, but could not be saved: %s"):format(problem))
  end
end

local function uris(edit)
  local found = vim.tbl_keys(edit.changes or {})
  for _, change in ipairs(edit.documentChanges or {}) do
    table.insert(found, change.textDocument.uri)
  end
  return found
end

--- Carry out an edit. Buffers that were as on disk are saved, others are left to the user. Returns whether it was, and
--- else why not.
function M.apply(edit)
  local before = {}
  for _, uri in ipairs(uris(edit)) do
    local bufnr = vim.uri_to_bufnr(uri)
    before[bufnr] = {
      tick = vim.api.nvim_buf_get_changedtick(bufnr),
      saved = not vim.api.nvim_buf_get_option(bufnr, "modified"),
    }
  end
  local ok, problem = pcall(vim.lsp.util.apply_workspace_edit, edit, "utf-16")
  if not ok then
    return false, problem
  end
  for bufnr, known in pairs(before) do
    if vim.api.nvim_buf_get_changedtick(bufnr) == known.tick then
      return false, "the text changed meanwhile; try again"
    end
    if known.saved then
      save(bufnr)
    end
  end
  return true
end

local function apply_edit(_, params)
  local applied, reason = M.apply(params.edit)
  return { applied = applied, failureReason = reason }
end

local function show_document(_, params)
  if params.external then
    if vim.ui.open then
      vim.ui.open(params.uri)
    else
      client.say("see " .. params.uri)
    end
    return { success = true }
  end
  local selection = params.selection or { start = { line = 0, character = 0 }, ["end"] = { line = 0, character = 0 } }
  local location = { uri = params.uri, range = selection }
  local show = vim.lsp.util.show_document or vim.lsp.util.jump_to_location
  return { success = show(location, "utf-16") and true or false }
end

local function show_message(_, params)
  local levels = { vim.log.levels.ERROR, vim.log.levels.WARN, vim.log.levels.INFO, vim.log.levels.DEBUG }
  client.say(params.message, levels[params.type])
  return vim.NIL
end

local function refresh(...)
  require("ccdash.inline").refresh_shown()
  local automatic = vim.lsp.codelens.on_refresh
  return automatic and automatic(...) or vim.NIL
end

local function registrations(change, name)
  return function(_, params)
    require("ccdash.texts")[change](params[name])
    return vim.NIL
  end
end

M.handlers = {
  ["workspace/applyEdit"] = apply_edit,
  ["window/showDocument"] = show_document,
  ["window/showMessage"] = show_message,
  ["client/registerCapability"] = registrations("register", "registrations"),
  ["client/unregisterCapability"] = registrations("unregister", "unregisterations"),
  ["textDocument/hover"] = require("ccdash.hover").handler,
  ["workspace/codeLens/refresh"] = refresh,
  ["ccdash/transcript"] = function(_, params)
    require("ccdash.transcript").added(params)
  end,
}
if not vim.lsp.inlay_hint then
  -- It comes with the one above, which asks for hints as well.
  M.handlers["workspace/inlayHint/refresh"] = function()
    return vim.NIL
  end
end

for method, handler in pairs(M.handlers) do
  M.handlers[method] = function(err, params, ...)
    return handler(err, compat.plain(params), ...)
  end
end

local function argument(command)
  return compat.plain((command.arguments or {})[1]) or {}
end

--- By id, as lenses and actions name them.
M.commands = {
  ["ccdash.openTranscript"] = function(command)
    local given = argument(command)
    require("ccdash.transcript").open(given.session, given.entry)
  end,
  ["ccdash.showSessions"] = function(command)
    require("ccdash.pickers").touched(vim.uri_to_fname(argument(command).uri))
  end,
  ["ccdash.showFeature"] = function(command)
    require("ccdash.pickers").feature(argument(command).id)
  end,
  ["ccdash.blame"] = function(command)
    require("ccdash.blame").show(vim.uri_to_bufnr(argument(command).uri))
  end,
}

return M
