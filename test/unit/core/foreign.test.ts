import { expect, it } from "vitest";
import { isOwnEntry } from "../../../src/core/foreign.ts";

it.each([
  ...["state.db", "state.db-wal", "state.db.damaged-20260131T120000Z"],
  ...["state.db.damaged-20260131T120000Z-2-shm", "state.db.recovered", "state.db.recovering-wal"],
])("%s is the runtime's own", (entry) => expect(isOwnEntry(entry)).toBe(true));

it.each(["state.db.bak", "state.db.damaged", "state.db.damaged-mine", "other.db"])(
  "%s is foreign",
  (entry) => expect(isOwnEntry(entry)).toBe(false),
);
