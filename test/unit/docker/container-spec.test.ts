import { expect, test } from "vitest";
import { containerBody } from "../../../src/docker/container-spec.ts";

test("a minimal spec asks for nothing but an image, its labels, no restart and small logs", () => {
  const body = containerBody({ name: "x1", image: "al-p/base:1", labels: { a: "b" } });
  expect(body).toEqual({
    Image: "al-p/base:1",
    Labels: { a: "b" },
    HostConfig: {
      Mounts: [],
      Tmpfs: {},
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    },
  });
});

test("every part of a full spec has its place in the engine's words", () => {
  const body = containerBody({
    name: "run-1",
    image: "al-p/agent:1",
    labels: {},
    user: "1000:1000",
    entrypoint: ["/entry"],
    argv: ["--once"],
    env: { A: "1", B: "two words" },
    workingDir: "/work",
    hostname: "agent",
    network: "al-p",
    ports: [{ hostIp: "10.213.7.1", hostPort: 7070, containerPort: 7070 }],
    capAdd: ["NET_ADMIN"],
    capDrop: ["ALL"],
    groupAdd: ["998"],
    readOnlyRoot: true,
    noNewPrivileges: true,
    pidsLimit: 256,
    memoryBytes: 1e9,
    cpus: 1.5,
    restart: "unless-stopped",
    stopSignal: "SIGINT",
    stopGraceSeconds: 10,
    init: true,
  });
  expect(body).toMatchObject({
    User: "1000:1000",
    Entrypoint: ["/entry"],
    Cmd: ["--once"],
    Env: ["A=1", "B=two words"],
    WorkingDir: "/work",
    Hostname: "agent",
    ExposedPorts: { "7070/tcp": {} },
    StopSignal: "SIGINT",
    StopTimeout: 10,
    HostConfig: {
      NetworkMode: "al-p",
      PortBindings: { "7070/tcp": [{ HostIp: "10.213.7.1", HostPort: "7070" }] },
      CapAdd: ["NET_ADMIN"],
      CapDrop: ["ALL"],
      GroupAdd: ["998"],
      ReadonlyRootfs: true,
      SecurityOpt: ["no-new-privileges"],
      PidsLimit: 256,
      Memory: 1e9,
      MemorySwap: 1e9,
      NanoCpus: 1_500_000_000,
      RestartPolicy: { Name: "unless-stopped" },
      Init: true,
    },
  });
});

test("one container port may be published at several addresses", () => {
  const ports = [
    { hostIp: "127.0.0.1", hostPort: 8080, containerPort: 80 },
    { hostIp: "10.0.0.1", hostPort: 8081, containerPort: 80 },
  ];
  const { HostConfig } = containerBody({ name: "p1", image: "i", labels: {}, ports });
  expect(HostConfig).toMatchObject({
    PortBindings: {
      "80/tcp": [
        { HostIp: "127.0.0.1", HostPort: "8080" },
        { HostIp: "10.0.0.1", HostPort: "8081" },
      ],
    },
  });
});

test("binds and volumes become mounts, tmpfs becomes options, programs there run only if asked", () => {
  const { HostConfig } = containerBody({
    name: "m1",
    image: "i",
    labels: {},
    mounts: [
      { kind: "bind", source: "/host/p", target: "/p", readOnly: false },
      { kind: "volume", name: "run-1", target: "/credentials", readOnly: true },
      { kind: "tmpfs", target: "/tmp", sizeBytes: 64e6, mode: "1777" },
      { kind: "tmpfs", target: "/work", executable: true },
    ],
  });
  expect(HostConfig).toMatchObject({
    Mounts: [
      { Type: "bind", Source: "/host/p", Target: "/p", ReadOnly: false },
      {
        Type: "volume",
        Source: "run-1",
        Target: "/credentials",
        ReadOnly: true,
        VolumeOptions: { NoCopy: true },
      },
    ],
    Tmpfs: {
      "/tmp": "rw,nosuid,nodev,noexec,size=64000000,mode=1777",
      "/work": "rw,nosuid,nodev,exec",
    },
  });
});
