--- What the user may set, and what holds where nothing is set.
local M = {}

--- Names that `keymaps` may have, each with what it does.
M.actions = {
  run_lens = "what the lens of this line offers",
  hover = "what is known of this line",
  search = "search in everything that was said, done and planned",
  sessions = "sessions that touched this file",
  transcript = "transcript of the last session that touched this file",
  blame = "who wrote which lines",
  set_status = "set the status of what this line is about",
}

M.defaults = {
  cmd = { "ccdash", "lsp" },
  filetypes = nil,
  lens = true,
  hints = true,
  keymaps = {},
}

local values = vim.deepcopy(M.defaults)
local OPTIONS = "cmd, filetypes, lens, hints, keymaps"

local function strings(value)
  if type(value) ~= "table" then
    return false
  end
  for _, item in ipairs(value) do
    if type(item) ~= "string" then
      return false
    end
  end
  return true
end

local function problem(options)
  local known = { cmd = true, filetypes = true, lens = true, hints = true, keymaps = true }
  for name in pairs(options) do
    if not known[name] then
      return ("there is no option '%s'; there are %s"):format(tostring(name), OPTIONS)
    end
  end
  if options.cmd ~= nil and not (strings(options.cmd) and #options.cmd > 0) then
    return "'cmd' must be a list of strings, such as { 'ccdash', 'lsp' }"
  end
  if options.filetypes ~= nil and not strings(options.filetypes) then
    return "'filetypes' must be a list of strings, such as { 'markdown', 'python' }"
  end
  for _, name in ipairs({ "lens", "hints" }) do
    if options[name] ~= nil and type(options[name]) ~= "boolean" then
      return ("'%s' must be true or false"):format(name)
    end
  end
  if options.keymaps ~= nil and type(options.keymaps) ~= "table" then
    return "'keymaps' must be a table, such as { run_lens = '<leader>cl' }"
  end
  for name, keys in pairs(options.keymaps or {}) do
    if not M.actions[name] or type(keys) ~= "string" then
      local names = vim.tbl_keys(M.actions)
      table.sort(names)
      return ("'keymaps' has keys for %s; '%s' is none of them, or its keys are no string"):format(
        table.concat(names, ", "),
        tostring(name)
      )
    end
  end
end

--- Take the user's options. Returns what is wrong with them, and then takes none.
function M.set(options)
  local wrong = problem(options)
  if not wrong then
    values = vim.tbl_extend("force", vim.deepcopy(M.defaults), options)
  end
  return wrong
end

--- What holds now.
function M.get()
  return values
end

return M
