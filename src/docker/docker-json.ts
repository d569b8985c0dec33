import { z } from "zod";
import { ContainerMakeJson } from "./container-facts.ts";

// Only the fields we use of what the engine answers; null appears where Go has an empty slice or map.

const strings = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);

const labels = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value) => value ?? {});

/** Answer of `GET /version`. */
export const VersionJson = z.object({
  Version: z.string(),
  ApiVersion: z.string(),
  MinAPIVersion: z.string().default("1.0"),
  Arch: z.string(),
});

/** Answer of `GET /info`. */
export const EngineInfoJson = z.object({
  ID: z.string().default(""),
  DriverStatus: z
    .array(z.tuple([z.string(), z.string()]))
    .nullish()
    .transform((value) => value ?? []),
  DockerRootDir: z.string(),
  LiveRestoreEnabled: z.boolean().default(false),
});

/** Answer of `POST /containers/create` and of `POST /containers/{id}/exec`. */
export const IdJson = z.object({ Id: z.string() });

/** Answer of `GET /containers/json`. */
export const ContainerListJson = z.array(
  z.object({
    Id: z.string(),
    Names: strings,
    Image: z.string(),
    ImageID: z.string(),
    State: z.string(),
    Labels: labels,
    Created: z.number(),
  }),
);

/** Answer of `GET /containers/{id}/json`. */
export const ContainerJson = z.object({
  Id: z.string(),
  Name: z.string(),
  Created: z.string(),
  Image: z.string(),
  RestartCount: z.number().default(0),
  State: z.object({
    Status: z.string(),
    ExitCode: z.number(),
    OOMKilled: z.boolean().default(false),
    Error: z.string().default(""),
    StartedAt: z.string(),
    FinishedAt: z.string(),
  }),
  Config: ContainerMakeJson.shape.Config.extend({ Labels: labels }),
  HostConfig: ContainerMakeJson.shape.HostConfig,
  Mounts: ContainerMakeJson.shape.Mounts,
  NetworkSettings: z
    .object({
      Networks: z
        .record(
          z.string(),
          z.object({ IPAddress: z.string().default(""), NetworkID: z.string().default("") }),
        )
        .nullish()
        .transform((value) => value ?? {}),
      Ports: z
        .record(
          z.string(),
          z.array(z.object({ HostIp: z.string(), HostPort: z.string() })).nullish(),
        )
        .nullish()
        .transform((value) => value ?? {}),
    })
    .default({ Networks: {}, Ports: {} }),
});

/** Answer of `POST /containers/{id}/wait`. */
export const WaitJson = z.object({ StatusCode: z.number() });

/** Answer of `GET /exec/{id}/json`. */
export const ExecJson = z.object({ Running: z.boolean(), ExitCode: z.number().nullish() });

/** One object of the `GET /events` stream. */
export const EventJson = z.object({
  Type: z.string(),
  Action: z.string(),
  Actor: z.object({ ID: z.string(), Attributes: labels }),
  timeNano: z.number(),
});

/** Answer of `GET /networks/{id}`. */
export const NetworkJson = z.object({
  Id: z.string(),
  Name: z.string(),
  Driver: z.string(),
  Internal: z.boolean().default(false),
  Labels: labels,
  Options: labels,
  IPAM: z
    .object({
      Config: z
        .array(z.object({ Subnet: z.string().optional(), Gateway: z.string().optional() }))
        .nullish()
        .transform((value) => value ?? []),
    })
    .default({ Config: [] }),
});

/** Answer of `GET /networks`. */
export const NetworkListJson = z.array(NetworkJson);

const VolumeJson = z.object({ Name: z.string(), Labels: labels });

/** Answer of `GET /volumes`. */
export const VolumeListJson = z.object({
  Volumes: z
    .array(VolumeJson)
    .nullish()
    .transform((value) => value ?? []),
});

/** Answer of `GET /images/json`. */
export const ImageListJson = z.array(
  z.object({ Id: z.string(), RepoTags: strings, Labels: labels, Size: z.number() }),
);

/** Answer of `GET /images/{name}/json`. */
export const ImageJson = z.object({
  Id: z.string(),
  RepoTags: strings,
  Architecture: z.string(),
  Size: z.number(),
  Created: z.string().nullish(),
  Metadata: z.object({ LastTagTime: z.string().nullish() }).nullish(),
  RootFS: z.object({ Layers: strings }),
  Config: z
    .object({ Labels: labels, Entrypoint: strings, Cmd: strings, Env: strings })
    .nullish()
    .transform((value) => value ?? { Labels: {}, Entrypoint: [], Cmd: [], Env: [] }),
});
