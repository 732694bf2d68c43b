--- Lists to choose from, all by `vim.ui.select`.
local client = require("ccdash.client")
local words = require("ccdash.words")

local M = {}

--- Rows that a list has at most.
local ROWS = 100

--- The path that a command is about: that of the buffer, or of the current folder.
local function here()
  local name = vim.api.nvim_buf_get_name(0)
  return require("ccdash.compat").is_file(0) and name or vim.loop.cwd()
end

local function choose(items, prompt, format, chosen)
  if #items == 0 then
    return client.say(prompt .. ": there are none")
  end
  vim.ui.select(items, { prompt = prompt, format_item = format, kind = "ccdash" }, function(item)
    if item then
      chosen(item)
    end
  end)
end

local function session_text(row)
  return ("%-8s  %s%s  %s  %s"):format(
    words.ago(row.endedAt),
    row.status == "active" and "● " or "",
    words.cut(row.title ~= "" and row.title or "(no title)", 60),
    row.projectName,
    words.model(row.model)
  )
end

local function open_session(row)
  require("ccdash.transcript").open(row.id)
end

--- Open a file, at a line.
function M.open_file(path, line)
  vim.cmd("edit " .. vim.fn.fnameescape(path))
  vim.api.nvim_win_set_cursor(0, { math.min(math.max(line or 1, 1), vim.api.nvim_buf_line_count(0)), 0 })
end

--- Open a file of a project by the path it has there.
local function open_in(project, path, line)
  client.ask("projects/get", { id = project }, function(found)
    M.open_file(found.root .. "/" .. path, line)
  end)
end

local function prompt(noun, shown, total)
  return shown < total and ("%s (%d of %d)"):format(noun, shown, total) or noun
end

--- Sessions that touched a file; by default that of the buffer.
function M.touched(path)
  path = path or client.file()
  if not path then
    return
  end
  client.ask("files/context", { path = path, limit = ROWS }, function(context)
    local title = prompt("Sessions that touched " .. vim.fn.fnamemodify(context.path, ":t"), #context.sessions, context.total)
    choose(context.sessions, title, function(touch)
      local change = touch.change
      local done = change.edits > 0 and ("+%d -%d"):format(change.additions, change.deletions) or "read"
      return ("%s  %s"):format(session_text(touch.session), done)
    end, function(touch)
      open_session(touch.session)
    end)
  end)
end

--- Sessions of the project with some words in title or first prompt; of all projects with `everywhere`.
function M.sessions(text, everywhere)
  local params = { limit = ROWS, text = text ~= "" and text or nil, project = not everywhere and here() or nil }
  client.ask("sessions/list", params, function(page)
    choose(page.items, prompt("Sessions", #page.items, page.total), session_text, open_session)
  end)
end

--- Sessions that are being written.
function M.active()
  client.ask("sessions/active", {}, function(rows)
    choose(rows.items, "Active sessions", session_text, open_session)
  end)
end

local function tasks_text(tasks)
  local finished = tasks.done + tasks.deferred + tasks.archived
  return tasks.total > 0 and ("%d/%d tasks"):format(finished, tasks.total) or "no tasks"
end

--- Features of the project, or of all.
function M.features(everywhere)
  local params = { limit = ROWS, project = not everywhere and here() or nil }
  client.ask("features/list", params, function(page)
    choose(page.items, prompt("Features", #page.items, page.total), function(row)
      return ("%-11s  %s  %s, %s"):format(
        row.status,
        words.cut(row.name, 60),
        tasks_text(row.tasks),
        words.count(row.sessions, "session")
      )
    end, function(row)
      M.feature(row.id)
    end)
  end)
end

--- What belongs to a feature: its phases, documents and sessions.
function M.feature(id)
  client.ask("features/get", { id = id }, function(feature)
    local items = {}
    for _, phase in ipairs(feature.phases) do
      local text = ("phase %s: %s"):format(phase.phase, phase.title)
      table.insert(items, { text = ("%-11s  %s  %s"):format(phase.status, text, tasks_text(phase.tasks)), place = phase })
    end
    for _, document in ipairs(feature.documents) do
      table.insert(items, { text = ("%-11s  %s  %s"):format(document.docType, document.title, document.path), place = document })
    end
    for _, linked in ipairs(feature.sessions) do
      table.insert(items, {
        text = ("%-11s  %s  %s"):format("session", session_text(linked.session), words.cost(linked.cost)),
        session = linked.session,
      })
    end
    local title = ("%s: %s, %s %s"):format(feature.name, feature.status, tasks_text(feature.tasks), words.cost(feature.cost))
    choose(items, vim.trim(title), function(item)
      return words.line(item.text)
    end, function(item)
      if item.session then
        open_session(item.session)
      else
        open_in(feature.projectId, item.place.path, item.place.line)
      end
    end)
  end)
end

--- Tasks of the project that are not done; all with `every`.
function M.tasks(every)
  local open = { "todo", "in_progress", "review", "blocked", "unknown" }
  local params = { limit = ROWS, project = here(), status = not every and open or nil }
  client.ask("tasks/list", params, function(page)
    choose(page.items, prompt("Tasks", #page.items, page.total), function(row)
      return ("%-11s  %s  %s"):format(row.status, row.taskId, words.cut(row.title, 60))
    end, function(row)
      open_in(row.projectId, row.path, row.line)
    end)
  end)
end

local function carry_out(action)
  if action.edit then
    local applied, reason = require("ccdash.handlers").apply(action.edit)
    if not applied then
      return client.warn("the status was not set: " .. reason)
    end
  end
  if action.command then
    client.ask("workspace/executeCommand", {
      command = action.command.command,
      arguments = action.command.arguments,
    }, function() end)
  end
end

--- Set the status of what the line of the cursor is about: to `status`, or to one that is chosen.
function M.set_status(status)
  if not client.file() then
    return
  end
  local place = { line = vim.api.nvim_win_get_cursor(0)[1] - 1, character = 0 }
  client.ask("textDocument/codeAction", {
    textDocument = { uri = vim.uri_from_bufnr(0) },
    range = { start = place, ["end"] = place },
    context = { diagnostics = {}, only = { "refactor.ccdash" } },
  }, function(actions)
    local setting = vim.tbl_filter(function(action)
      return M.status_of(action) ~= nil
    end, actions or {})
    if #setting == 0 then
      return client.warn("no status can be set here; put the cursor on a task, or on the head of a planning file")
    end
    if status == "" then
      return choose(setting, "Set status", function(action)
        return action.title
      end, carry_out)
    end
    for _, action in ipairs(setting) do
      if M.status_of(action) == status then
        return carry_out(action)
      end
    end
    local names = table.concat(vim.tbl_map(M.status_of, setting), ", ")
    client.warn(("'%s' cannot be set here; there are %s"):format(status, names))
  end)
end

--- The status that an action sets; nil where it sets none.
function M.status_of(action)
  local command = action.command or {}
  local given = (command.arguments or {})[1] or {}
  return command.command == "ccdash.setStatus" and given.status or nil
end

return M
