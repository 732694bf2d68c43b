/** Where the daemon is, and a stream to it: its socket where that answers, else the command's pump, which starts it. */

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { type Socket, connect } from "node:net";

/** How long the socket may take to accept, and the command to tell where it is, in milliseconds. */
const PATIENCE = { socket: 2_000, command: 10_000 };

/** Characters of a pump's standard error that are kept. */
const LONGEST = 4_000;

export interface Where {
  /** The `ccdash` command. */
  command: string;
  /** The socket that the user names; empty where it is to be found. */
  socket: string;
}

/** `said` gives the last line that a pump wrote to standard error, where it tells why it ended. */
export type Stream =
  | { kind: "socket"; path: string; socket: Socket }
  | { kind: "pump"; process: ChildProcess; said: () => string };

/** The command is not there, or cannot be run. */
export class NotInstalled extends Error {
  constructor(
    readonly command: string,
    readonly reason: string,
  ) {
    super(`The command \`${command}\` ${reason === "ENOENT" ? "was not found" : `could not be started (${reason})`}.`);
  }
}

/** A stream to the daemon. Throws `NotInstalled` where no socket answers and the command is not there. */
export async function reach(where: Where, environ: NodeJS.ProcessEnv = process.env): Promise<Stream> {
  const named = where.socket || environ.CCDASH_SOCKET;
  const path = named || (await told(where.command));
  const socket = path ? await opened(path) : undefined;
  return path && socket ? { kind: "socket", path, socket } : pump(where.command);
}

/** The socket of the daemon that runs; undefined where none does. */
async function told(command: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    execFile(command, ["status", "--json"], { timeout: PATIENCE.command }, (error, output) => {
      if (error && typeof error.code === "string") reject(new NotInstalled(command, error.code));
      else resolve(error ? undefined : socketOf(output));
    });
  });
}

/** The socket in what `ccdash status --json` prints. */
export function socketOf(output: string): string | undefined {
  try {
    const status: unknown = JSON.parse(output);
    const socket = typeof status === "object" && status !== null && "socket" in status ? status.socket : undefined;
    return typeof socket === "string" ? socket : undefined;
  } catch {
    return undefined;
  }
}

async function opened(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const gaveUp = (): void => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(PATIENCE.socket, gaveUp);
    socket.once("error", gaveUp);
    socket.once("connect", () => {
      socket.setTimeout(0);
      socket.off("error", gaveUp);
      resolve(socket);
    });
  });
}

async function pump(command: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const process = spawn(command, ["lsp"], { stdio: "pipe" });
    let words = "";
    process.stderr.on("data", (data: Buffer) => (words = (words + data.toString()).slice(-LONGEST)));
    process.once("error", (error: NodeJS.ErrnoException) => reject(new NotInstalled(command, error.code ?? error.message)));
    process.once("spawn", () => resolve({ kind: "pump", process, said: () => words.trim().split("\n").at(-1) ?? "" }));
  });
}
