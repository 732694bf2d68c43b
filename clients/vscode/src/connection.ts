/** The connection to the daemon: a language client, whose wire also carries the daemon's own methods. */

import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  RevealOutputChannelOn,
  State,
} from "vscode-languageclient/node";
import type { Methods, Notifications } from "../../types/protocol";
import { NotInstalled, reach, type Stream } from "./daemon";

/** Commands that this extension carries out, so that the daemon does not offer them. */
export const OWN_COMMANDS = [
  "ccdash.setStatus",
  "ccdash.linkSession",
  "ccdash.openTranscript",
  "ccdash.showSessions",
  "ccdash.showFeature",
  "ccdash.blame",
] as const;

/** So many connections lost within so many milliseconds, and the user is asked before there is another attempt. */
const LOST = { most: 5, within: 60_000 };

type Params<M extends keyof Methods> = {} extends Methods[M]["params"]
  ? [params?: Methods[M]["params"]]
  : [params: Methods[M]["params"]];

/** What connects the extension with the daemon, for as long as the window is open. */
export class Connection implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private starting: Promise<void> | undefined;
  private readonly topics = new Map<string, number>();
  private lost: number[] = [];
  private disposed = false;
  private readonly connectedEmitter = new vscode.EventEmitter<boolean>();
  private readonly changedEmitter = new vscode.EventEmitter<Notifications["ccdash/changed"]>();
  private readonly transcriptEmitter = new vscode.EventEmitter<Notifications["ccdash/transcript"]>();

  /** Fires when a connection is made, and when it is lost. */
  readonly onConnected = this.connectedEmitter.event;
  /** Fires when something of the subscribed topics changed. */
  readonly onChanged = this.changedEmitter.event;
  /** Fires when a followed session went on. */
  readonly onTranscript = this.transcriptEmitter.event;

  constructor(private readonly log: vscode.LogOutputChannel) {}

  get connected(): boolean {
    return this.client?.state === State.Running;
  }

  /** Connect, unless that is done already. Tells the user what to do where it does not work. */
  async start(): Promise<void> {
    this.starting ??= this.connect().finally(() => (this.starting = undefined));
    return this.starting;
  }

  /** Ask the daemon. Throws where it refuses, or is not there. */
  async request<M extends keyof Methods>(method: M, ...[params]: Params<M>): Promise<Methods[M]["result"]> {
    const client = this.running();
    return client.sendRequest<Methods[M]["result"]>(method, params ?? {});
  }

  /** The same, until `token` is cancelled: then the daemon ends its work, and this throws. */
  async ask<M extends keyof Methods>(
    method: M,
    params: Methods[M]["params"],
    token: vscode.CancellationToken,
  ): Promise<Methods[M]["result"]> {
    return this.running().sendRequest<Methods[M]["result"]>(method, params, token);
  }

  /** Have the daemon carry out one of its commands, which edits open files through the editor. */
  async execute(command: string, argument: object): Promise<unknown> {
    return this.running().sendRequest("workspace/executeCommand", { command, arguments: [argument] });
  }

  /** Get notifications of topics until the result is disposed of, over lost connections. */
  subscribe(...topics: string[]): vscode.Disposable {
    for (const topic of topics) this.topics.set(topic, (this.topics.get(topic) ?? 0) + 1);
    if (this.connected) this.tell("ccdash/subscribe", topics);
    return new vscode.Disposable(() => {
      const unused = topics.filter((topic) => this.leave(topic));
      if (this.connected && unused.length > 0) this.tell("ccdash/unsubscribe", unused);
    });
  }

  async dispose(): Promise<void> {
    this.disposed = true;
    for (const emitter of [this.connectedEmitter, this.changedEmitter, this.transcriptEmitter]) emitter.dispose();
    await this.drop();
  }

  private async connect(): Promise<void> {
    if (this.connected) return;
    let stream: Stream | undefined;
    try {
      // Not left to the client, whose own messages do not say what to do.
      stream = await reach({ command: setting("path", "ccdash"), socket: setting("socket", "") });
      this.log.info(stream.kind === "socket" ? `connected to ${stream.path}` : "connected by `ccdash lsp`");
      this.client = this.made(stream);
      await this.client.start();
    } catch (error) {
      const said = stream?.kind === "pump" ? stream.said() : "";
      const why = said === "" ? error : new Error(said);
      this.log.error(String(why));
      await this.drop();
      void this.explain(why);
    }
  }

  private made(stream: Stream): LanguageClient {
    const options: LanguageClientOptions = {
      documentSelector: [{ scheme: "file" }],
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      // Only this link works in hovers; all else in them is text.
      markdown: { isTrusted: { enabledCommands: ["ccdash.openTranscript"] } },
      initializationOptions: { ccdash: { commands: [...OWN_COMMANDS] } },
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => ({ action: CloseAction.DoNotRestart, handled: true }),
      },
      middleware: {
        provideCodeLenses: (document, token, next) => (setting("lenses", true) ? next(document, token) : []),
      },
    };
    const ends = stream.kind === "socket" ? { reader: stream.socket, writer: stream.socket } : stream.process;
    const client = new LanguageClient("ccdash", "ccdash", () => Promise.resolve(ends), options);
    client.onDidChangeState(({ oldState, newState }) => {
      if (newState === State.Running) this.begun();
      else if (oldState === State.Running && client === this.client) void this.ended();
    });
    client.onNotification("ccdash/changed", (told) => this.changedEmitter.fire(told));
    client.onNotification("ccdash/transcript", (told) => this.transcriptEmitter.fire(told));
    return client;
  }

  private begun(): void {
    if (this.topics.size > 0) this.tell("ccdash/subscribe", [...this.topics.keys()]);
    this.announce(true);
  }

  /** The daemon is gone, as it is stopped or makes way for another version. */
  private async ended(): Promise<void> {
    const now = Date.now();
    this.lost = [...this.lost.filter((time) => time > now - LOST.within), now];
    await this.drop();
    if (this.lost.length < LOST.most) await this.start();
    else void this.explain(new Error("The daemon ended the connection again and again."));
  }

  private async drop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    this.announce(false);
    // One that is not running cannot be stopped in order; there is nothing to be told of that.
    await client?.dispose().catch(() => undefined);
  }

  private announce(connected: boolean): void {
    if (this.disposed) return;
    void vscode.commands.executeCommand("setContext", "ccdash.connected", connected);
    this.connectedEmitter.fire(connected);
  }

  private async explain(error: unknown): Promise<void> {
    const missing = error instanceof NotInstalled;
    const what = error instanceof Error ? error.message : String(error);
    const text = missing
      ? `${what} Install ccdash, or name its place in the setting "ccdash.path".`
      : `ccdash is not connected. ${what}`;
    const first = missing ? "Open Settings" : "Show Log";
    if (this.disposed) return;
    const choice = await vscode.window.showWarningMessage(text, first, "Try Again");
    if (choice === "Open Settings") await vscode.commands.executeCommand("workbench.action.openSettings", "ccdash.path");
    else if (choice === "Show Log") this.log.show();
    else if (choice === "Try Again") await this.start();
  }

  private running(): LanguageClient {
    if (this.client === undefined || !this.connected) throw new Error("ccdash is not connected to its daemon.");
    return this.client;
  }

  private tell(method: "ccdash/subscribe" | "ccdash/unsubscribe", topics: string[]): void {
    this.request(method, { topics }).catch((error: unknown) => this.log.warn(`${method}: ${String(error)}`));
  }

  private leave(topic: string): boolean {
    const left = (this.topics.get(topic) ?? 1) - 1;
    if (left > 0) this.topics.set(topic, left);
    else this.topics.delete(topic);
    return left <= 0;
  }
}

/** A setting of this extension. */
export function setting<T>(name: string, otherwise: T): T {
  return vscode.workspace.getConfiguration("ccdash").get<T>(name, otherwise);
}
