--- ccdash in Neovim: which agent sessions touched a file, why, at what cost, and what plan it belongs to. See :help ccdash.
local M = {}

--- Attach to files of projects from now on. The options are those of :help ccdash-options.
function M.setup(options)
  local problem = require("ccdash.config").set(options or {})
  if problem then
    return require("ccdash.client").warn(problem .. "; see :help ccdash-options")
  end
  require("ccdash.attach").enable()
end

--- A few words for a status line.
function M.statusline()
  return require("ccdash.statusline").text()
end

--- Say in one line how the daemon is.
function M.status()
  local client = require("ccdash.client")
  client.ask("ccdash/status", {}, function(status)
    local text = ("ccdashd %s is %s: %d sessions, %d features; profile %s"):format(
      status.version,
      status.state,
      status.counts.sessions or 0,
      status.counts.features or 0,
      status.profile
    )
    local problem = status.problems[1]
    if problem then
      return client.warn(("%s; %s %s"):format(text, problem.problem, problem.hint))
    end
    client.say(text)
  end)
end

return M
