/** Every callback that the server sends is accepted by the client's validator and known to its parser. */

import assert from "node:assert/strict";
import test from "node:test";

import { client, everyOne, newApp, newContact, newNumber, newPair, sendText, subscribe } from "./house.mjs";

/** What the app's provider would tell the server. */
async function callBack(app, payload) {
  const [credential] = app.channel_credentials;
  const headers = { "content-type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify(payload) };
  const answer = await fetch(credential.callback_url, request);
  assert.equal(answer.status, 200);
}

test("a message's way is told from submission to the contact's answer", async (t) => {
  const app = await newApp({ conversation_metadata_report_view: "FULL" });
  const triggers = ["MESSAGE_SUBMIT", "MESSAGE_DELIVERY", "MESSAGE_INBOUND", "CONVERSATION_START"];
  const subscriber = await subscribe(t, app, triggers);
  const contact = await newContact({ channel_identities: [{ channel: "SMS", identity: newNumber("08") }] });
  const addressed = { app_id: app.id, recipient: { contact_id: contact.id } };
  const more = { message_metadata: "m", correlation_id: "c-1", conversation_metadata: { order: 7 } };

  const { message_id } = await sendText(addressed, "héllo €", more);

  const submitted = await subscriber.heard("MESSAGE_SUBMIT");
  const delivered = await subscriber.heard(
    "MESSAGE_DELIVERY",
    (event) => event.message_delivery_report.status === "DELIVERED",
  );
  const answered = await subscriber.heard("MESSAGE_INBOUND");
  const started = await subscriber.heard("CONVERSATION_START");
  const text = { text_message: { text: "héllo €" } };
  assert.deepEqual(submitted.message_submit_notification.submitted_message, text);
  assert.equal(delivered.message_delivery_report.message_id, message_id);
  assert.deepEqual([delivered.message_metadata, delivered.correlation_id], ["m", "c-1"]);
  assert.equal(answered.message.contact_message.text_message.text, "You said: héllo €");
  assert.deepEqual(JSON.parse(answered.message_metadata), { order: 7 });
  const { conversation } = started.conversation_start_notification;
  assert.equal(answered.message.conversation_id, conversation.id);
  assert.deepEqual(subscriber.refused, []);
});

test("a contact's life is told", async (t) => {
  const app = await newApp();
  const kinds = ["CREATE", "UPDATE", "MERGE", "DELETE"].map((kind) => `CONTACT_${kind}`);
  const subscriber = await subscribe(t, app, [...kinds, "CONTACT_IDENTITIES_DUPLICATION"]);
  const channel_identities = [{ channel: "SMS", identity: newNumber() }];
  const kept = await newContact({ channel_identities });
  const source = await newContact({ channel_identities });
  const of = { contact_id: kept.id };
  await client.contact.update({ ...of, updateContactRequestBody: { display_name: "New" } });
  const mergeContactRequestBody = { source_id: source.id, strategy: "MERGE" };
  await client.contact.mergeContact({ destination_id: kept.id, mergeContactRequestBody });
  await client.contact.delete(of);

  const about = (key) => (event) => event[key].contact.id === kept.id;
  await subscriber.heard("CONTACT_CREATE", about("contact_create_notification"));
  await subscriber.heard("CONTACT_UPDATE", about("contact_update_notification"));
  await subscriber.heard("CONTACT_DELETE", about("contact_delete_notification"));
  const { contact_merge_notification: merge } = await subscriber.heard("CONTACT_MERGE");
  const { duplicated_identities } = await subscriber.heard("CONTACT_IDENTITIES_DUPLICATION");

  assert.deepEqual([merge.preserved_contact.id, merge.deleted_contact.id], [kept.id, source.id]);
  assert.deepEqual([...duplicated_identities[0].contact_ids].sort(), [kept.id, source.id].sort());
  assert.deepEqual(subscriber.refused, []);
});

test("a conversation's end is told", async (t) => {
  const { app, contact } = await newPair();
  const subscriber = await subscribe(t, app, ["CONVERSATION_STOP", "CONVERSATION_DELETE"]);
  const createConversationRequestBody = { app_id: app.id, contact_id: contact.id };
  const { id: conversation_id } = await client.conversation.create({ createConversationRequestBody });

  await client.conversation.stopActive({ conversation_id });
  await client.conversation.delete({ conversation_id });

  const { conversation_stop_notification: stop } = await subscriber.heard("CONVERSATION_STOP");
  const { conversation_delete_notification: gone } = await subscriber.heard("CONVERSATION_DELETE");
  assert.deepEqual([stop.conversation.id, gone.conversation.id], [conversation_id, conversation_id]);
  assert.deepEqual(subscriber.refused, []);
});

test("events are told in both directions", async (t) => {
  const app = await newApp();
  const subscriber = await subscribe(t, app, ["EVENT_DELIVERY", "EVENT_INBOUND"]);
  const identity = newNumber("08");
  const recipient = { identified_by: { channel_identities: [{ channel: "SMS", identity }] } };
  const sendEventRequestBody = { app_id: app.id, recipient, event: { composing_event: {} } };

  const { event_id } = await client.events.sendComposingEvent({ sendEventRequestBody });

  const told = await subscriber.heard(
    "EVENT_DELIVERY",
    (event) => event.event_delivery_report.status === "DELIVERED",
  );
  const { event } = await subscriber.heard("EVENT_INBOUND");
  assert.equal(told.event_delivery_report.event_id, event_id);
  assert.deepEqual(event.contact_event, { composing_event: {} });
  assert.equal(event.channel_identity.identity, identity);
  assert.deepEqual(subscriber.refused, []);
});

test("what a channel tells of itself and what it does not know is passed on", async (t) => {
  const app = await newApp();
  const subscriber = await subscribe(t, app, ["CHANNEL_EVENT", "UNSUPPORTED"]);

  await callBack(app, { type: "channel_event", event_type: "QUALITY_CHANGED", data: { to: "HIGH" } });
  await callBack(app, { type: "something new", from: newNumber() });

  const { channel_event_notification } = await subscriber.heard("CHANNEL_EVENT");
  assert.equal(channel_event_notification.channel_event.event_type, "QUALITY_CHANGED");
  const { unsupported_callback } = await subscriber.heard("UNSUPPORTED");
  assert.equal(JSON.parse(unsupported_callback.payload).type, "something new");
  assert.deepEqual(subscriber.refused, []);
});

test("who opts out, and in again, is told of", async (t) => {
  const app = await newApp();
  const subscriber = await subscribe(t, app, ["OPT_OUT", "OPT_IN"]);
  const from = newNumber();
  const says = (text) =>
    callBack(app, { type: "inbound", id: `${from}-${text}`, from, content: { text_message: { text } } });
  const onList = async (list_type) => {
    const listed = await everyOne(client.consents.listIdentities({ app_id: app.id, list_type }));
    return listed.some((one) => one.identity === from);
  };

  await says("stop");
  const { opt_out_notification: out } = await subscriber.heard("OPT_OUT");
  assert.ok(await onList("OPT_OUT_ALL"));
  await says("start");
  const { opt_in_notification: back } = await subscriber.heard("OPT_IN");
  assert.ok(!(await onList("OPT_OUT_ALL")));

  assert.deepEqual([out.identity, out.status], [from, "OPT_OUT_SUCCEEDED"]);
  assert.deepEqual([back.identity, back.status], [from, "OPT_IN_SUCCEEDED"]);
  assert.deepEqual(subscriber.refused, []);
});
