#!/usr/bin/env node
const NEEDED = [22, 22] as const;

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `al needs Node.js ${NEEDED.join(".")} or newer; this is ${process.versions.node} (${process.execPath}).\n` +
      "Install a current Node.js (https://nodejs.org), or run it through the project: npm run al -- --help\n",
  );
  process.exitCode = 1;
} else {
  // Warnings about what our libraries call are for us, not for who runs `al`.
  process.noDeprecation = true;
  const { main } = await import("./cli/main.ts");
  process.exitCode = await main(process.argv.slice(2));
}
