/** The search view: asks the daemon as the user types, and shows what is chosen. */

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { SearchHit, SearchOrder } from "../../../types/protocol";
import { guarded, open, zone } from "../commands";
import type { Connection } from "../connection";
import type { Transcripts } from "../transcript/panel";
import { counted, grouped, missing } from "./groups";
import { Latest } from "./latest";
import type { ToHost, ToPage } from "./messages";
import { page } from "./page";
import { target } from "./target";

const ID = "ccdash.search";

/** Milliseconds from a key until the daemon is asked. */
const SOON = 120;

/** Hits that are asked for at a time, and characters around their words. */
const HITS = 30;
const SNIPPET = 200;

interface Question {
  query: string;
  order: SearchOrder;
  /** Where an earlier answer ended. */
  cursor: string | null;
}

export class SearchView implements vscode.WebviewViewProvider, vscode.Disposable {
  private readonly latest = new Latest<Question>(SOON, (question, signal) => this.search(question, signal));
  private readonly disposables: vscode.Disposable[];
  private view: vscode.WebviewView | undefined;
  private ready = false;
  private asked: Question | undefined;
  private hits: SearchHit[] = [];
  /** What the page is told when it is there. */
  private wanted: ToPage | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly transcripts: Transcripts,
    private readonly folder: vscode.Uri,
  ) {
    this.disposables = [
      vscode.window.registerWebviewViewProvider(ID, this),
      vscode.commands.registerCommand("ccdash.search", (text: unknown) => this.show(typeof text === "string" ? text : null)),
      connection.onConnected((connected) => {
        if (connected && this.asked !== undefined) this.latest.ask({ ...this.asked, cursor: null }, 0);
      }),
    ];
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    const { webview } = view;
    webview.options = { enableScripts: true, localResourceRoots: [this.folder] };
    const at = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(this.folder, name)).toString();
    webview.onDidReceiveMessage((message: ToHost) => void guarded(() => this.answer(message)));
    view.onDidChangeVisibility(() => {
      // The page of a hidden view is gone, and begins anew when it is shown.
      if (!view.visible) this.ready = false;
    });
    view.onDidDispose(() => {
      this.view = undefined;
      this.ready = false;
      this.latest.stop();
    });
    const own = { source: webview.cspSource, script: at("search.js"), style: at("search.css") };
    webview.html = page(own, randomBytes(18).toString("base64"));
  }

  /** Put the cursor into the view, and search for a text where one is given. */
  async show(text: string | null): Promise<void> {
    this.wanted = { type: "ask", text };
    await vscode.commands.executeCommand(`${ID}.focus`);
    if (this.ready) this.serve();
  }

  dispose(): void {
    this.latest.stop();
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private async answer(message: ToHost): Promise<void> {
    if (message.type === "ready") {
      this.ready = true;
      this.serve();
    } else if (message.type === "search") {
      this.asked = message.query === "" ? undefined : { query: message.query, order: message.order, cursor: null };
      if (this.asked === undefined) this.latest.stop();
      else this.latest.ask(this.asked);
    } else if (message.type === "more") {
      if (this.asked?.cursor) this.latest.ask(this.asked, 0);
    } else {
      const hit = this.hits[message.hit];
      if (hit !== undefined) await this.open(hit);
    }
  }

  private async search(question: Question, signal: AbortSignal): Promise<void> {
    const { query, order, cursor } = question;
    const cancelling = new vscode.CancellationTokenSource();
    signal.addEventListener("abort", () => cancelling.cancel());
    this.tell({ type: "busy", query });
    try {
      const wanted = { query, order, cursor, limit: HITS, snippet: SNIPPET, timeZone: zone() };
      const found = await this.connection.ask("search/query", wanted, cancelling.token);
      if (signal.aborted) return;
      const behind = cursor !== null;
      this.hits = behind ? [...this.hits, ...found.items] : found.items;
      this.asked = { ...question, cursor: found.nextCursor };
      this.tell({
        type: "found",
        query,
        groups: grouped(found.items, this.hits.length - found.items.length),
        told: counted(found),
        notice: missing(found.index),
        more: found.nextCursor !== null,
        behind,
      });
    } catch (error) {
      if (!signal.aborted) this.tell({ type: "failed", query, text: error instanceof Error ? error.message : String(error) });
    } finally {
      cancelling.dispose();
    }
  }

  private async open(hit: SearchHit): Promise<void> {
    const place = target(hit);
    if ("session" in place) this.transcripts.show(place.session, place.entry);
    else if ("path" in place) await open(place.path, place.line);
    else await vscode.commands.executeCommand("ccdash.openPlan", place);
  }

  private serve(): void {
    if (this.wanted === undefined) return;
    // A page gets the focus only once it is there.
    this.view?.show();
    this.tell(this.wanted);
    this.wanted = undefined;
  }

  private tell(message: ToPage): void {
    void this.view?.webview.postMessage(message);
  }
}
