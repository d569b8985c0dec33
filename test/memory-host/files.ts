import { AlError } from "../../src/base/errors.ts";
import { Secret } from "../../src/base/secret.ts";
import type { Link } from "./link.ts";
import { type FileName, type MemoryProject, projectDirOf, projectOn } from "./machine.ts";

/** A credential's value, or the set on the machine it is copied from. */
export type CredentialContent = Secret | { readonly carriedFrom: string };

/** The file operations that steps make in one project's directory. */
export interface Files {
  prepare(): Promise<void>;
  prepareDoor(): Promise<void>;
  prepareIngress(publicName: string): Promise<void>;
  readFile(name: FileName): Promise<string | undefined>;
  writeFile(name: FileName, text: string): Promise<void>;
  writeRelease(hash: string, files: ReadonlyMap<string, string>): Promise<void>;
  writeCredentials(hash: string, files: ReadonlyMap<string, CredentialContent>): Promise<void>;
  /** Absolute paths below the project's directory; what is missing is fine. */
  removePaths(paths: readonly string[]): Promise<void>;
  /** The whole directory, but for what somebody else put there. */
  removeProject(): Promise<void>;
}

/** The directory of one project at the other end of a link. */
export function filesOf({ machine, call }: Link, project: string): Files {
  const at = () => projectOn(machine, project);
  const leftover = (parent: string) => () => {
    const { temporary } = at();
    temporary.add(`${parent}.tmp-${temporary.size + 1}`);
  };
  const writeTree = <T>(kind: "releases" | "credentials", hash: string, place: () => T) => {
    const torn = () => {
      // Between two renames the directory is absent.
      at()[kind].delete(hash);
      leftover(`${kind}/`)();
    };
    const effect = () => {
      at().oddities.delete(`${kind}/${hash}`);
      place();
    };
    return call(`write ${kind}/${hash}`, effect, torn);
  };
  return {
    prepare: () => call("prepare", () => void at()),
    prepareDoor: () =>
      call("prepare the door", () => {
        at().hasDoorDirectory = true;
      }),
    prepareIngress: (publicName) =>
      call("prepare the ingress", () => {
        at().hasIngressDirectory = true;
        at().certificates.add(publicName);
      }),
    readFile: (name) => call(`read ${name}`, () => machine.projects.get(project)?.[name]),
    writeFile: (name, text) =>
      call(
        `write ${name}`,
        () => {
          if (at().blocked === name) throw unwritable(name);
          at()[name] = text;
        },
        leftover(""),
      ),
    writeRelease: (hash, files) =>
      writeTree("releases", hash, () => at().releases.set(hash, new Map(files))),
    writeCredentials: (hash, files) => {
      const write = () => {
        const contents = [...files].map(
          ([path, from]) => [path, copied(at(), path, from)] as const,
        );
        at().oddities.delete(`credentials/${hash}`);
        at().credentials.set(hash, new Map(contents));
      };
      const isMended = [...files.values()].some(
        (content) => !(content instanceof Secret) && content.carriedFrom === hash,
      );
      // A set that is made from itself is mended in place: it is never absent.
      if (isMended) return call(`write credentials/${hash}`, write, leftover("credentials/"));
      return writeTree("credentials", hash, write);
    },
    removePaths: (paths) =>
      call(`remove ${paths.join(" ")}`, () => {
        for (const path of paths) removePath(at(), project, path);
      }),
    removeProject: () => {
      // The inventory goes last.
      const gone = { key: undefined, current: undefined, stopped: undefined };
      const torn = () => Object.assign(at(), gone);
      const effect = () => {
        torn();
        at().inventory = undefined;
        const { releases, credentials, certificates, strangers } = at();
        const kept = [releases, credentials, certificates, strangers ?? new Set()];
        const isEmpty = kept.every(({ size }) => size === 0);
        if (isEmpty) machine.projects.delete(project);
      };
      return call("remove project", effect, torn);
    },
  };
}

function unwritable(name: FileName): AlError {
  return new AlError(`${name} cannot be written`, { code: "file-failed", blame: "transient" });
}

function copied({ credentials }: MemoryProject, path: string, from: CredentialContent): Buffer {
  if (from instanceof Secret) return from.revealBytes();
  const found = credentials.get(from.carriedFrom)?.get(path);
  if (found) return found;
  const options = { code: "file-failed", blame: "transient" } as const;
  throw new AlError(`${path} is no longer in ${from.carriedFrom}`, options);
}

function removePath(files: MemoryProject, project: string, path: string): void {
  const root = `${projectDirOf(project)}/`;
  if (!path.startsWith(root)) throw new Error(`${path} does not lie below ${root}`);
  const inner = path.slice(root.length);
  const [kind = "", hash = ""] = inner.split("/");
  if (inner === "current.json") files.current = undefined;
  else if (files.temporary.delete(inner)) return;
  else if (kind === "releases") files.releases.delete(hash);
  else if (kind === "credentials") files.credentials.delete(hash);
  else if (kind === "certificates") files.certificates.delete(hash);
  files.oddities.delete(inner);
}
