--- `:checkhealth ccdash`.
local client = require("ccdash.client")
local config = require("ccdash.config")
local health = require("ccdash.compat").health
local words = require("ccdash.words")

local M = {}

--- Milliseconds that the daemon may take to answer.
local PATIENCE = 10000

local start = health.start or health.report_start
local ok = health.ok or health.report_ok
local warn = health.warn or health.report_warn
local fail = health.error or health.report_error
local info = health.info or health.report_info

local function check_neovim()
  start("ccdash: Neovim")
  if vim.fn.has("nvim-0.7") == 0 then
    return fail("this Neovim is too old", { "Use Neovim 0.7 or newer." })
  end
  local version = vim.version()
  ok(("Neovim %d.%d.%d"):format(version.major, version.minor, version.patch))
  info("hints are drawn by " .. (vim.lsp.inlay_hint and "Neovim" or "ccdash, as this Neovim has none of its own"))
  if not vim.g.loaded_ccdash then
    warn("the commands are not there", { "Put clients/neovim on the 'runtimepath', see :help ccdash-install." })
  end
end

local function check_command()
  start("ccdash: the command")
  local cmd = config.get().cmd
  if vim.fn.executable(cmd[1]) == 0 then
    fail(("there is no command '%s'"):format(cmd[1]), { "Install ccdash, or set `cmd`, see :help ccdash-install." })
    return false
  end
  ok(("'%s' is at %s"):format(cmd[1], vim.fn.exepath(cmd[1])))
  return true
end

local function check_daemon()
  start("ccdash: the daemon")
  local status, problem
  client.ask("ccdash/status", {}, function(result)
    status = result
  end, function(wrong)
    problem = wrong
  end)
  vim.wait(PATIENCE, function()
    return status ~= nil or problem ~= nil
  end, 10)
  if not status then
    return fail(problem or "it does not answer", { "Run `ccdash status` in a shell, it tells more." })
  end
  ok(("ccdashd %s, process %d, profile %s"):format(status.version, status.pid, status.profile))
  info(("%d sessions, %d features, revision %d"):format(
    status.counts.sessions or 0,
    status.counts.features or 0,
    status.revision
  ))
  for _, found in ipairs(status.problems) do
    warn(found.problem, { found.hint })
  end
  info(words.count(#client.buffers(), "file") .. " of this Neovim attached")
end

--- Tell whether all that is needed is there.
function M.check()
  check_neovim()
  if check_command() then
    check_daemon()
  end
end

return M
