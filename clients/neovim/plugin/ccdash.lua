if vim.g.loaded_ccdash then
  return
end
vim.g.loaded_ccdash = true

local STATUSES = { "todo", "in_progress", "review", "done", "blocked", "deferred", "archived" }

local function command(name, options, run)
  vim.api.nvim_create_user_command("Ccdash" .. name, run, options)
end

command("Sessions", { nargs = "*", bang = true, desc = "Sessions that touched this file, or that have some words" }, function(call)
  local pickers = require("ccdash.pickers")
  if call.args == "" and not call.bang then
    pickers.touched()
  else
    pickers.sessions(call.args, call.bang)
  end
end)

command("Search", { nargs = "*", desc = "Search in everything that was said, done and planned" }, function(call)
  require("ccdash.search").search(call.args)
end)

command("Active", { desc = "Sessions that are being written" }, function()
  require("ccdash.pickers").active()
end)

command("Features", { bang = true, desc = "Features of the project" }, function(call)
  require("ccdash.pickers").features(call.bang)
end)

command("Tasks", { bang = true, desc = "Open tasks of the project" }, function(call)
  require("ccdash.pickers").tasks(call.bang)
end)

command("Blame", { desc = "Show or hide who wrote which lines" }, function()
  require("ccdash.blame").toggle()
end)

command("Hover", { desc = "What is known of this line" }, function()
  require("ccdash.hover").show()
end)

command("Transcript", { nargs = "*", desc = "The transcript of a session, at an entry" }, function(call)
  local transcript = require("ccdash.transcript")
  if #call.fargs == 0 then
    transcript.open_last()
  else
    transcript.open(call.fargs[1], call.fargs[2])
  end
end)

command("SetStatus", {
  nargs = "?",
  desc = "Set the status of what this line is about",
  complete = function(typed)
    return vim.tbl_filter(function(status)
      return vim.startswith(status, typed)
    end, STATUSES)
  end,
}, function(call)
  require("ccdash.pickers").set_status(call.args)
end)

command("Status", { desc = "How the daemon is" }, function()
  require("ccdash").status()
end)
