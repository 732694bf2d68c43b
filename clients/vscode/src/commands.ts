/** The commands, as the palette, the lenses, the trees and links call them. */

import * as vscode from "vscode";
import type { EntityRef } from "../../types/protocol";
import { type About, about } from "./arguments";
import type { Connection } from "./connection";
import {
  choose,
  documentPick,
  inFolder,
  type Pick,
  pickDocument,
  pickFeature,
  pickSession,
  pickStatus,
  pickWork,
  sessionPick,
} from "./picks";
import type { Transcripts } from "./transcript/panel";
import { statusIcon } from "./views";
import { cost, joined, number, status } from "./words";

type Act = (told: About) => Promise<void>;

/** How long a word in the status bar stays, in milliseconds. */
const SHOWN = 5_000;

/** Sessions that are listed of one entity. */
const LINKED = 100;

/** Register all commands that work on sessions and plans. */
export function commands(connection: Connection, transcripts: Transcripts): vscode.Disposable {
  const acts = new Acts(connection, transcripts);
  const table: Record<string, Act> = {
    "ccdash.overview": () => acts.overview(),
    "ccdash.showSessions": (told) => acts.showSessions(told),
    "ccdash.openTranscript": (told) => acts.openTranscript(told),
    "ccdash.showFeature": (told) => acts.showFeature(told),
    "ccdash.openPlan": (told) => acts.openPlan(told),
    "ccdash.setStatus": (told) => acts.setStatus(told),
    "ccdash.linkSession": (told) => acts.linkSession(told),
  };
  return vscode.Disposable.from(
    ...Object.entries(table).map(([name, act]) =>
      vscode.commands.registerCommand(name, (argument: unknown) => guarded(() => act(about(argument)))),
    ),
  );
}

/** Tell the user what went wrong, in the words of the daemon. */
export async function guarded(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    void vscode.window.showErrorMessage(`ccdash: ${error instanceof Error ? error.message : String(error)}`);
  }
}

class Acts {
  constructor(
    private readonly connection: Connection,
    private readonly transcripts: Transcripts,
  ) {}

  async overview(): Promise<void> {
    const [line, active] = await Promise.all([
      this.connection.request("analytics/statusline", { ...here(), timeZone: zone() }),
      this.connection.request("sessions/active"),
    ]);
    const go = (icon: string, label: string, command: string, description = ""): Pick<() => Promise<void>> => ({
      label: `$(${icon}) ${label}`,
      description,
      value: async () => void (await vscode.commands.executeCommand(command)),
    });
    const live = active.items.map((session) => {
      const pick = sessionPick(session);
      return { ...pick, value: async () => this.transcripts.show(pick.value) };
    });
    const items: (Pick<() => Promise<void>> | vscode.QuickPickItem)[] = [
      ...(live.length > 0 ? [separator("live"), ...live] : []),
      separator("go to"),
      go("search", "Search", "ccdash.search", "all that was said, done and planned"),
      go("comment-discussion", "Sessions", "ccdash.showSessions"),
      go("checklist", "Features", "ccdash.showFeature"),
      go("file", "Plans", "ccdash.openPlan"),
      go("person", "Blame by Prompt", "ccdash.blame", "who wrote the current line"),
      go("layout-sidebar-left", "Side Bar", "workbench.view.extension.ccdash"),
    ];
    const title = joined(
      `Today ${cost(line.today) || "$0"}`,
      line.window && `this window ${cost(line.window)}`,
      line.alerts > 0 && number(line.alerts, "alert"),
    );
    const act = await choose(title, items);
    await act?.();
  }

  async showSessions({ uri, entity }: About): Promise<void> {
    const session =
      entity !== undefined
        ? await this.ofEntity(entity)
        : uri !== undefined
          ? await this.ofFile(vscode.Uri.parse(uri))
          : await pickSession(this.connection, "Sessions");
    if (session !== undefined) this.transcripts.show(session);
  }

  async openTranscript({ session, entry }: About): Promise<void> {
    const id = session ?? (await pickSession(this.connection, "Open Transcript"));
    if (id !== undefined) this.transcripts.show(id, entry);
  }

  async showFeature({ entity }: About): Promise<void> {
    const id = entity?.id ?? (await pickFeature(this.connection, "Features"));
    if (id === undefined) return;
    const feature = await this.connection.request("features/get", { id });
    const whole: EntityRef = { type: "feature", id: feature.id };
    const items: (Pick<() => Promise<void>> | vscode.QuickPickItem)[] = [
      {
        label: "$(edit) Set Status…",
        description: `now ${status(feature.status)}`,
        value: () => this.setStatus({ entity: whole }),
      },
      { label: "$(link) Link Session…", value: () => this.linkSession({ entity: whole }) },
      ...some("phases", feature.phases, (phase) => ({
        label: phase.title || phase.phase,
        description: joined(status(phase.status), `${Math.round(phase.progress * phase.tasks.total)}/${phase.tasks.total}`),
        iconPath: statusIcon(phase.status),
        value: () => this.openPlan({ entity: { type: "phase", id: phase.id } }),
      })),
      ...some("planning files", feature.documents, (document) => ({
        ...documentPick(document),
        value: () => this.openDocument(document.id),
      })),
      ...some("sessions", feature.sessions, ({ session, cost: money }) => ({
        ...sessionPick(session),
        detail: joined(cost(money), session.model),
        value: () => this.openTranscript({ session: session.id }),
      })),
    ];
    const act = await choose(joined(feature.name, status(feature.status), cost(feature.cost)), items);
    await act?.();
  }

  async openPlan({ entity }: About): Promise<void> {
    if (entity === undefined) {
      const document = await pickDocument(this.connection);
      if (document !== undefined) await this.openDocument(document);
    } else if (entity.type === "task") {
      const task = await this.connection.request("tasks/get", { id: entity.id });
      await open(task.absolutePath, task.line);
    } else if (entity.type === "phase") {
      await this.openPhase(entity.id);
    } else if (entity.type === "document") {
      await this.openDocument(entity.id);
    } else {
      const feature = await this.connection.request("features/get", { id: entity.id });
      const holder = feature.holder ?? feature.documents[0]?.id;
      if (holder === undefined) throw new Error(`No planning file tells of ${feature.name}.`);
      await this.openDocument(holder);
    }
  }

  async setStatus({ entity, status: given }: About): Promise<void> {
    const what = entity ?? (await pickWork(this.connection, "Set Status"));
    if (what === undefined) return;
    const word = given ?? (await pickStatus(`Status of this ${what.type}`));
    if (word === undefined) return;
    const settled = (await this.connection.execute("ccdash.setStatus", { entity: what, status: word })) as {
      path: string;
      rawStatus: string;
      changed: boolean;
      saved: boolean;
    };
    const file = vscode.workspace.asRelativePath(settled.path);
    const done = settled.changed ? `Status is now ${settled.rawStatus}` : `Status was ${settled.rawStatus} already`;
    const rest = settled.changed && !settled.saved ? `${file} is to be saved` : file;
    vscode.window.setStatusBarMessage(`$(check) ${joined(done, rest)}`, SHOWN);
  }

  async linkSession({ entity, session }: About): Promise<void> {
    const work = entity ?? (await pickWork(this.connection, "Link Session with"));
    if (work === undefined) return;
    const id = session ?? (await pickSession(this.connection, `Link Session with this ${work.type}`));
    if (id === undefined) return;
    const link = await this.connection.request("links/create", { source: work, target: { type: "session", id } });
    vscode.window.setStatusBarMessage(`$(link) Linked ${link.source.title} with ${link.target.title}`, SHOWN);
  }

  private async ofFile(uri: vscode.Uri): Promise<string | undefined> {
    const { sessions } = await this.connection.request("files/context", { path: uri.fsPath, limit: LINKED });
    return choose(`Sessions of ${vscode.workspace.asRelativePath(uri)}`, sessions.map(({ session }) => sessionPick(session)));
  }

  private async ofEntity(entity: EntityRef): Promise<string | undefined> {
    const { items } = await this.connection.request("links/list", { ...entity, otherType: "session", limit: LINKED });
    const sessions = items.map(({ source, target }) => (source.type === "session" ? source : target));
    if (sessions.length === 0) throw new Error(`No session is linked with this ${entity.type}.`);
    const picks = sessions.map((session) => ({
      label: session.title,
      description: status(session.status),
      iconPath: new vscode.ThemeIcon("comment-discussion"),
      value: session.id,
    }));
    return choose(`Sessions of this ${entity.type}`, picks);
  }

  private async openPhase(id: string): Promise<void> {
    // A phase's id begins with that of its document.
    const document = await this.connection.request("documents/get", { id: id.slice(0, id.lastIndexOf("#phase-")) });
    const feature = document.featureId && (await this.connection.request("features/get", { id: document.featureId }));
    await open(document.absolutePath, feature ? feature.phases.find((phase) => phase.id === id)?.line : undefined);
  }

  private async openDocument(id: string, line?: number): Promise<void> {
    const document = await this.connection.request("documents/get", { id });
    await open(document.absolutePath, line);
  }
}

/** Show a file, at a line that counts from 1. */
export async function open(path: string, line?: number): Promise<void> {
  const place = Math.max(0, (line ?? 1) - 1);
  const selection = new vscode.Range(place, 0, place, 0);
  await vscode.window.showTextDocument(vscode.Uri.file(path), line === undefined ? {} : { selection });
}

function some<S, T>(title: string, rows: S[], pick: (row: S) => Pick<T>): (Pick<T> | vscode.QuickPickItem)[] {
  return rows.length === 0 ? [] : [separator(title), ...rows.map(pick)];
}

function separator(label: string): vscode.QuickPickItem {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}

/** The folder that is worked in, as `cwd`. */
export function here(): { cwd?: string } {
  const { project } = inFolder();
  return project === undefined ? {} : { cwd: project };
}

/** The user's time zone, by its name. */
export function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
