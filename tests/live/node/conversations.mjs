/** Conversations, and what is injected into them. */

import assert from "node:assert/strict";
import test from "node:test";

import { client, everyOne, newContact, newPair, refusal, sendText } from "./house.mjs";

async function newConversation(changes = {}) {
  const { app, contact, addressed } = await newPair();
  const conversation = await client.conversation.create({
    createConversationRequestBody: { app_id: app.id, contact_id: contact.id, ...changes },
  });
  const [channel_identity] = contact.channel_identities;
  const of = { conversation_id: conversation.id };
  return { app, contact, addressed, channel_identity, conversation, of };
}

test("a conversation is created, read, stopped and deleted", async () => {
  const given = {
    active: true,
    active_channel: "SMS",
    metadata: "m",
    metadata_json: { order: 7 },
    correlation_id: "c-1",
  };
  const { conversation, of } = await newConversation(given);

  assert.deepEqual({ ...conversation, ...given }, conversation);
  assert.deepEqual(await client.conversation.get(of), conversation);
  assert.deepEqual(await client.conversation.stopActive(of), {});
  assert.equal((await client.conversation.get(of)).active, false);
  assert.deepEqual(await client.conversation.delete(of), {});
  await assert.rejects(client.conversation.get(of), refusal(404, "NOT_FOUND"));
});

test("conversations are listed to the end, all or only those that go on", async () => {
  const { app, contact, of } = await newConversation({ active_channel: "SMS" });
  await client.conversation.stopActive(of);
  const contacts = [contact, await newContact(), await newContact()];
  for (const { id } of contacts) await sendText({ app_id: app.id, recipient: { contact_id: id } }, "hello");

  const all = await everyOne(client.conversation.list({ app_id: app.id, page_size: 2 }));
  const active = await everyOne(client.conversation.list({ app_id: app.id, only_active: true }));
  const ofContact = await everyOne(client.conversation.list({ contact_id: contact.id }));
  const onRcs = await everyOne(client.conversation.list({ app_id: app.id, active_channel: "RCS" }));

  assert.deepEqual([all.length, active.length, ofContact.length, onRcs.length], [4, 3, 2, 0]);
  await assert.rejects(client.conversation.list({}), refusal(400, "INVALID_ARGUMENT"));
});

test("recent conversations come with their last messages", async () => {
  const { app, addressed, of } = await newConversation();
  const other = await newContact();
  await sendText(addressed, "first");
  await sendText({ app_id: app.id, recipient: { contact_id: other.id } }, "second");
  await sendText(addressed, "third");
  const texts = (recent) => recent.map((one) => one.last_message.app_message.text_message.text);

  const newest = await everyOne(client.conversation.listRecent({ app_id: app.id, page_size: 1 }));
  const oldest = await everyOne(client.conversation.listRecent({ app_id: app.id, order: "ASC" }));

  assert.deepEqual(texts(newest), ["third", "second"]);
  assert.deepEqual(texts(oldest), ["second", "third"]);
  assert.equal(newest[0].conversation.id, of.conversation_id);
  await client.conversation.stopActive(of);
  const active = await everyOne(client.conversation.listRecent({ app_id: app.id, only_active: true }));
  assert.deepEqual(texts(active), ["second"]);
});

test("a conversation's metadata is replaced or merged as the client asks", async () => {
  const { of } = await newConversation({ metadata_json: { kept: 1, gone: 2 } });
  const update = (body, more = {}) =>
    client.conversation.update({ ...of, updateConversationRequestBody: body, ...more });

  const patch = { metadata_json: { gone: null, added: 3 } };
  const merged = await update(patch, { metadata_update_strategy: "MERGE_PATCH" });
  const replaced = await update({ metadata_json: { only: 4 } });

  assert.deepEqual(merged.metadata_json, { kept: 1, added: 3 });
  assert.deepEqual(replaced.metadata_json, { only: 4 });
});

test("a conversation's mask says what changes", async () => {
  const { of, conversation } = await newConversation({ metadata: "old", correlation_id: "c-1" });

  const changed = await client.conversation.update({
    ...of,
    updateConversationRequestBody: { metadata: "new", correlation_id: "ignored" },
    update_mask: ["metadata"],
  });

  assert.deepEqual(changed, { ...conversation, metadata: "new" });
});

test("messages of elsewhere are injected in both directions", async () => {
  const { contact, channel_identity, of } = await newConversation();
  const past = new Date(Date.now() - 3_600_000);
  const injection = { accept_time: past, channel_identity, contact_id: contact.id, metadata: "old" };

  const answer = await client.conversation.injectMessage({
    ...of,
    injectMessageRequestBody: {
      ...injection,
      direction: "TO_APP",
      contact_message: { text_message: { text: "Is it there?" } },
    },
  });
  await client.conversation.injectMessage({
    ...of,
    injectMessageRequestBody: {
      ...injection,
      accept_time: new Date(past.getTime() + 1000),
      direction: "TO_CONTACT",
      app_message: { text_message: { text: "It is." } },
    },
  });

  assert.deepEqual(answer, {});
  const [reply, question] = await everyOne(client.messages.list(of));
  assert.deepEqual([question.direction, reply.direction], ["TO_APP", "TO_CONTACT"]);
  assert.equal(question.contact_message.text_message.text, "Is it there?");
  assert.equal(reply.app_message.text_message.text, "It is.");
  assert.equal(question.accept_time.getTime(), past.getTime());
  assert.ok(question.injected && reply.injected);
});

test("an event of elsewhere is injected", async () => {
  const { contact, channel_identity, of } = await newConversation();
  const accept_time = new Date(Date.now() - 60_000);

  const { event_id, accepted_time } = await client.conversation.injectEvent({
    ...of,
    injectConversationEventRequestBody: {
      app_event: { composing_event: {} },
      contact_id: contact.id,
      channel_identity,
      accept_time,
    },
  });

  const event = await client.events.get({ event_id });
  assert.deepEqual(event.app_event, { composing_event: {} });
  assert.equal(event.conversation_id, of.conversation_id);
  assert.ok(accepted_time instanceof Date);
});
