/** Blame by prompt: at the end of the current line, which session wrote it. */

import * as vscode from "vscode";
import type { Blame } from "../../types/protocol";
import { about } from "./arguments";
import { changeAt, told } from "./blamed";
import { guarded } from "./commands";
import { type Connection, setting } from "./connection";
import { Throttle } from "./throttle";

/** Milliseconds: from a change of the text until it is blamed anew, and between two such requests. */
const PACE = { soon: 250, rest: 250 };

/** Characters of an unsaved text above which the file on disk is blamed. */
const LONGEST = 2_000_000;

export class BlameLine implements vscode.Disposable {
  private readonly decoration = vscode.window.createTextEditorDecorationType({
    rangeBehavior: vscode.DecorationRangeBehavior.OpenOpen,
    after: { margin: "0 0 0 3em", color: new vscode.ThemeColor("editorCodeLens.foreground"), fontStyle: "italic" },
  });
  private readonly disposables: vscode.Disposable[] = [];
  private readonly reading: Throttle;
  private on = setting("blame", false);
  private known: { uri: string; version: number; blame: Blame } | undefined;

  constructor(
    private readonly connection: Connection,
    log: vscode.LogOutputChannel,
  ) {
    this.reading = new Throttle(PACE, () => this.read(), (error) => log.debug(`blame: ${String(error)}`));
    const anew = (): void => {
      this.known = undefined;
      this.show();
    };
    this.disposables.push(
      this.decoration,
      this.reading,
      vscode.commands.registerCommand("ccdash.blame", (argument: unknown) => guarded(() => this.toggle(argument))),
      vscode.window.onDidChangeActiveTextEditor(() => this.show()),
      vscode.window.onDidChangeTextEditorSelection(() => this.show()),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        if (document === vscode.window.activeTextEditor?.document) this.show();
      }),
      connection.onConnected(anew),
      connection.onChanged(({ changes, missed }) => {
        if (missed || changes.some(({ type }) => type === "session")) anew();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("ccdash.blame")) {
          this.on = setting("blame", false);
          this.show();
        }
      }),
    );
    this.show();
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private async toggle(argument: unknown): Promise<void> {
    const { uri } = about(argument);
    if (uri !== undefined) {
      await vscode.window.showTextDocument(vscode.Uri.parse(uri));
      this.on = true;
    } else this.on = !this.on;
    this.show();
    vscode.window.setStatusBarMessage(`Blame by prompt is ${this.on ? "on" : "off"}`, 3_000);
  }

  /** Draw what is known; ask for what is not. */
  private show(): void {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined) return;
    const { document } = editor;
    const known = this.known;
    const fits = known !== undefined && known.uri === document.uri.toString() && known.version === document.version;
    const line = editor.selection.active.line;
    const change = this.on && fits ? changeAt(known.blame, line + 1) : undefined;
    const end = document.lineAt(Math.min(line, document.lineCount - 1)).range.end;
    const after = change && { range: new vscode.Range(end, end), renderOptions: { after: { contentText: told(change) } } };
    editor.setDecorations(this.decoration, after === undefined ? [] : [after]);
    if (this.on && !fits && document.uri.scheme === "file" && this.connection.connected) this.reading.ask();
  }

  private async read(): Promise<void> {
    const document = vscode.window.activeTextEditor?.document;
    if (document === undefined || document.uri.scheme !== "file") return;
    const { version } = document;
    const text = document.getText();
    const unsaved = document.isDirty && text.length <= LONGEST ? { text } : {};
    const blame = await this.connection.request("files/blame", { path: document.uri.fsPath, ...unsaved });
    this.known = { uri: document.uri.toString(), version, blame };
    this.show();
  }
}
