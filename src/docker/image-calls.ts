import type { Duplex, Readable } from "node:stream";
import type { CallOptions } from "../base/deadline.ts";
import {
  type ContainerProgram,
  type LabelFilter,
  labelFilters,
  programOf,
  settled,
} from "./container-calls.ts";
import type { EngineConnection } from "./docker-connection.ts";
import { ImageJson, ImageListJson } from "./docker-json.ts";

/** One image of a listing. */
export interface ImageSummary {
  readonly id: string;
  /** Sorted references; empty for an image without a name. */
  readonly references: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
}

/** What an image consists of. */
export interface ImageDetails {
  /** Config digest on some engines, manifest digest on others: never compare across engines. */
  readonly id: string;
  readonly references: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly architecture: string;
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly string[];
  readonly sizeBytes: number;
  /** When it was built or last given a name on this engine, in ms since the epoch; 0 when unknown. */
  readonly namedAtMs: number;
  /** What its containers run unless they are told otherwise. */
  readonly program: ContainerProgram;
}

/** Parameters of {@link ImageCalls.buildStream}, in the engine's words. */
export type BuildQuery = Readonly<Record<string, string | number | boolean | undefined>>;

/** The image calls of a DockerClient. */
export interface ImageCalls {
  /** Images with all these labels, sorted by their first reference. */
  listImages(labels: LabelFilter, options?: CallOptions): Promise<readonly ImageSummary[]>;
  inspectImage(reference: string, options?: CallOptions): Promise<ImageDetails | undefined>;
  /** Gives an image (reference or id) one more reference. */
  tagImage(image: string, reference: string, options?: CallOptions): Promise<void>;
  /** Removes a reference, and the image with its last one; `docker-conflict` while a container uses it. */
  removeImage(reference: string, options?: CallOptions): Promise<void>;
  /** `POST /build`; the answer is a stream of JSON objects, errors included. */
  buildStream(options: CallOptions & { readonly query: BuildQuery }): Promise<Readable>;
  /** `POST /session`: a connection over which BuildKit calls us; `headers` say who and what we are. */
  openSession(
    options: CallOptions & { readonly headers: Readonly<Record<string, string>> },
  ): Promise<Duplex>;
  /** `POST /grpc`: a connection on which BuildKit answers calls. */
  openBuildKit(options?: CallOptions): Promise<Duplex>;
  /** `POST /images/load`; the answer is a stream of JSON objects, errors included. */
  loadStream(archive: Readable, options?: CallOptions): Promise<Readable>;
  /** `GET /images/get`: one archive of all these images, in the form the engine chooses. */
  saveStream(references: readonly string[], options?: CallOptions): Promise<Readable>;
}

/** Image calls over one connection. */
export function imageCalls(connection: EngineConnection): ImageCalls {
  return { ...catalogue(connection), ...archives(connection) };
}

function catalogue(connection: EngineConnection) {
  return {
    async listImages(labels: LabelFilter, options: CallOptions = {}) {
      const request = { path: "/images/json", query: { filters: labelFilters(labels) } };
      const found = await connection.json("list images", ImageListJson, { ...request, ...options });
      return found
        .map(({ Id, RepoTags, Labels, Size }) => ({
          id: Id,
          references: namedOnly(RepoTags),
          labels: Labels,
          sizeBytes: Size,
        }))
        .sort((a, b) => ((a.references[0] ?? a.id) < (b.references[0] ?? b.id) ? -1 : 1));
    },
    async inspectImage(reference: string, options: CallOptions = {}) {
      const path = `${pathOf(reference)}/json`;
      const what = `inspect image ${reference}`;
      const call = connection.json(what, ImageJson, { path, ...options });
      const json = await settled(call, "docker-not-found");
      return (
        json && {
          id: json.Id,
          references: namedOnly(json.RepoTags),
          labels: json.Config.Labels,
          architecture: json.Architecture,
          diffIds: json.RootFS.Layers,
          sizeBytes: json.Size,
          namedAtMs: latest([json.Created, json.Metadata?.LastTagTime]),
          program: programOf(json.Config),
        }
      );
    },
    async tagImage(image: string, reference: string, options: CallOptions = {}) {
      const [repo, tag] = splitReference(reference);
      const request = {
        method: "POST",
        path: `${pathOf(image)}/tag`,
        query: { repo, tag },
      } as const;
      await connection.call(`tag ${image} as ${reference}`, { ...request, ...options });
    },
    async removeImage(reference: string, options: CallOptions = {}) {
      const request = { method: "DELETE", path: pathOf(reference), ...options } as const;
      await settled(connection.call(`remove image ${reference}`, request), "docker-not-found");
    },
  };
}

function archives(connection: EngineConnection) {
  return {
    buildStream: (options: CallOptions & { readonly query: BuildQuery }) =>
      connection.stream("build an image", {
        method: "POST",
        path: "/build",
        long: true,
        ...options,
      }),
    openSession: (options: CallOptions & { readonly headers: Readonly<Record<string, string>> }) =>
      connection.hijack("open a build session", {
        method: "POST",
        path: "/session",
        ...options,
        headers: { Upgrade: "h2c", ...options.headers },
      }),
    openBuildKit: (options: CallOptions = {}) =>
      connection.hijack("reach BuildKit", {
        method: "POST",
        path: "/grpc",
        ...options,
        headers: { Upgrade: "h2c" },
      }),
    loadStream: (archive: Readable, options: CallOptions = {}) =>
      connection.stream("load an image", {
        method: "POST",
        path: "/images/load",
        query: { quiet: true },
        archive,
        long: true,
        ...options,
      }),
    saveStream: (references: readonly string[], options: CallOptions = {}) =>
      connection.stream(`export image ${references.join(", ")}`, {
        path: `/images/get?${references.map((name) => `names=${encodeURIComponent(name)}`).join("&")}`,
        long: true,
        ...options,
      }),
  };
}

/** An engine that never named an image says year 1; a cached build has the date of its oldest one. */
function latest(dates: readonly (string | null | undefined)[]): number {
  return Math.max(0, ...dates.map((date) => Date.parse(date ?? "") || 0));
}

function namedOnly(references: readonly string[]): string[] {
  return references.filter((reference) => !reference.startsWith("<none>")).sort();
}

function splitReference(reference: string): [repository: string, tag: string] {
  const colon = reference.lastIndexOf(":");
  if (colon <= reference.lastIndexOf("/")) return [reference, "latest"];
  return [reference.slice(0, colon), reference.slice(colon + 1)];
}

/** Slashes stay: the engine's router takes everything up to the last part as the name. */
function pathOf(reference: string): string {
  return `/images/${reference.split("/").map(encodeURIComponent).join("/")}`;
}
