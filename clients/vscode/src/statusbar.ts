/** Today's cost and the number of live sessions, always in sight. */

import * as vscode from "vscode";
import { here, zone } from "./commands";
import { type Connection, setting } from "./connection";
import { Throttle } from "./throttle";
import { cost, joined, money, number } from "./words";

/** Milliseconds: from a change until the figures are read anew, and between two such reads. */
const PACE = { soon: 100, rest: 5_000 };

/** Milliseconds after which sessions that ended are no longer live, and a day may be over. */
const ROUND = 60_000;

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("ccdash.today", vscode.StatusBarAlignment.Right, 90);
  private readonly disposables: vscode.Disposable[] = [];
  private readonly reading: Throttle;

  constructor(
    private readonly connection: Connection,
    log: vscode.LogOutputChannel,
  ) {
    this.reading = new Throttle(PACE, () => this.read(), (error) => log.warn(`status bar: ${String(error)}`));
    const round = setInterval(() => this.reading.ask(), ROUND);
    this.item.name = "ccdash";
    this.disposables.push(
      this.item,
      this.reading,
      new vscode.Disposable(() => clearInterval(round)),
      connection.subscribe("sessions"),
      connection.onConnected(() => this.reading.ask()),
      connection.onChanged(({ changes, missed }) => {
        if (missed || changes.some(({ type }) => type === "session")) this.reading.ask();
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("ccdash.statusBar")) this.reading.ask();
      }),
    );
    this.reading.ask();
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private async read(): Promise<void> {
    if (!setting("statusBar", true)) {
      this.item.hide();
      return;
    }
    if (this.connection.connected) await this.figures();
    else {
      this.item.text = "$(debug-disconnect) ccdash";
      this.item.tooltip = "ccdash is not connected to its daemon. Choose to connect.";
      this.item.command = "ccdash.reconnect";
    }
    this.item.show();
  }

  private async figures(): Promise<void> {
    const told = await this.connection.request("analytics/statusline", { ...here(), timeZone: zone() });
    const today = cost(told.today) || "$0";
    this.item.text = joined(`$(pulse) ${today}`, `${told.active} live`, told.alerts > 0 && `$(bell) ${told.alerts}`);
    this.item.tooltip = [
      joined(`ccdash: today ${today}`, number(told.active, "live session")),
      told.window && joined(`this window ${cost(told.window)}`, told.usdPerHour !== null && `${money(told.usdPerHour)} an hour`),
      told.alerts > 0 && number(told.alerts, "alert"),
    ]
      .filter(Boolean)
      .join("\n");
    this.item.command = "ccdash.overview";
  }
}
