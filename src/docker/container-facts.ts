import { z } from "zod";
import {
  type ContainerFacts,
  capabilityText,
  listText,
  mountText,
  portText,
} from "../core/container-facts.ts";

const strings = z
  .array(z.string())
  .nullish()
  .transform((value) => value ?? []);

/** The parts of `GET /containers/{id}/json` that say how a container was made. */
export const ContainerMakeJson = z.object({
  Config: z.object({
    Image: z.string(),
    User: z.string().default(""),
    Entrypoint: strings,
    Cmd: strings,
    Env: strings,
  }),
  HostConfig: z
    .object({
      PortBindings: z
        .record(
          z.string(),
          z.array(z.object({ HostIp: z.string(), HostPort: z.string() })).nullish(),
        )
        .nullish(),
      RestartPolicy: z.object({ Name: z.string() }).nullish(),
      GroupAdd: strings,
      CapAdd: strings,
      CapDrop: strings,
      SecurityOpt: strings,
      Privileged: z.boolean().default(false),
      ReadonlyRootfs: z.boolean().default(false),
      PidsLimit: z.number().nullish(),
      Tmpfs: z.record(z.string(), z.string()).nullish(),
    })
    .prefault({}),
  Mounts: z
    .array(
      z.object({
        Type: z.string(),
        Source: z.string().default(""),
        Name: z.string().optional(),
        Destination: z.string(),
        RW: z.boolean().default(true),
      }),
    )
    .nullish(),
});

/** The facts that an inspection alone tells. */
export type ContainerMake = Omit<
  ContainerFacts,
  "imageSpecHash" | "specHash" | "networks" | "command" | "environment"
>;

/** Reads the engine's words, which differ between versions, as `core/container-facts.ts` writes them. */
export function containerMake({
  Config,
  HostConfig,
  Mounts,
}: z.infer<typeof ContainerMakeJson>): ContainerMake {
  const { CapAdd: add, CapDrop: drop, Privileged: privileged } = HostConfig;
  const ports = Object.entries(HostConfig.PortBindings ?? {}).flatMap(([port, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) =>
      portText({
        hostIp: HostIp,
        hostPort: HostPort,
        containerPort: port.replace(/\/tcp$/, ""),
      }),
    ),
  );
  const mounts = (Mounts ?? [])
    .filter(({ Type }) => Type !== "tmpfs")
    .map(({ Type, Source, Name, Destination, RW }) =>
      mountText({
        kind: Type,
        source: Type === "volume" ? (Name ?? Source) : Source,
        target: Destination,
        readOnly: !RW,
      }),
    );
  const tmpfs = Object.keys(HostConfig.Tmpfs ?? {}).map((target) =>
    mountText({ kind: "tmpfs", target }),
  );
  return {
    image: Config.Image,
    user: Config.User,
    groups: listText(HostConfig.GroupAdd),
    ports: listText(ports),
    mounts: listText([...mounts, ...tmpfs]),
    restart: HostConfig.RestartPolicy?.Name || "no",
    readOnlyRoot: String(HostConfig.ReadonlyRootfs),
    capabilities: capabilityText({ add, drop, privileged }),
    security: listText(HostConfig.SecurityOpt.map((option) => option.replace(/[:=]true$/, ""))),
    pidsLimit: String(HostConfig.PidsLimit ?? 0),
  };
}
