import type { CallOptions } from "../base/deadline.ts";
import { hasCode } from "../base/errors.ts";
import { type Created, type LabelFilter, labelFilters, settled } from "./container-calls.ts";
import type { EngineConnection } from "./docker-connection.ts";
import { IdJson, NetworkJson, NetworkListJson, VolumeListJson } from "./docker-json.ts";

/** A bridge network to make. */
export interface NewNetwork {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Interface name on the host, at most 15 bytes. */
  readonly bridge: string;
  readonly subnet: string;
  readonly gateway: string;
  /** Whether containers may talk to each other. */
  readonly betweenContainers: boolean;
}

/** A network as the engine has it. */
export interface DockerNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Interface name given by option; undefined for the engine's own choice. */
  readonly bridge: string | undefined;
  readonly betweenContainers: boolean;
  /** Without a way out. */
  readonly internal: boolean;
  readonly subnets: readonly { readonly subnet: string; readonly gateway: string | undefined }[];
}

/** A named volume. */
export interface DockerVolume {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The network and volume calls of a DockerClient. */
export interface NetworkCalls {
  createNetwork(network: NewNetwork, options?: CallOptions): Promise<Created>;
  inspectNetwork(network: string, options?: CallOptions): Promise<DockerNetwork | undefined>;
  /** All networks, or those with all these labels; sorted by name. */
  listNetworks(labels?: LabelFilter, options?: CallOptions): Promise<readonly DockerNetwork[]>;
  /** Throws `docker-conflict` or `docker-refused` while a container is attached. */
  removeNetwork(network: string, options?: CallOptions): Promise<void>;
  /** Does nothing when a volume of that name is there. */
  createVolume(volume: DockerVolume, options?: CallOptions): Promise<void>;
  listVolumes(labels: LabelFilter, options?: CallOptions): Promise<readonly DockerVolume[]>;
  removeVolume(volume: string, options?: CallOptions): Promise<void>;
}

/** Network and volume calls over one connection. */
export function networkCalls(connection: EngineConnection): NetworkCalls {
  return { ...networks(connection), ...volumes(connection) };
}

const BRIDGE_NAME = "com.docker.network.bridge.name";
const BRIDGE_ICC = "com.docker.network.bridge.enable_icc";

function networks(connection: EngineConnection) {
  return {
    async createNetwork(network: NewNetwork, options: CallOptions = {}): Promise<Created> {
      const request = { method: "POST", path: "/networks/create" } as const;
      try {
        const { Id } = await connection.json(`create network ${network.name}`, IdJson, {
          ...request,
          body: networkBody(network),
          ...options,
        });
        return { kind: "created", id: Id };
      } catch (thrown) {
        if (hasCode(thrown, "docker-conflict")) return { kind: "exists" };
        throw thrown;
      }
    },
    async inspectNetwork(network: string, options: CallOptions = {}) {
      const path = `/networks/${encodeURIComponent(network)}`;
      const what = `inspect network ${network}`;
      const call = connection.json(what, NetworkJson, { path, ...options });
      const found = await settled(call, "docker-not-found");
      return found && dockerNetwork(found);
    },
    async listNetworks(labels: LabelFilter = {}, options: CallOptions = {}) {
      const request = { path: "/networks", query: { filters: labelFilters(labels) }, ...options };
      const found = await connection.json("list networks", NetworkListJson, request);
      return found.map(dockerNetwork).sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async removeNetwork(network: string, options: CallOptions = {}) {
      const path = `/networks/${encodeURIComponent(network)}`;
      const request = { method: "DELETE", path, ...options } as const;
      await settled(connection.call(`remove network ${network}`, request), "docker-not-found");
    },
  };
}

function networkBody(network: NewNetwork): Record<string, unknown> {
  return {
    Name: network.name,
    // Without this, engines before 25 make two networks of one name.
    CheckDuplicate: true,
    Driver: "bridge",
    Labels: network.labels,
    Options: { [BRIDGE_NAME]: network.bridge, [BRIDGE_ICC]: String(network.betweenContainers) },
    IPAM: { Config: [{ Subnet: network.subnet, Gateway: network.gateway }] },
  };
}

function dockerNetwork(json: ReturnType<typeof NetworkJson.parse>): DockerNetwork {
  return {
    id: json.Id,
    name: json.Name,
    driver: json.Driver,
    labels: json.Labels,
    bridge: json.Options[BRIDGE_NAME],
    betweenContainers: json.Options[BRIDGE_ICC] !== "false",
    internal: json.Internal,
    subnets: json.IPAM.Config.flatMap(({ Subnet, Gateway }) =>
      Subnet === undefined ? [] : [{ subnet: Subnet, gateway: Gateway }],
    ),
  };
}

function volumes(connection: EngineConnection) {
  return {
    async createVolume(volume: DockerVolume, options: CallOptions = {}) {
      const body = { Name: volume.name, Labels: volume.labels };
      const request = { method: "POST", path: "/volumes/create", body, ...options } as const;
      await connection.call(`create volume ${volume.name}`, request);
    },
    async listVolumes(labels: LabelFilter, options: CallOptions = {}) {
      const request = { path: "/volumes", query: { filters: labelFilters(labels) }, ...options };
      const found = await connection.json("list volumes", VolumeListJson, request);
      return found.Volumes.map(({ Name, Labels }) => ({ name: Name, labels: Labels })).sort(
        (a, b) => (a.name < b.name ? -1 : 1),
      );
    },
    async removeVolume(volume: string, options: CallOptions = {}) {
      const path = `/volumes/${encodeURIComponent(volume)}`;
      const request = { method: "DELETE", path, ...options } as const;
      await settled(connection.call(`remove volume ${volume}`, request), "docker-not-found");
    },
  };
}
