import { configDefaults, defineConfig } from "vitest/config";

const common = {
  setupFiles: ["test/hermetic.ts"],
  exclude: configDefaults.exclude,
  restoreMocks: true,
};

/**
 * `unit`: fast, parallel, no host needed. `lab`: real hosts, one file at a time.
 * The lab runs after the unit tests, so that neither disturbs the other's clock.
 */
export default defineConfig({
  test: {
    teardownTimeout: 60_000,
    projects: [
      {
        test: {
          ...common,
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/golden/**/*.test.ts"],
          testTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...common,
          name: "lab",
          include: ["test/{conformance,lab,e2e}/**/*.test.ts"],
          globalSetup: ["test/lab/global-setup.ts"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
