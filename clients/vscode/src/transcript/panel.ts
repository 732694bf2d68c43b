/** Transcripts in panels: one for each session, which reads in chunks and follows the session while it runs. */

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { Entry, EntryKind } from "../../../types/protocol";
import type { Connection } from "../connection";
import { Throttle } from "../throttle";
import { cost, joined, lasted, number, titled } from "../words";
import { whole } from "./entries";
import { CHUNK, type Shown, type ToHost, type ToPage } from "./messages";
import { page } from "./page";

const KIND = "ccdash.transcript";

/** Milliseconds: from a change of the session until its head is read anew, and between two such reads. */
const PACE = { soon: 300, rest: 3_000 };

/** What counts as a prompt when the reader goes from one to the next, and entries that are looked through at a time. */
const PROMPTS: EntryKind[] = ["prompt", "command"];
const FAR = 500;

/** All transcripts of the window. */
export class Transcripts implements vscode.WebviewPanelSerializer, vscode.Disposable {
  private readonly open = new Map<string, TranscriptPanel>();
  private readonly serializer = vscode.window.registerWebviewPanelSerializer(KIND, this);

  constructor(
    private readonly connection: Connection,
    private readonly folder: vscode.Uri,
  ) {}

  /** Show a session, at an entry where one is named. */
  show(session: string, entry?: string): void {
    const known = this.open.get(session);
    if (known !== undefined) {
      known.reveal(entry);
      return;
    }
    const panel = vscode.window.createWebviewPanel(KIND, "Transcript", vscode.ViewColumn.Active, { enableFindWidget: true });
    this.fill(panel, session, entry);
  }

  /** A window was loaded anew. */
  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const session = typeof state === "object" && state !== null && "session" in state ? state.session : undefined;
    if (typeof session === "string") this.fill(panel, session);
    else panel.dispose();
  }

  dispose(): void {
    this.serializer.dispose();
    for (const panel of this.open.values()) panel.dispose();
  }

  private fill(panel: vscode.WebviewPanel, session: string, entry?: string): void {
    const shown = new TranscriptPanel(this.connection, panel, this.folder, session, entry);
    this.open.set(session, shown);
    panel.onDidDispose(() => {
      shown.dispose();
      this.open.delete(session);
    });
  }
}

class TranscriptPanel {
  private readonly disposables: vscode.Disposable[] = [];
  private readonly head = new Throttle(PACE, async () => void (await this.tellHead()), (error) => this.fail(null, error));
  private total = 0;
  private ready = false;
  /** What was in sight last: an entry, or null for the end. */
  private place: number | null | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly panel: vscode.WebviewPanel,
    folder: vscode.Uri,
    private readonly session: string,
    private entry: string | undefined,
  ) {
    const { webview } = panel;
    webview.options = { enableScripts: true, localResourceRoots: [folder] };
    const at = (name: string): string => webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    this.disposables.push(
      this.head,
      panel.onDidChangeViewState(() => {
        // The page of a hidden panel is gone, and begins anew when it is shown.
        if (!panel.visible) this.ready = false;
      }),
      webview.onDidReceiveMessage((message: ToHost) => void this.answer(message)),
      connection.subscribe(`transcript:${session}`, "sessions"),
      connection.onTranscript((told) => {
        if (told.sessionId === session) this.follow(told.entries, told.missed);
      }),
      connection.onChanged(({ changes, missed }) => {
        if (missed || changes.some(({ type, id }) => type === "session" && id === session)) this.head.ask();
      }),
      connection.onConnected((connected) => {
        if (connected && this.ready) void this.begin();
      }),
    );
    const own = { source: webview.cspSource, script: at("transcript.js"), style: at("transcript.css") };
    webview.html = page(own, randomBytes(18).toString("base64"));
  }

  reveal(entry?: string): void {
    this.panel.reveal();
    if (entry === undefined) return;
    if (this.ready) void this.goto(entry);
    else this.entry = entry;
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private async answer(message: ToHost): Promise<void> {
    try {
      if (message.type === "ready") {
        this.ready = true;
        await this.begin();
      } else if (message.type === "place") this.place = message.at;
      else if (message.type === "chunk") await this.chunk(message.start);
      else if (message.type === "whole") await this.whole(message.entry);
      else await this.prompt(message.from, message.direction);
    } catch (error) {
      this.fail(message.type === "chunk" ? message.start : null, error);
    }
  }

  private async begin(): Promise<void> {
    try {
      const live = await this.tellHead();
      const entry = this.entry === undefined ? undefined : await this.find(this.entry);
      const at = entry ?? (this.place === undefined ? (live ? null : 0) : this.place);
      const start = at === null ? undefined : at - (at % CHUNK);
      const told = await this.connection.request("sessions/transcript", {
        id: this.session,
        ...(start === undefined ? { direction: "backward" } : { start }),
        limit: CHUNK,
      });
      this.total = told.total;
      this.tell({ type: "begin", total: told.total, at });
      this.tell({ type: "entries", start: told.start, total: told.total, items: told.items.map(shown) });
      if (entry !== undefined) this.tell({ type: "goto", index: entry });
      this.entry = undefined;
    } catch (error) {
      this.fail(null, error);
    }
  }

  private async tellHead(): Promise<boolean> {
    const { connection } = this;
    const id = this.session;
    const [told, money] = await Promise.all([
      connection.request("sessions/get", { id }),
      connection.request("analytics/sessionCost", { id }),
    ]);
    const live = told.status === "active";
    const title = titled(told);
    const counts = joined(number(told.counts.prompts, "prompt"), number(told.counts.toolCalls, "tool call"));
    this.panel.title = title.length > 40 ? `${title.slice(0, 39)}…` : title;
    this.tell({
      type: "session",
      id,
      title,
      facts: joined(told.projectName, told.gitBranch, told.model, counts, lasted(told.duration), cost(money.cost)),
      live,
    });
    return live;
  }

  private async chunk(start: number): Promise<void> {
    const told = await this.connection.request("sessions/transcript", { id: this.session, start, limit: CHUNK });
    this.total = told.total;
    this.tell({ type: "entries", start, total: told.total, items: told.items.map(shown) });
  }

  private follow(entries: Entry[], missed: boolean): void {
    const first = entries[0];
    if (missed || first === undefined || first.index !== this.total) {
      // Something is missing, or the log was written anew.
      if (this.ready) void this.begin();
      return;
    }
    this.total += entries.length;
    this.tell({ type: "entries", start: first.index, total: this.total, items: entries.map(shown) });
  }

  private async prompt(from: number, direction: "forward" | "backward"): Promise<void> {
    const ahead = direction === "forward";
    let [start, end] = ahead ? [from + 1, from + 1 + FAR] : [Math.max(0, from - FAR), from];
    while (end > start && start < this.total) {
      const wanted = { id: this.session, start, limit: end - start, kinds: PROMPTS };
      const { items } = await this.connection.request("sessions/transcript", wanted);
      const found = ahead ? items[0] : items.at(-1);
      if (found !== undefined) {
        this.tell({ type: "goto", index: found.index });
        return;
      }
      [start, end] = ahead ? [end, end + FAR] : [Math.max(0, start - FAR), start];
    }
  }

  private async goto(entry: string): Promise<void> {
    try {
      const index = await this.find(entry);
      if (index !== undefined) this.tell({ type: "goto", index });
    } catch (error) {
      this.fail(null, error);
    }
  }

  /** The place of an entry, which has that id or uuid. */
  private async find(entry: string): Promise<number | undefined> {
    const told = await this.connection.request("sessions/transcript", { id: this.session, from: entry, limit: 1 });
    return told.items[0]?.index;
  }

  private async whole(id: string): Promise<void> {
    const { entry, record, raw } = await this.connection.request("sessions/entry", { id: this.session, entry: id });
    this.tell({ type: "whole", index: entry.index, text: whole(entry, record, raw) });
  }

  private fail(start: number | null, error: unknown): void {
    this.tell({ type: "failed", start, text: error instanceof Error ? error.message : String(error) });
  }

  private tell(message: ToPage): void {
    void this.panel.webview.postMessage(message);
  }
}

function shown(entry: Entry): Shown {
  const { id, index, kind, timestamp, text, truncated, model, tool, isError, sidechain } = entry;
  return { id, index, kind, timestamp, text, truncated, model, tool, isError, sidechain };
}
