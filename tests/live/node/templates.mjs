/** Templates of the second version, and messages that refer to one. */

import assert from "node:assert/strict";
import test from "node:test";

import { client, newPair, refusal, subscribe } from "./house.mjs";

const VARIABLES = [{ key: "name", preview_value: "Ada" }];

function translation(language_code, text, changes = {}) {
  return { language_code, text_message: { text }, variables: VARIABLES, ...changes };
}

function newTemplate(translations, changes = {}) {
  const template = { description: "Welcome", default_translation: "en-US", translations, ...changes };
  return client.templatesV2.create({ createTemplateRequestBody: template });
}

test("a template is created, read, listed, changed and deleted", async () => {
  const template = await newTemplate([translation("en-US", "Hello ${name}")]);
  const of = { template_id: template.id };

  assert.equal(template.version, 1);
  assert.ok(template.create_time instanceof Date);
  const read = await client.templatesV2.get(of);
  const [latest] = read.translations.splice(1);
  assert.deepEqual(read, template);
  assert.deepEqual(latest, { ...template.translations[0], version: "latest" });
  assert.ok((await client.templatesV2.list({})).templates.some((one) => one.id === template.id));

  const change = { ...read, description: "Changed" };
  const changed = await client.templatesV2.update({ ...of, updateTemplateRequestBody: change });
  assert.deepEqual([changed.version, changed.description], [2, "Changed"]);
  const stale = client.templatesV2.update({ ...of, updateTemplateRequestBody: change });
  await assert.rejects(stale, (error) => error.statusCode >= 400 && error.statusCode < 500);

  assert.deepEqual(await client.templatesV2.delete(of), {});
  await assert.rejects(client.templatesV2.get(of), refusal(404, "NOT_FOUND"));
});

test("a template's translations are listed by language and version", async () => {
  const { id: template_id } = await newTemplate([
    translation("en-US", "Hello ${name}", { version: "1" }),
    translation("sv", "Hej ${name}", { version: "1" }),
  ]);
  const list = async (filter) => {
    const { translations } = await client.templatesV2.listTranslations({ template_id, ...filter });
    return translations;
  };

  const languages = (await list({})).map((one) => one.language_code);
  const [swedish] = await list({ language_code: "sv" });

  assert.deepEqual([...new Set(languages)].sort(), ["en-US", "sv"]);
  assert.equal(swedish.text_message.text, "Hej ${name}");
  assert.equal((await list({ language_code: "sv", translation_version: "1" })).length, 1);
});

test("a template holds a message of any type, and a channel's own template", async () => {
  const media_message = { url: "https://example.com/${name}.jpg" };
  const card_message = { title: "For ${name}", media_message };
  const choices = [{ text_message: { text: "Yes" }, postback_data: "yes" }];
  const location_message = { title: "Here", coordinates: { latitude: 1, longitude: 2.5 } };
  const items = [{ choice: { title: "Soup", postback_data: "soup" } }];
  const messages = [
    { card_message },
    { carousel_message: { cards: [card_message] } },
    { choice_message: { text_message: { text: "Well?" }, choices } },
    { list_message: { title: "Menu", sections: [{ title: "Food", items }] } },
    { location_message },
    { media_message },
  ];
  const template_reference = { template_id: "theirs", language_code: "en", version: "1" };
  const parameter_mappings = { "body[1]text": "name" };

  for (const message of messages) {
    const channel_template_overrides = { WHATSAPP: { template_reference, parameter_mappings } };
    const one = { language_code: "en-US", version: "1", variables: VARIABLES, channel_template_overrides };
    const { translations } = await newTemplate([{ ...one, ...message }]);
    const [kind] = Object.keys(message);
    assert.deepEqual(translations[0][kind], message[kind]);
    assert.deepEqual(translations[0].channel_template_overrides, channel_template_overrides);
  }
});

test("a message by a template is delivered, and one with a wanting parameter fails", async (t) => {
  const { app, addressed } = await newPair();
  const subscriber = await subscribe(t, app, ["MESSAGE_DELIVERY"]);
  const { id } = await newTemplate([translation("en-US", "Hello ${name}")]);
  const send = async (parameters) => {
    const omni_template = { template_id: id, version: "latest", language_code: "en-US", parameters };
    const message = { template_message: { omni_template } };
    return client.messages.sendTemplateMessage({ sendMessageRequestBody: { ...addressed, message } });
  };
  const ended = (sent, status) =>
    subscriber.heard("MESSAGE_DELIVERY", ({ message_delivery_report: report }) => {
      return report.message_id === sent.message_id && report.status === status;
    });

  const whole = await send({ name: "Ada" });
  const wanting = await send({});

  await ended(whole, "DELIVERED");
  const { message_delivery_report: report } = await ended(wanting, "FAILED");
  assert.equal(report.reason.code, "TEMPLATE_INSUFFICIENT_PARAMETERS");
});
