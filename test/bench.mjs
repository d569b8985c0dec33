import { bootstrap } from "./bootstrap.mjs";

await bootstrap("test/bench/bench.ts");
