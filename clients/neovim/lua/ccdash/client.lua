--- The one connection of this Neovim to the daemon: begun when it is first needed, shared by all buffers, and begun anew
--- with the next use after it was lost.
local compat = require("ccdash.compat")
local config = require("ccdash.config")

local M = {}

--- Connections that may end in a row right after their start, until only a command begins another.
local TRIES = 3
--- Seconds that a connection lasts that is none of those.
local STEADY = 10

local state = {
  id = nil, -- of the client, from its start on
  client = nil, -- once it is initialized
  waiting = {}, -- what is called once it is
  pending = {}, -- what is called with an answer, by a number of ours
  number = 0,
  buffers = {}, -- buffers that belong to it, also while there is none
  roots = {}, -- folders that it was told of
  began = 0,
  failures = 0,
}

local told = {}

--- Say something in one line.
function M.say(text, level)
  vim.notify("ccdash: " .. require("ccdash.words").line(text), level or vim.log.levels.INFO)
end

--- Say what is wrong, and what to do.
function M.warn(text)
  M.say(text, vim.log.levels.WARN)
end

--- The path of the current buffer; says so where it is no file.
function M.file()
  if compat.is_file(0) then
    return vim.api.nvim_buf_get_name(0)
  end
  M.warn("this buffer is no file; :CcdashSessions! and :CcdashFeatures! need none")
end

--- The client, where it is initialized.
function M.current()
  return state.client
end

--- Whether the client is being started.
function M.starting()
  return state.id ~= nil and state.client == nil
end

--- Whether a buffer belongs to the connection.
function M.owns(bufnr)
  return state.buffers[bufnr] ~= nil
end

--- Buffers that belong to the connection.
function M.buffers()
  return vim.tbl_filter(vim.api.nvim_buf_is_loaded, vim.tbl_keys(state.buffers))
end

--- Whether the connection began without a command, and may begin again so.
function M.may_begin()
  return state.failures < TRIES
end

local function fail(calls, problem)
  for _, call in ipairs(calls) do
    call(nil, problem)
  end
end

local function capabilities()
  local own = {
    textDocument = { synchronization = { dynamicRegistration = true } },
    window = { showDocument = { support = true } },
    workspace = { codeLens = { refreshSupport = true }, workspaceEdit = { documentChanges = true } },
  }
  if config.get().hints then
    own.textDocument.inlayHint = { dynamicRegistration = false }
    own.workspace.inlayHint = { refreshSupport = true }
  end
  return vim.tbl_deep_extend("force", vim.lsp.protocol.make_client_capabilities(), own)
end

--- The link to a transcript in hovers, which nothing in Neovim follows, as the command that opens it.
local function with_commands(hover)
  if hover and type(hover.contents) == "table" and hover.contents.value then
    hover.contents.value = hover.contents.value:gsub("%[[^%]]*%]%(command:ccdash%.openTranscript%?([^)]*)%)", function(given)
      local decoded = given:gsub("%%(%x%x)", function(code)
        return string.char(tonumber(code, 16))
      end)
      local argument = vim.json.decode(decoded)[1]
      return ("`:CcdashTranscript %s %s`"):format(argument.session, argument.entry or "")
    end)
  end
  return hover
end

local function ready(client)
  state.client = client
  local request = client.rpc.request
  client.rpc.request = function(method, params, callback, ...)
    local answered = callback
    if method == "textDocument/hover" then
      answered = function(err, result)
        return callback(err, with_commands(result))
      end
    end
    return request(method, params, answered, ...)
  end
  local waiting = state.waiting
  state.waiting = {}
  for _, call in ipairs(waiting) do
    call(client)
  end
end

local function ended(id, code)
  if id ~= state.id then
    return
  end
  local was_ready, lost = state.client ~= nil, state.waiting
  vim.list_extend(lost, vim.tbl_values(state.pending))
  state.id, state.client, state.waiting, state.pending, state.roots = nil, nil, {}, {}, {}
  if vim.v.exiting ~= vim.NIL then
    return
  end
  state.failures = os.time() - state.began < STEADY and state.failures + 1 or 1
  local problem
  if not was_ready then
    problem = ("'%s' ended with code %d; run `ccdash status` in a shell to see why"):format(
      table.concat(config.get().cmd, " "),
      code
    )
  elseif M.may_begin() then
    problem = "the connection to the daemon was lost; the next file or command begins another"
  else
    problem = "the connection to the daemon was lost several times; `ccdash status` in a shell tells why"
  end
  -- Who asked for something is told; else it is said once, and not for every try.
  if #lost > 0 then
    fail(lost, problem)
  elseif not told[problem] then
    told[problem] = true
    M.warn(problem)
  end
  require("ccdash.inline").clear_all()
end

local function start(root)
  local cmd = config.get().cmd
  if vim.fn.executable(cmd[1]) == 0 then
    return ("there is no command '%s'; install ccdash, or set `cmd`, see :help ccdash-install"):format(cmd[1])
  end
  local handlers = require("ccdash.handlers")
  state.began, state.roots = os.time(), { [root] = true }
  state.id = compat.start({
    name = "ccdash",
    cmd = cmd,
    root_dir = root,
    workspace_folders = { { uri = vim.uri_from_fname(root), name = vim.fn.fnamemodify(root, ":t") } },
    capabilities = capabilities(),
    init_options = { ccdash = { commands = vim.tbl_keys(handlers.commands) } },
    handlers = handlers.handlers,
    commands = handlers.commands,
    on_init = ready,
    on_attach = function(_, bufnr)
      require("ccdash.attach").attached(bufnr)
    end,
    on_exit = function(code, _, id)
      vim.schedule(function()
        ended(id, code)
      end)
    end,
  })
  if not state.id then
    return ("'%s' cannot be started; :LspLog tells more"):format(table.concat(cmd, " "))
  end
end

--- Call `callback` with the client, once there is one, or with nil and the problem. `root` is the folder it is about.
function M.use(callback, root)
  root = root or vim.loop.cwd()
  if not state.id then
    local problem = start(root)
    if problem then
      return callback(nil, problem)
    end
    for bufnr in pairs(state.buffers) do
      if vim.api.nvim_buf_is_loaded(bufnr) then
        vim.lsp.buf_attach_client(bufnr, state.id)
      else
        state.buffers[bufnr] = nil
      end
    end
  end
  if not state.client then
    table.insert(state.waiting, callback)
    return
  end
  callback(state.client)
end

--- Give a buffer to the connection. Says once what is wrong.
function M.attach(bufnr, root)
  if not state.id and not M.may_begin() then
    return
  end
  state.buffers[bufnr] = true
  M.use(function(client, problem)
    if client then
      M.add_folder(client, root)
    elseif not told[problem] then
      told[problem] = true
      M.warn(problem)
    end
  end, root)
  if state.id and vim.api.nvim_buf_is_loaded(bufnr) then
    vim.lsp.buf_attach_client(bufnr, state.id)
  end
end

--- Take a buffer from the connection.
function M.forget(bufnr)
  state.buffers[bufnr] = nil
end

--- Tell the daemon of a folder that is being worked in.
function M.add_folder(client, root)
  if not state.roots[root] then
    state.roots[root] = true
    local folder = { uri = vim.uri_from_fname(root), name = vim.fn.fnamemodify(root, ":t") }
    compat.notify(client, "workspace/didChangeWorkspaceFolders", { event = { added = { folder }, removed = {} } })
  end
end

--- Send a request for a command of the user; `done` gets the result. What goes wrong is said, or given to `failed`.
function M.ask(method, params, done, failed)
  failed = failed or M.warn
  state.failures = 0
  M.use(function(client, problem)
    if not client then
      return failed(problem)
    end
    state.number = state.number + 1
    local number = state.number
    local function answered(result, wrong)
      state.pending[number] = nil
      if wrong then
        failed(wrong)
      else
        done(result)
      end
    end
    -- Neovim calls nobody back when a server is gone, so what was asked is kept, see `ended`.
    state.pending[number] = answered
    local params_object = next(params) and params or vim.empty_dict()
    local sent = compat.request(client, method, params_object, function(err, result)
      if state.pending[number] then
        answered(result, err and (err.message or tostring(err)))
      end
    end, 0)
    if not sent and state.pending[number] then
      answered(nil, "the connection to the daemon was lost; run the command again")
    end
  end)
end

return M
