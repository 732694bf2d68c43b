/** Whole records of a log as read-only documents. */

import * as vscode from "vscode";
import type { Connection } from "../connection";

/** Scheme of their addresses. */
export const RECORDS = "ccdash-record";

export function records(connection: Connection): vscode.Disposable {
  return vscode.workspace.registerTextDocumentContentProvider(RECORDS, {
    async provideTextDocumentContent(uri) {
      const query = new URLSearchParams(uri.query);
      const [id, entry] = [query.get("session") ?? "", query.get("entry") ?? ""];
      const { raw, record } = await connection.request("sessions/entry", { id, entry });
      return record === null && raw !== null ? raw : JSON.stringify(record, undefined, 2);
    },
  });
}
