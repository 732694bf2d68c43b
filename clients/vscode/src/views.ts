/** The side bar: active sessions, what is known of this file, and features. */

import * as vscode from "vscode";
import type { EntityType, FeatureRow, FileTouch, PlanStatus, SessionRow, TreeNode } from "../../types/protocol";
import type { Connection } from "./connection";
import { Node, View } from "./tree";
import { ago, joined, lasted, number, short, status, titled } from "./words";

/** Features of a folder that are listed, last changed first. */
const FEATURES = 200;

const ICONS: Record<PlanStatus, [icon: string, color?: string]> = {
  todo: ["circle-large-outline"],
  in_progress: ["play-circle", "charts.blue"],
  review: ["eye", "charts.purple"],
  done: ["pass-filled", "charts.green"],
  blocked: ["error", "charts.red"],
  deferred: ["debug-pause", "charts.yellow"],
  archived: ["archive"],
  unknown: ["question"],
};

/** The icon of a status. */
export function statusIcon(known: string): vscode.ThemeIcon {
  const [icon, color] = ICONS[known as PlanStatus] ?? ICONS.unknown;
  return new vscode.ThemeIcon(icon, color === undefined ? undefined : new vscode.ThemeColor(color));
}

/** The icon of a session. */
export function sessionIcon(session: SessionRow): vscode.ThemeIcon {
  const live = session.status === "active";
  return new vscode.ThemeIcon(
    live ? "record" : "comment-discussion",
    live ? new vscode.ThemeColor("charts.green") : undefined,
  );
}

/** A line that stands for an entity, so that menus know what they are about. */
export class EntityNode extends Node {
  constructor(
    readonly entity: { type: EntityType; id: string },
    label: string,
    children?: () => Promise<Node[]> | Node[],
    unfolded = false,
  ) {
    super(label, children, unfolded);
    this.id = `${entity.type}:${entity.id}`;
    this.contextValue = entity.type;
  }
}

/** Sessions that are being written. */
export class ActiveSessions extends View {
  constructor(connection: Connection) {
    super("ccdash.sessions", connection, new Set(["session"]));
    this.disposables.push(connection.subscribe("sessions"));
  }

  protected async roots(): Promise<Node[]> {
    const { items } = await this.connection.request("sessions/active");
    return items.map((session) => sessionNode(session, joined(session.projectName, ago(session.endedAt))));
  }
}

/** The sessions that touched the file in the active editor, and the features it belongs to. */
export class ThisFile extends View {
  private uri = activeFile();

  constructor(connection: Connection) {
    super("ccdash.file", connection, new Set(["session", "feature", "document", "task"]));
    this.disposables.push(
      connection.subscribe("sessions", "features", "documents", "tasks"),
      vscode.window.onDidChangeActiveTextEditor((editor) => {
        // Focus in a panel or a transcript leaves the file that was looked at.
        if (editor?.document.uri.scheme !== "file" || editor.document.uri.fsPath === this.uri?.fsPath) return;
        this.uri = editor.document.uri;
        this.refresh();
      }),
    );
  }

  protected async roots(): Promise<Node[]> {
    const uri = this.uri;
    this.describe(uri === undefined ? "" : vscode.workspace.asRelativePath(uri));
    if (uri === undefined) return [];
    const told = await this.connection.request("files/context", { path: uri.fsPath, limit: 100 });
    const sessions = told.sessions.map((touch) => sessionNode(touch.session, touched(touch)));
    if (told.total > told.sessions.length) sessions.push(new Node(`${told.total - told.sessions.length} more`));
    return [...sessions, ...told.features.map((feature) => featureNode(this.connection, feature))];
  }
}

/** The features of the folders of this window, or all where it has none. */
export class Features extends View {
  constructor(connection: Connection) {
    super("ccdash.features", connection, new Set(["feature", "task", "document"]));
    this.disposables.push(
      connection.subscribe("features", "documents", "tasks"),
      vscode.workspace.onDidChangeWorkspaceFolders(() => this.refresh()),
    );
  }

  protected async roots(): Promise<Node[]> {
    const folders = vscode.workspace.workspaceFolders ?? [];
    const wanted = folders.length > 0 ? folders.map(({ uri }) => ({ project: uri.fsPath })) : [{}];
    const pages = await Promise.all(
      wanted.map((filter) => this.connection.request("features/list", { ...filter, limit: FEATURES })),
    );
    const features = new Map(pages.flatMap(({ items }) => items).map((feature) => [feature.id, feature]));
    return [...features.values()].map((feature) => featureNode(this.connection, feature));
  }
}

function sessionNode(session: SessionRow, description: string): Node {
  const node = new EntityNode({ type: "session", id: session.id }, titled(session));
  node.description = description;
  node.iconPath = sessionIcon(session);
  node.tooltip = [
    titled(session),
    joined(session.projectName, session.gitBranch, session.model),
    joined(ago(session.startedAt), lasted(session.duration), number(session.prompts, "prompt"), number(session.toolCalls, "tool call")),
  ].join("\n");
  node.command = { command: "ccdash.openTranscript", title: "Open Transcript", arguments: [{ session: session.id }] };
  return node;
}

function touched({ session, change }: FileTouch): string {
  const lines = change.edits > 0 ? `+${change.additions} −${change.deletions}` : "read";
  return joined(lines, ago(change.lastAt ?? session.endedAt));
}

function featureNode(connection: Connection, feature: FeatureRow): Node {
  const children = async (): Promise<Node[]> => {
    const { items } = await connection.request("features/tree", { id: feature.id });
    return (items[0]?.children ?? []).map(planNode);
  };
  const holds = feature.tasks.total + feature.phases > 0;
  const node = new EntityNode({ type: "feature", id: feature.id }, feature.name, holds ? children : undefined);
  const done = feature.tasks.done + feature.tasks.deferred + feature.tasks.archived;
  node.description = joined(feature.tasks.total > 0 && `${done}/${feature.tasks.total}`, status(feature.status));
  node.iconPath = statusIcon(feature.status);
  node.tooltip = [
    feature.name,
    joined(status(feature.status), feature.priority && `${feature.priority} priority`, feature.category),
    joined(number(feature.tasks.total, "task"), number(feature.sessions, "session"), number(feature.documents, "planning file")),
  ].join("\n");
  return node;
}

function planNode(told: TreeNode): Node {
  if (told.type === "folder") return new Node(told.title, () => told.children.map(planNode));
  const children = (): Node[] => {
    const rest = told.more > 0 ? [new Node(`${told.more} more`)] : [];
    return [...told.children.map(planNode), ...rest];
  };
  const node = new EntityNode(
    { type: told.type, id: told.id },
    short(told.title, 120),
    told.children.length > 0 ? children : undefined,
  );
  node.description = status(told.status);
  node.iconPath = statusIcon(told.status);
  if (told.type === "task") {
    node.command = { command: "ccdash.openPlan", title: "Open Plan", arguments: [{ entity: node.entity }] };
  }
  return node;
}

function activeFile(): vscode.Uri | undefined {
  const uri = vscode.window.activeTextEditor?.document.uri;
  return uri?.scheme === "file" ? uri : undefined;
}
