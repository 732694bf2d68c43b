/** Lists to choose from: sessions, planning files, features and their tasks, statuses. */

import * as vscode from "vscode";
import type { DocumentRow, EntityRef, FeatureRow, SessionRow, TreeNode } from "../../types/protocol";
import type { Connection } from "./connection";
import { Throttle } from "./throttle";
import { sessionIcon, statusIcon } from "./views";
import { ago, joined, number, short, STATUSES, status, titled } from "./words";

/** Rows of a list; what is typed is looked for in all. */
const ROWS = 100;

/** Milliseconds from a key until it is looked for, and between two such requests. */
const TYPING = { soon: 120, rest: 0 };

/** A line of a list that stands for something. */
export interface Pick<T> extends vscode.QuickPickItem {
  value: T;
}

/** Of sessions. */
export function sessionPick(session: SessionRow): Pick<string> {
  return {
    label: titled(session),
    description: joined(session.projectName, ago(session.endedAt)),
    detail: joined(session.model, number(session.prompts, "prompt"), session.gitBranch),
    iconPath: sessionIcon(session),
    value: session.id,
  };
}

/** Of planning files. */
export function documentPick(document: DocumentRow): Pick<string> {
  return {
    label: document.title || document.path,
    description: joined(document.docType, document.status && status(document.status)),
    detail: document.path,
    iconPath: new vscode.ThemeIcon("file"),
    value: document.id,
  };
}

/** One of a list that was read before; undefined where the user chose none. */
export async function choose<T>(title: string, items: (Pick<T> | vscode.QuickPickItem)[]): Promise<T | undefined> {
  const chosen = await vscode.window.showQuickPick(items, { title, matchOnDescription: true, matchOnDetail: true });
  return chosen !== undefined && "value" in chosen ? chosen.value : undefined;
}

/** One of a list that the daemon searches as the user types. */
export async function search<T>(title: string, found: (text: string) => Promise<Pick<T>[]>): Promise<T | undefined> {
  const quick = vscode.window.createQuickPick<Pick<T>>();
  quick.title = title;
  quick.placeholder = "Type to search";
  quick.matchOnDescription = true;
  quick.matchOnDetail = true;
  const read = async (): Promise<void> => {
    quick.busy = true;
    try {
      // What the daemon found stays, whatever the words are that it found it by.
      quick.items = (await found(quick.value)).map((item) => ({ ...item, alwaysShow: true }));
    } catch (error) {
      quick.placeholder = error instanceof Error ? error.message : String(error);
    } finally {
      quick.busy = false;
    }
  };
  const reading = new Throttle(TYPING, read);
  try {
    return await new Promise((resolve) => {
      quick.onDidChangeValue(() => reading.ask());
      quick.onDidAccept(() => resolve(quick.activeItems[0]?.value));
      quick.onDidHide(() => resolve(undefined));
      quick.show();
      void read();
    });
  } finally {
    reading.dispose();
    quick.dispose();
  }
}

/** A session, searched in all, those of this folder first. */
export async function pickSession(connection: Connection, title: string): Promise<string | undefined> {
  return search(title, async (text) => {
    const wanted = text.trim() === "" ? { ...inFolder(), limit: ROWS } : { text, limit: ROWS };
    const { items } = await connection.request("sessions/list", wanted);
    const rows = items.length > 0 || text.trim() !== "" ? items : (await connection.request("sessions/list", { limit: ROWS })).items;
    return rows.map(sessionPick);
  });
}

/** A planning file. */
export async function pickDocument(connection: Connection): Promise<string | undefined> {
  return search("Open Plan", async (text) => {
    const wanted = { ...inFolder(), text: text.trim() || null, limit: ROWS };
    return (await connection.request("documents/list", wanted)).items.map(documentPick);
  });
}

/** A feature. */
export async function pickFeature(connection: Connection, title: string): Promise<string | undefined> {
  return search(title, async (text) => {
    const wanted = { ...inFolder(), text: text.trim() || null, limit: ROWS };
    return (await connection.request("features/list", wanted)).items.map(featurePick);
  });
}

/** A feature, or a phase or task of one. */
export async function pickWork(connection: Connection, title: string): Promise<EntityRef | undefined> {
  const feature = await pickFeature(connection, title);
  if (feature === undefined) return undefined;
  const { items } = await connection.request("features/tree", { id: feature });
  return choose(title, items.flatMap((node) => workPicks(node, 0)));
}

/** A status. */
export async function pickStatus(title: string): Promise<string | undefined> {
  return choose(
    title,
    STATUSES.map((known) => ({ label: status(known), iconPath: statusIcon(known), value: known as string })),
  );
}

/** A filter for the project of the folder that is worked in. */
export function inFolder(): { project?: string } {
  const active = vscode.window.activeTextEditor?.document.uri;
  const folder = (active && vscode.workspace.getWorkspaceFolder(active)) ?? vscode.workspace.workspaceFolders?.[0];
  return folder === undefined ? {} : { project: folder.uri.fsPath };
}

function featurePick(feature: FeatureRow): Pick<string> {
  return {
    label: feature.name,
    description: joined(status(feature.status), feature.tasks.total > 0 && number(feature.tasks.total, "task")),
    iconPath: statusIcon(feature.status),
    value: feature.id,
  };
}

function workPicks(node: TreeNode, depth: number): Pick<EntityRef>[] {
  const below = node.children.flatMap((child) => workPicks(child, depth + 1));
  if (node.type === "folder") return below;
  const label = `${"\u2003".repeat(depth)}${short(node.title, 100)}`;
  const pick = { label, description: joined(node.type, status(node.status)), iconPath: statusIcon(node.status) };
  return [{ ...pick, value: { type: node.type, id: node.id } }, ...below];
}
