/** Keys, tokens and refusals. */

import assert from "node:assert/strict";
import { get } from "node:http";
import test from "node:test";
import { setTimeout as wait } from "node:timers/promises";

import {
  BASE_URL,
  KEY_ID,
  KEY_SECRET,
  PROJECT_ID,
  TOKEN_LIFETIME_SECONDS,
  client,
  newClient,
  refusal,
} from "./house.mjs";

async function newToken() {
  const key = Buffer.from(`${KEY_ID}:${KEY_SECRET}`).toString("base64");
  const answer = await fetch(`${BASE_URL}/oauth2/token`, {
    method: "POST",
    headers: { authorization: `Basic ${key}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  return (await answer.json()).access_token;
}

/** The answer as it came, header names as they were written. */
function answerTo(token) {
  const headers = { authorization: `Bearer ${token}` };
  return new Promise((answered, failed) => {
    get(`${BASE_URL}/v1/projects/${PROJECT_ID}/apps`, { headers }, (answer) => {
      answer.resume();
      answered(answer);
    }).on("error", failed);
  });
}

test("an expired token is renewed without the caller's noticing", async () => {
  const patient = newClient();
  await patient.app.list({});
  const token = await newToken();
  assert.equal((await answerTo(token)).statusCode, 200);

  await wait((TOKEN_LIFETIME_SECONDS + 1.1) * 1000);

  const answer = await answerTo(token);
  assert.equal(answer.statusCode, 401);
  assert.ok(answer.rawHeaders.includes("www-authenticate"));
  assert.match(answer.headers["www-authenticate"], /expired/);
  assert.ok((await patient.app.list({})).apps.length > 0);
});

test("a wrong key is refused", async () => {
  const stranger = newClient({ keySecret: "not-the-secret" });

  const isRefusal = (error) => error.statusCode === 401 && /invalid_client/.test(error.data);

  await assert.rejects(stranger.app.list({}), isRefusal);
});

test("another project is forbidden", async () => {
  const stranger = newClient({ projectId: "6f1c8e8e-0000-4000-8000-000000000001" });

  await assert.rejects(stranger.app.list({}), refusal(403, "PERMISSION_DENIED"));
});

test("a wrong request is refused with the field's name", async () => {
  const contactCreateRequestBody = {
    channel_identities: [{ channel: "PIGEON", identity: "46700000001" }],
    language: "EN",
  };
  const names = (error) => refusal(400, "INVALID_ARGUMENT")(error) && /channel/.test(error.data);

  await assert.rejects(client.contact.create({ contactCreateRequestBody }), names);
  const page = client.contact.list({ page_token: "nonsense" });
  await assert.rejects(page, refusal(400, "INVALID_ARGUMENT"));
});
