/** Puts the parts together. Nothing is waited for: the window is usable at once, and filled when the daemon answers. */

import * as vscode from "vscode";
import { BlameLine } from "./blame";
import { commands } from "./commands";
import { Connection } from "./connection";
import { SearchView } from "./search/view";
import { StatusBar } from "./statusbar";
import { Transcripts } from "./transcript/panel";
import { ActiveSessions, Features, ThisFile } from "./views";

let connection: Connection | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("ccdash", { log: true });
  const made = (connection = new Connection(log));
  const pages = vscode.Uri.joinPath(context.extensionUri, "dist");
  const transcripts = new Transcripts(made, pages);
  const views = [new ActiveSessions(made), new ThisFile(made), new Features(made)];
  context.subscriptions.push(
    log,
    transcripts,
    ...views,
    commands(made, transcripts),
    new SearchView(made, transcripts, pages),
    new BlameLine(made, log),
    new StatusBar(made, log),
    vscode.commands.registerCommand("ccdash.refresh", () => views.forEach((view) => view.refresh())),
    vscode.commands.registerCommand("ccdash.reconnect", () => made.start()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      const where = event.affectsConfiguration("ccdash.path") || event.affectsConfiguration("ccdash.socket");
      if (where && !made.connected) void made.start();
    }),
  );
  void made.start();
}

export async function deactivate(): Promise<void> {
  await connection?.dispose();
}
