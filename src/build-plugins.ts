import { basename, join } from "node:path";
import type { Plugin } from "esbuild";
import { modelProviders } from "./core/agent-run-config.ts";

/** In place of what is left out stands a value that does nothing. */
const NOTHING =
  "module.exports = new Proxy(() => {}, { get: (nothing, key) => key === '__esModule' ? undefined : nothing });";

function leavingOut(...filters: RegExp[]): Plugin {
  return {
    name: "leaving-out",
    setup(builder) {
      for (const filter of filters) {
        builder.onResolve({ filter }, ({ path }) => ({ path, namespace: "left-out" }));
      }
      builder.onLoad({ filter: /.*/, namespace: "left-out" }, () => ({
        contents: NOTHING,
        loader: "js",
      }));
    },
  };
}

/** What dockerode's own builds need; ours speak BuildKit's protocol themselves. */
const dockerodeBuilds = /^(@grpc\/grpc-js|@grpc\/proto-loader|protobufjs)(\/|$)/;

/** dockerode's own SSH, where only a socket is used. */
const dockerodeSsh = /^ssh2(\/|$)/;

/**
 * What of pi a container must never reach: its loader of extensions, its colours for terminals and its
 * own HTTP client, which only its command line puts in place of Node's.
 */
const piExtras = [
  /^(jiti|highlight\.js|grok-mermaid|undici)(\/|$)/,
  /\/(virtual-modules|jiti-loader|jiti-static-loader)\.js$/,
];

/**
 * Leaves out what pi has for people at a terminal, and its lists of the models of providers that
 * no agent can name: together two thirds of it, which every run would read and compile.
 */
const onlySession: Plugin = {
  name: "only-session",
  setup(builder) {
    // pi does not say so itself, but its modules only define things.
    const pure = /\/node_modules\/@earendil-works\/(pi-coding-agent|pi-tui)\//;
    builder.onResolve({ filter: /^\.{1,2}\/.*\.js$/ }, ({ path, importer, resolveDir }) =>
      pure.test(importer) ? { path: join(resolveDir, path), sideEffects: false } : undefined,
    );
    builder.onLoad({ filter: /\/providers\/data\/[^/]+\.json$/ }, ({ path }) =>
      (modelProviders as readonly string[]).includes(basename(path, ".json"))
        ? undefined
        : { contents: "{}", loader: "json" },
    );
  },
};

/** For the bundle of `al`. */
export const forCli: readonly Plugin[] = [leavingOut(dockerodeBuilds)];

/** For the bundles of the runtime container. */
export const forRuntime: readonly Plugin[] = [leavingOut(dockerodeBuilds, dockerodeSsh)];

/** For the bundles of a run's container. */
export const forAgents: readonly Plugin[] = [leavingOut(...piExtras), onlySession];
