/** Events, capability and consents. */

import assert from "node:assert/strict";
import test from "node:test";

import {
  PROJECT_ID,
  client,
  everyOne,
  newApp,
  newNumber,
  newPair,
  refusal,
  sendText,
  subscribe,
} from "./house.mjs";

const AGENT = { display_name: "Ada", type: "HUMAN", picture_url: "https://example.com/ada.png" };
const BY_HELPER = {
  sendComposingEvent: { composing_event: {} },
  sendComposingEndEvent: { composing_end_event: {} },
  sendCommentReplyEvent: { comment_reply_event: { text: "Thank you" } },
  sendAgentJoinedEvent: { agent_joined_event: { agent: AGENT } },
  sendAgentLeftEvent: { agent_left_event: { agent: AGENT } },
  sendGenericEvent: { generic_event: { payload: { any: "thing" } } },
  send: { composing_event: {} },
};

for (const [helper, event] of Object.entries(BY_HELPER)) {
  test(`events.${helper} sends what is read back`, async () => {
    const { contact, addressed } = await newPair();
    const body = { ...addressed, event, channel_priority_order: ["SMS"], event_metadata: "m" };

    const { event_id, accepted_time } = await client.events[helper]({ sendEventRequestBody: body });

    assert.ok(accepted_time instanceof Date);
    const read = await client.events.get({ event_id });
    assert.deepEqual([read.direction, read.app_event], ["TO_CONTACT", event]);
    assert.equal(read.contact_id, contact.id);
  });
}

test("events are listed to the end and deleted", async () => {
  const { contact, addressed } = await newPair();
  const sent = [];
  for (let number = 0; number < 5; number += 1) {
    const sendEventRequestBody = { ...addressed, event: { generic_event: { payload: { number } } } };
    sent.push((await client.events.sendGenericEvent({ sendEventRequestBody })).event_id);
  }

  const ofContact = await everyOne(client.events.list({ contact_id: contact.id, page_size: 2 }));

  assert.deepEqual(ofContact.map((one) => one.id).sort(), sent.sort());
  const [{ conversation_id }] = ofContact;
  assert.equal((await everyOne(client.events.list({ conversation_id }))).length, 5);
  assert.deepEqual(await client.events.delete({ event_id: sent[0] }), {});
  await assert.rejects(client.events.get({ event_id: sent[0] }), refusal(404, "NOT_FOUND"));
  await assert.rejects(client.events.list({}), refusal(400, "INVALID_ARGUMENT"));
});

test("a capability is asked for at once and told later", async (t) => {
  const app = await newApp();
  const subscriber = await subscribe(t, app, ["CAPABILITY"]);
  const identity = newNumber();
  const recipient = { identified_by: { channel_identities: [{ channel: "SMS", identity }] } };

  const lookupCapabilityRequestBody = { app_id: app.id, recipient, request_id: "r-1" };
  const answer = await client.capability.lookup({ lookupCapabilityRequestBody });
  const again = await client.capability.lookup({
    lookupCapabilityRequestBody: { app_id: app.id, recipient },
  });

  assert.deepEqual(answer, lookupCapabilityRequestBody);
  assert.ok(again.request_id.length > 0);
  const { capability_notification: told } = await subscriber.heard(
    "CAPABILITY",
    (event) => event.capability_notification.request_id === "r-1",
  );
  assert.deepEqual([told.channel, told.identity], ["SMS", identity]);
  assert.equal(told.capability_status, "CAPABILITY_FULL");
});

test("who opted out is listed, with the record of how", async (t) => {
  const app = await newApp();
  const subscriber = await subscribe(t, app, ["OPT_OUT"]);
  const numbers = [newNumber("07"), newNumber("07"), newNumber("07")];
  for (const identity of numbers) {
    const recipient = { identified_by: { channel_identities: [{ channel: "SMS", identity }] } };
    await sendText({ app_id: app.id, recipient }, "do not write to me again");
    await subscriber.heard("OPT_OUT", (event) => event.opt_out_notification.identity === identity);
  }

  const list = { app_id: app.id, list_type: "OPT_OUT_ALL", page_size: 2 };
  const listed = await everyOne(client.consents.listIdentities(list));
  const records = await client.consents.listAuditRecords({ app_id: app.id, identity: numbers[0] });

  assert.deepEqual(listed.map((one) => one.identity).sort(), numbers);
  assert.equal(records.identity.identity, numbers[0]);
  const [{ datetime, ...record }] = records.audit_records;
  assert.ok(datetime instanceof Date);
  assert.deepEqual(record, {
    origin: "ORIGIN_MO",
    operation: "OPERATION_INSERT",
    list_type: "OPT_OUT_ALL",
    project_id: PROJECT_ID,
    app_id: app.id,
  });
});
