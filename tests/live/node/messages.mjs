/** Messages of every type, and what is done with them afterwards. */

import assert from "node:assert/strict";
import test from "node:test";

import { client, everyOne, newApp, newContact, newNumber, newPair, refusal, sendText } from "./house.mjs";

const LOCATION = { title: "Here", label: "The house", coordinates: { latitude: 55.61, longitude: 13 } };
const MEDIA = { url: "https://example.com/cat.jpg", thumbnail_url: "https://example.com/small.jpg" };
const CALENDAR = {
  title: "Save",
  event_start: new Date("2026-03-01T10:00:00Z"),
  event_end: new Date("2026-03-01T11:00:00Z"),
  event_title: "Visit",
  event_description: "At ten",
  fallback_url: "https://example.com",
};
const CHOICES = [
  { text_message: { text: "Yes" } },
  { url_message: { title: "Read", url: "https://example.com" } },
  { call_message: { title: "Call", phone_number: "46700000001" } },
  { location_message: LOCATION },
  { share_location_message: { title: "Where are you?", fallback_url: "https://example.com" } },
  { calendar_message: CALENDAR },
].map((choice) => ({ ...choice, postback_data: Object.keys(choice)[0] }));
const CARD = { title: "Shoes", description: "Red", height: "TALL", media_message: MEDIA, choices: CHOICES };
const REFERENCE = { template_id: "welcome", language_code: "en", parameters: { name: "Ada" } };

const BY_HELPER = {
  sendTextMessage: { text_message: { text: "héllo €" } },
  sendMediaMessage: { media_message: { ...MEDIA, filename_override: "cat.jpg" } },
  sendLocationMessage: { location_message: LOCATION },
  sendCardMessage: { card_message: CARD },
  sendCarouselMessage: { carousel_message: { cards: [CARD, { title: "Hats" }], choices: [CHOICES[0]] } },
  sendChoiceMessage: {
    choice_message: { text_message: { text: "Well?" }, choices: CHOICES },
    agent: { display_name: "Ada", type: "HUMAN", picture_url: "https://example.com/ada.png" },
  },
  sendListMessage: {
    list_message: {
      title: "Menu",
      description: "What is there",
      media: MEDIA,
      sections: [
        { title: "Food", items: [{ choice: { title: "Soup", description: "Hot", postback_data: "soup" } }] },
        {
          title: "Things",
          items: [
            { product: { id: "1", marketplace: "FACEBOOK", quantity: 2, item_price: 9.5, currency: "EUR" } },
          ],
        },
      ],
      message_properties: { menu: "Open", catalog_id: "c" },
    },
  },
  sendContactInfoMessage: {
    contact_info_message: {
      name: { full_name: "Ada Lovelace", first_name: "Ada" },
      phone_numbers: [{ phone_number: "46700000001", type: "home" }],
      addresses: [{ city: "London", country: "UK", zip: "W1", country_code: "GB" }],
      email_addresses: [{ email_address: "ada@example.com", type: "work" }],
      organization: { company: "Engines", department: "Analytics", title: "Countess" },
      urls: [{ url: "https://example.com", type: "home" }],
    },
  },
  sendTemplateMessage: { template_message: { channel_template: { SMS: REFERENCE } } },
};

for (const [helper, message] of Object.entries(BY_HELPER)) {
  test(`${helper} sends what is read back`, async () => {
    const { addressed } = await newPair();

    const sent = await client.messages[helper]({ sendMessageRequestBody: { ...addressed, message } });

    assert.ok(sent.accepted_time instanceof Date);
    const { app_message } = await client.messages.get({ message_id: sent.message_id });
    assert.deepEqual(app_message, message);
  });
}

test("a send may say everything there is to say", async () => {
  const { contact, addressed } = await newPair();
  const conversation_metadata = { order: 7 };

  const { message_id } = await client.messages.send({
    sendMessageRequestBody: {
      ...addressed,
      message: {
        text_message: { text: "hello" },
        explicit_channel_message: { SMS: "hello by SMS" },
        explicit_channel_omni_message: { RCS: { text_message: { text: "hello by RCS" } } },
      },
      channel_priority_order: ["SMS"],
      channel_properties: { SMS_SENDER: "Shop" },
      message_metadata: "m",
      conversation_metadata,
      conversation_metadata_update_strategy: "MERGE_PATCH",
      queue: "HIGH_PRIORITY",
      ttl: 60,
      processing_strategy: "DEFAULT",
      correlation_id: "c-1",
      message_content_type: "CONTENT_NOTIFICATION",
    },
  });

  const message = await client.messages.get({ message_id });
  assert.deepEqual([message.metadata, message.contact_id], ["m", contact.id]);
  assert.equal(message.app_message.explicit_channel_message.SMS, "hello by SMS");
  const conversation = await client.conversation.get({ conversation_id: message.conversation_id });
  assert.deepEqual([conversation.metadata_json, conversation.correlation_id], [conversation_metadata, "c-1"]);
});

test("a message to an identity that nobody has makes a contact", async () => {
  const { id: app_id } = await newApp();
  const channel_identities = [{ channel: "SMS", identity: `+${newNumber()}` }];
  const recipient = { identified_by: { channel_identities } };

  const { message_id } = await sendText({ app_id, recipient }, "hello");

  const { contact_id } = await client.messages.get({ message_id });
  const contact = await client.contact.get({ contact_id });
  assert.equal(`+${contact.channel_identities[0].identity}`, channel_identities[0].identity);
});

test("messages are listed to the end, newest first, by every filter", async () => {
  const { app, contact, addressed } = await newPair();
  const [{ identity }] = contact.channel_identities;
  const texts = ["one", "two", "three", "four", "five"];
  for (const text of texts) await sendText(addressed, text, { message_metadata: text });

  const all = await everyOne(client.messages.list({ app_id: app.id, page_size: 2 }));

  assert.deepEqual(all.map((one) => one.app_message.text_message.text), texts.toReversed());
  const [{ conversation_id }] = all;
  const count = async (filter) => {
    const listed = await everyOne(client.messages.list({ app_id: app.id, ...filter }));
    return listed.length;
  };
  assert.equal(await count({ conversation_id }), 5);
  assert.equal(await count({ contact_id: contact.id }), 5);
  assert.equal(await count({ channel_identity: identity, channel: "SMS" }), 5);
  assert.equal(await count({ channel: "RCS" }), 0);
  assert.equal(await count({ direction: "TO_APP" }), 0);
  assert.equal(await count({ start_time: all[2].accept_time, end_time: new Date(Date.now() + 1000) }), 3);
  const blank = await client.messages.list({ app_id: app.id, view: "WITHOUT_METADATA" });
  assert.ok(blank.data.every((one) => one.metadata === ""));
});

test("of each identity or contact the newest message is fetched", async () => {
  const { app, contact, addressed } = await newPair();
  const other = await newContact();
  await sendText(addressed, "old");
  await sendText(addressed, "new");
  await sendText({ app_id: app.id, recipient: { contact_id: other.id } }, "to another");
  const people = [contact, other];
  const last = (body) =>
    everyOne(
      client.messages.listLastMessagesByChannelIdentity({
        listLastMessagesByChannelIdentityRequestBody: { app_id: app.id, ...body },
      }),
    );
  const texts = (messages) => messages.map((one) => one.app_message.text_message.text);

  const ofContacts = await last({ contact_ids: people.map((one) => one.id), page_size: 1 });
  const identities = people.map((one) => one.channel_identities[0].identity);
  const ofIdentities = await last({ channel_identities: identities });

  assert.deepEqual(texts(ofContacts), ["to another", "new"]);
  assert.deepEqual(texts(ofIdentities), ["to another", "new"]);
});

test("a message's metadata is changed, and the message deleted", async () => {
  const { addressed } = await newPair();
  const { message_id } = await sendText(addressed, "hello", { message_metadata: "old" });

  const changed = await client.messages.update({ message_id, updateMessageRequestBody: { metadata: "new" } });

  assert.deepEqual([changed.metadata, changed.app_message.text_message.text], ["new", "hello"]);
  assert.deepEqual(await client.messages.delete({ message_id }), {});
  await assert.rejects(client.messages.get({ message_id }), refusal(404, "NOT_FOUND"));
});

test("dispatched messages are a source of their own", async () => {
  const app = await newApp({
    processing_mode: "DISPATCH",
    dispatch_retention_policy: { retention_type: "MESSAGE_EXPIRE_POLICY", ttl_days: 7 },
  });
  const recipient = { identified_by: { channel_identities: [{ channel: "SMS", identity: newNumber() }] } };
  const { message_id } = await sendText({ app_id: app.id, recipient }, "dispatched");
  const of = { message_id, messages_source: "DISPATCH_SOURCE" };
  const list = (filter) => everyOne(client.messages.list({ app_id: app.id, ...filter }));

  const message = await client.messages.get(of);

  assert.deepEqual([message.contact_id, message.conversation_id], ["", ""]);
  assert.equal(message.processing_mode, "DISPATCH");
  assert.deepEqual(await list({}), []);
  const dispatched = { messages_source: "DISPATCH_SOURCE" };
  assert.deepEqual((await list(dispatched)).map((one) => one.id), [message_id]);
  assert.deepEqual(await list({ ...dispatched, only_recipient_originated: true }), []);
  await assert.rejects(client.messages.get({ message_id }), refusal(404, "NOT_FOUND"));
  const changed = await client.messages.update({ ...of, updateMessageRequestBody: { metadata: "new" } });
  assert.equal(changed.metadata, "new");
  await client.messages.delete(of);
  await assert.rejects(client.messages.get(of), refusal(404, "NOT_FOUND"));
});

test("a message is transcoded for the channels that are asked for", async () => {
  const { app } = await newPair();

  const { transcoded_message } = await client.transcoding.transcodeMessage({
    transcodeMessageRequestBody: {
      app_id: app.id,
      app_message: { card_message: CARD },
      channels: ["SMS", "TELEGRAM"],
      from: "me",
      to: "46700000001",
    },
  });

  assert.deepEqual(Object.keys(transcoded_message).sort(), ["SMS", "TELEGRAM"]);
  assert.ok(transcoded_message.SMS.includes("Shoes"));
});
