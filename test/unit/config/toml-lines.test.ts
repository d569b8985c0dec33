import fc from "fast-check";
import { stringify } from "smol-toml";
import { expect, test } from "vitest";
import { locateTomlKeys } from "../../../src/config/toml-lines.ts";

const DOCUMENT =
  `# comment = 1
a.b = 1
"x y" = """
k = 1 # not a key
\\"""
"""
literal = '''
[no.table]
'''
list = [ 1, # one ]
  { q = 2, z = [3,
 4] } ]
date = 2026-11-22 10:00:00 # space inside
[t]
s = 'v # ]'
[[w]]
source = "a"
[w.params]
p = 1
[ [w] ]
`.replace("[ [w] ]", "[[w]]") +
  `source = "b"
[[w.sub]]
r = 1
[[w.sub]]
r = 2
[t.'u v'."w\\u0041"]
d = +1_000
e = { f.g = true, "h" = [] }
`;

test.each<[readonly (string | number)[], number | undefined]>([
  [["a", "b"], 2],
  [["x y"], 3],
  [["k"], undefined],
  [["no", "table"], undefined],
  [["literal"], 7],
  [["list", 0], 10],
  [["list", 1, "q"], 11],
  [["list", 1, "z", 1], 12],
  [["date"], 13],
  [["t", "s"], 15],
  [["w", 0, "source"], 17],
  [["w", 0, "params", "p"], 19],
  [["w", 1], 20],
  [["w", 1, "source"], 21],
  [["w", 1, "sub", 1, "r"], 25],
  [["t", "u v", "wA", "d"], 27],
  [["t", "u v", "wA", "e", "f", "g"], 28],
  [["t", "u v", "wA", "e", "h"], 28],
])("the key path %j stands on line %s", (path, line) => {
  expect(locateTomlKeys(DOCUMENT).lineOf(path)).toBe(line);
});

test("a key that is not there has its nearest ancestor's line", () => {
  expect(locateTomlKeys(DOCUMENT).lineOf(["w", 1, "credential"])).toBe(20);
  expect(locateTomlKeys(DOCUMENT).lineOf(["missing"])).toBeUndefined();
});

test("carriage returns and an unfinished document do no harm", () => {
  expect(locateTomlKeys("a = 1\r\nb = 2\r\n").lineOf(["b"])).toBe(2);
  for (const text of ["a = [1,", "a = {", '"""', "[", "[[a", "a", "a = '", "=", "]", "}\n"]) {
    expect(() => locateTomlKeys(text)).not.toThrow();
  }
});

test("every key of a generated document is found on the line that holds it", () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9_-]{0,6}$/);
  const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean());
  const table = fc.dictionary(key, fc.oneof(scalar, fc.array(fc.integer(), { maxLength: 3 })));
  fc.assert(
    fc.property(fc.dictionary(key, fc.oneof(scalar, table)), (document) => {
      const text = stringify(document);
      const lines = text.split("\n");
      const located = locateTomlKeys(text);
      for (const [name, value] of Object.entries(document)) {
        if (typeof value !== "object") {
          expect(lines[(located.lineOf([name]) ?? 0) - 1]).toContain(`${name} =`);
        } else {
          for (const inner of Object.keys(value)) {
            expect(lines[(located.lineOf([name, inner]) ?? 0) - 1]).toContain(`${inner} =`);
          }
        }
      }
    }),
  );
});

test("any text at all is walked to its end", () => {
  const piece = fc.constantFrom(
    "[",
    "]",
    "{",
    "}",
    '"',
    "'",
    '"""',
    "'''",
    "=",
    ",",
    ".",
    "\n",
    "#",
    "a",
    " ",
    "\\",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      locateTomlKeys(pieces.join(""));
    }),
    { numRuns: 2000 },
  );
});
