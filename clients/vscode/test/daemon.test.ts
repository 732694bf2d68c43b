import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { NotInstalled, reach, socketOf, type Stream } from "../src/daemon";

/** A folder with a `ccdash` that tells where its daemon is; its pump echoes. */
function installed(told: string): { folder: string; command: string } {
  const folder = mkdtempSync(join(tmpdir(), "cc"));
  const command = join(folder, "ccdash");
  writeFileSync(command, `#!/bin/sh\n[ "$1" = lsp ] && exec cat\n${told}\n`);
  chmodSync(command, 0o755);
  return { folder, command };
}

async function serving<T>(path: string, work: () => Promise<T>): Promise<T> {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    return await work();
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

function close(stream: Stream): void {
  if (stream.kind === "socket") stream.socket.destroy();
  else stream.process.kill();
}

test("the socket that the command tells is opened", async () => {
  const { folder, command } = installed("exit 1");
  const path = join(folder, "s");
  writeFileSync(command, `#!/bin/sh\necho '{"socket": "${path}"}'\n`);
  const stream = await serving(path, () => reach({ command, socket: "" }, {}));
  assert.deepEqual([stream.kind, stream.kind === "socket" && stream.path], ["socket", path]);
  close(stream);
  rmSync(folder, { recursive: true });
});

test("a socket that is named is opened without the command", async () => {
  const { folder } = installed("exit 1");
  const path = join(folder, "s");
  for (const [socket, environ] of [[path, {}], ["", { CCDASH_SOCKET: path }]] as const) {
    const stream = await serving(path, () => reach({ command: join(folder, "none"), socket }, environ));
    assert.equal(stream.kind, "socket");
    close(stream);
  }
  rmSync(folder, { recursive: true });
});

test("the command's pump is used where no socket answers", async () => {
  const { folder, command } = installed("exit 1");
  for (const socket of ["", join(folder, "gone")]) {
    const stream = await reach({ command, socket }, {});
    assert.ok(stream.kind === "pump");
    const answer = new Promise((resolve) => stream.process.stdout?.once("data", resolve));
    stream.process.stdin?.write("hello");
    assert.equal(String(await answer), "hello");
    close(stream);
  }
  rmSync(folder, { recursive: true });
});

test("a command that is not there is told of as such", async () => {
  for (const socket of ["", "/nowhere/s"]) {
    await assert.rejects(reach({ command: "/nowhere/ccdash", socket }, {}), (error: unknown) => {
      assert.ok(error instanceof NotInstalled);
      assert.equal(error.message, "The command `/nowhere/ccdash` was not found.");
      return true;
    });
  }
});

test("what is not a status tells no socket", () => {
  assert.equal(socketOf('{"socket": "/run/s"}'), "/run/s");
  for (const output of ["", "null", "[]", '{"socket": 1}', "No daemon runs"]) assert.equal(socketOf(output), undefined);
});
