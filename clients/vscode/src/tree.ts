/** What all three tree views have in common: nodes that are items, and reloads that keep pace. */

import * as vscode from "vscode";
import type { Connection } from "./connection";
import { Throttle } from "./throttle";

/** Milliseconds: from a change until a view is read anew, and between two such reads. */
const PACE = { soon: 150, rest: 1_500 };

/** A line of a tree. `children` is asked once, when it is unfolded. */
export class Node extends vscode.TreeItem {
  constructor(
    label: string,
    readonly children?: () => Promise<Node[]> | Node[],
    unfolded = false,
  ) {
    const { Collapsed, Expanded, None } = vscode.TreeItemCollapsibleState;
    super(label, children === undefined ? None : unfolded ? Expanded : Collapsed);
  }
}

/** A view that is read while it is visible, and read anew when its topics change. */
export abstract class View implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  private readonly emitter = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.emitter.event;
  protected readonly disposables: vscode.Disposable[] = [];
  private readonly reload = new Throttle(PACE, () => this.emitter.fire());
  private readonly view: vscode.TreeView<Node>;
  private stale = true;

  constructor(
    id: string,
    protected readonly connection: Connection,
    private readonly types: ReadonlySet<string>,
  ) {
    this.view = vscode.window.createTreeView(id, { treeDataProvider: this, showCollapseAll: false });
    this.disposables.push(
      this.view,
      this.emitter,
      this.reload,
      connection.onConnected(() => this.refresh()),
      connection.onChanged(({ changes, missed }) => {
        if (missed || changes.some(({ type }) => this.types.has(type))) this.refresh();
      }),
      this.view.onDidChangeVisibility(({ visible }) => {
        if (visible && this.stale) this.refresh();
      }),
    );
  }

  /** Read the view anew, now or when it becomes visible. */
  refresh(): void {
    this.stale = true;
    if (this.view.visible) this.reload.ask();
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return node;
  }

  async getChildren(node?: Node): Promise<Node[]> {
    if (node !== undefined) return (await node.children?.()) ?? [];
    if (!this.connection.connected) return [];
    this.stale = false;
    try {
      const nodes = await this.roots();
      this.view.message = "";
      return nodes;
    } catch (error) {
      this.view.message = error instanceof Error ? error.message : String(error);
      return [];
    }
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  protected describe(text: string): void {
    this.view.description = text;
  }

  protected abstract roots(): Promise<Node[]>;
}
