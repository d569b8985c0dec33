import type { ChildProcess } from "node:child_process";
import { AlError } from "../base/errors.ts";
import { type GitOptions, spawnGit, stopGroup } from "./run-git.ts";

interface Waiting {
  readonly id: string;
  resolve(content: Buffer): void;
  reject(reason: unknown): void;
}

/**
 * Reads blobs by object id through one `git cat-file --batch` process, started on first use.
 * Requests are pipelined; after its process has died the next request starts another.
 */
export class ObjectReader {
  readonly #options: GitOptions;
  #child: ChildProcess | undefined;
  #waiting: Waiting[] = [];
  #chunks: Buffer[] = [];
  #buffered = 0;
  #needed = 0;

  constructor(options: GitOptions) {
    this.#options = options;
  }

  /** The content of a blob; `id` is a full hexadecimal object id. */
  async read(id: string): Promise<Buffer> {
    if (!/^[0-9a-f]{40,64}$/.test(id)) throw this.#failure(`${JSON.stringify(id)} is no object id`);
    const child = this.#child ?? this.#start();
    return await new Promise<Buffer>((resolve, reject) => {
      this.#waiting.push({ id, resolve, reject });
      child.stdin?.write(`${id}\n`);
    });
  }

  /** Ends the process and waits for its exit; requests under way are rejected. */
  async close(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
    this.#end(child, "it was closed");
    child.stdin?.end();
    stopGroup(child);
    await exited;
  }

  #start(): ChildProcess {
    const child = spawnGit(["cat-file", "--batch"], this.#options);
    this.#child = child;
    let complaint = "";
    child.stdin?.on("error", () => {});
    child.stdout?.on("data", (chunk: Buffer) => this.#take(chunk));
    child.stderr?.on("data", (chunk: Buffer) => {
      complaint = (complaint + chunk.toString("utf8")).slice(-2000);
    });
    child.once("error", (cause) => this.#end(child, cause.message));
    child.once("close", () => this.#end(child, complaint.trim() || "it ended early"));
    return child;
  }

  #end(child: ChildProcess, reason: string): void {
    if (this.#child !== child) return;
    const waiting = this.#waiting;
    this.#child = undefined;
    this.#waiting = [];
    this.#chunks = [];
    this.#buffered = 0;
    this.#needed = 0;
    for (const each of waiting) each.reject(this.#failure(reason));
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    while (this.#waiting.length > 0 && this.#buffered >= this.#needed && this.#answerOne()) {
      this.#needed = 0;
    }
  }

  /** Takes one whole answer, `<id> blob <size>\n<content>\n`; false when more bytes must come. */
  #answerOne(): boolean {
    const data =
      this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [data];
    const lineEnd = data.indexOf(0x0a);
    if (lineEnd === -1) return false;
    const [id, kind, length] = data.toString("latin1", 0, lineEnd).split(" ");
    const start = lineEnd + 1;
    const end = kind === "blob" ? start + Number(length) : start;
    const after = kind === "blob" ? end + 1 : end;
    this.#needed = after;
    if (data.length < after) return false;
    this.#chunks = [data.subarray(after)];
    this.#buffered = data.length - after;
    const request = this.#waiting.shift();
    if (kind === "blob" && request?.id === id)
      request?.resolve(Buffer.from(data.subarray(start, end)));
    else request?.reject(this.#failure(`object ${id} is ${kind ?? "unreadable"}`));
    return true;
  }

  #failure(reason: string): AlError {
    return new AlError(`git could not read a file's content: ${reason}`, {
      code: "git-read-failed",
      blame: "transient",
    });
  }
}
