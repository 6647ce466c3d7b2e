/** A client that comes with a new operation is not tried before that is. */

import assert from "node:assert/strict";
import test from "node:test";

import { client, operations, tried } from "./house.mjs";

test("every operation that the client has was tried, but for those that the vendor ended", () => {
  const untried = operations(client).filter((operation) => !tried.has(operation));

  assert.deepEqual(untried.filter((operation) => !operation.startsWith("templatesV1.")), []);
});
