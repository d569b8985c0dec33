import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { AlError, hasCode, toAlError } from "../../base/errors.ts";
import { openSource, type Source } from "../../git/open-source.ts";
import { parseRemoteUrl } from "../../git/remote-url.ts";
import { remoteAddress } from "../../git/repository-address.ts";
import { watchWake } from "../../git/watch-wake.ts";
import {
  type ControllerEvent,
  runController,
  type SourcePort,
} from "../../reconcile/controller.ts";
import type { PassDeps } from "../../reconcile/pass.ts";
import { poolSessions } from "../../reconcile/session-pool.ts";
import { compose } from "../compose.ts";
import type { CliContext } from "../context.ts";
import { EXIT } from "../exit.ts";
import { readProject } from "../project.ts";
import { controllerLines, controllerRecord } from "../render/controller.ts";
import { storeDirectory } from "../wake.ts";

/** What `al controller` follows. */
export interface ControllerArguments {
  readonly source: string;
  readonly branch: string;
  readonly intervalSeconds: number;
}

/** `al controller`: keeps the fleet at the newest good commit of a branch until interrupted. */
export async function controller(
  context: CliContext,
  options: ControllerArguments,
): Promise<number> {
  const { output, signal } = context;
  const url = existsSync(options.source) ? resolve(options.source) : options.source;
  const cacheDir = join(context.home, "controller", "sources");
  const repository = await openSource({
    url,
    branch: options.branch,
    cacheDir,
    variables: context.gitVariables,
    signal,
  });
  const fleet = openFleet(context);
  try {
    await runController({
      source: sourcePort(repository, { url, fleet, home: context.home }),
      remote: await remoteAddress(url),
      depsFor: (project) => fleet.open(project),
      clock: systemClock,
      intervalMs: options.intervalSeconds * 1000,
      signal,
      onEvent: (event) => show(output, event),
    });
    return EXIT.done;
  } finally {
    await fleet.close();
    await repository.close();
  }
}

/** The one project a controller serves, opened when its first good commit names it. */
interface Fleet {
  /** Its name, once it is open. */
  project(): string | undefined;
  open(project: string): PassDeps;
  /** Calls back when it is opened. */
  onOpen(listener: (project: string) => void): void;
  close(): Promise<void>;
}

function openFleet(context: CliContext): Fleet {
  let opened: { project: string; deps: PassDeps; close(): Promise<void> } | undefined;
  let listener: ((project: string) => void) | undefined;
  return {
    project: () => opened?.project,
    open(project) {
      if (opened) return opened.deps;
      const adapters = compose(context, project);
      const pool = poolSessions(adapters.hosts);
      const close = () => pool.closeAll().finally(() => adapters.close());
      opened = { project, deps: { ...adapters.deps, hosts: pool }, close };
      listener?.(project);
      return opened.deps;
    },
    onOpen: (call) => {
      listener = call;
    },
    close: async () => opened?.close(),
  };
}

function sourcePort(
  repository: Source,
  { url, fleet, home }: { url: string; fleet: Fleet; home: string },
): SourcePort {
  const { localPath } = parseRemoteUrl(url);
  return {
    async fetch(signal) {
      try {
        return (await repository.fetch({ signal })).commit;
      } catch (thrown) {
        if (hasCode(thrown, "branch-not-found") && !fleet.project()) return undefined;
        throw thrown;
      }
    },
    async desired(commit) {
      return desiredOf(await repository.tree(commit), fleet.project());
    },
    watch(onWake, signal) {
      if (localPath !== undefined) watchWake(localPath, onWake, { signal });
      fleet.onOpen((project) => watchWake(storeDirectory(home, project), onWake, { signal }));
    },
  };
}

async function desiredOf(
  tree: Awaited<ReturnType<Source["tree"]>>,
  known: string | undefined,
): ReturnType<SourcePort["desired"]> {
  try {
    const { fleet } = await readProject(tree);
    if (known !== undefined && fleet.project !== known) throw renamed(known, fleet.project);
    return { kind: "fleet", fleet };
  } catch (thrown) {
    const error = toAlError(thrown);
    if (error.blame !== "user") throw error;
    return { kind: "refused", report: error.message };
  }
}

function show(output: CliContext["output"], event: ControllerEvent): void {
  output.record(controllerRecord(event));
  for (const line of controllerLines(event)) output.line(line);
}

function renamed(before: string, after: string): AlError {
  return new AlError(`fleet.toml: project.name changed from ${before} to ${after}`, {
    code: "project-renamed",
    blame: "user",
    hint: "A new name is a new project: start a controller for it, and take the old one down first.",
  });
}
