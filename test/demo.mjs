import { bootstrap } from "./bootstrap.mjs";

await bootstrap("test/demo/demo.ts");
