/** Apps and webhooks. */

import assert from "node:assert/strict";
import test from "node:test";

import { client, everyOne, newApp, newPair, refusal, sendText } from "./house.mjs";

const TARGET = "https://example.com/events";
const token = "a-secret-token-1234";
const secret = "a-secret-1234";
const static_bearer = { claimed_identity: "me", token };
const kakaotalk_plus_friend_id = "@me";
const CREDENTIALS = [
  ...["SMS", "WHATSAPP", "RCS", "VIBERBM"].map((channel) => ({ channel, static_bearer })),
  ...["MESSENGER", "VIBER"].map((channel) => ({ channel, static_token: { token } })),
  {
    channel: "MMS",
    mms_credentials: { account_id: "a", api_key: token, basic_auth: { username: "u", password: "p" } },
  },
  { channel: "INSTAGRAM", instagram_credentials: { token, business_account_id: "b" } },
  { channel: "TELEGRAM", telegram_credentials: { token }, callback_secret: "hush" },
  { channel: "KAKAOTALK", kakaotalk_credentials: { kakaotalk_plus_friend_id, kakaotalk_sender_key: token } },
  { channel: "KAKAOTALKCHAT", kakaotalkchat_credentials: { kakaotalk_plus_friend_id, api_key: token } },
  { channel: "LINE", line_credentials: { token, secret, is_default: true }, credential_ordinal_number: 0 },
  {
    channel: "LINE",
    line_enterprise_credentials: { line_japan: { token, secret }, is_default: false },
    credential_ordinal_number: 1,
  },
  {
    channel: "LINE",
    line_enterprise_credentials: { line_thailand: { token, secret }, is_default: false },
    credential_ordinal_number: 2,
  },
  { channel: "WECHAT", wechat_credentials: { app_id: "w", app_secret: secret, token, aes_key: "k" } },
  {
    channel: "APPLEBC",
    applebc_credentials: {
      business_chat_account_id: "b",
      merchant_id: "m",
      apple_pay_certificate_reference: "r",
      apple_pay_certificate_password: token,
    },
  },
];

test("an app is created, read, listed, changed and deleted", async () => {
  const retention_policy = { retention_type: "CONVERSATION_EXPIRE_POLICY", ttl_days: 30 };
  const app = await newApp({
    display_name: "Shop",
    conversation_metadata_report_view: "FULL",
    retention_policy,
    dispatch_retention_policy: { retention_type: "MESSAGE_EXPIRE_POLICY", ttl_days: 3 },
    processing_mode: "CONVERSATION",
    smart_conversation: { enabled: false },
    callback_settings: { secret_for_overridden_callback_urls: "a-secret-for-overrides" },
    message_retry_settings: { retry_duration: 600 },
    delivery_report_based_fallback: { enabled: true, delivery_report_waiting_time: 60 },
  });

  assert.deepEqual(await client.app.get({ app_id: app.id }), app);
  assert.deepEqual(app.retention_policy, retention_policy);
  assert.equal(app.dispatch_retention_policy.ttl_days, 3);
  assert.equal(app.message_retry_settings.retry_duration, 600);
  assert.equal(app.delivery_report_based_fallback.delivery_report_waiting_time, 60);
  assert.ok((await client.app.list({})).apps.some((one) => one.id === app.id));

  const changed = await client.app.update({ app_id: app.id, appUpdateRequestBody: { display_name: "New" } });
  assert.deepEqual([changed.display_name, changed.retention_policy], ["New", retention_policy]);

  assert.deepEqual(await client.app.delete({ app_id: app.id }), {});
  await assert.rejects(client.app.get({ app_id: app.id }), refusal(404, "NOT_FOUND"));
});

test("an app's mask says what changes, and what goes back to its default", async () => {
  const app = await newApp({ retention_policy: { retention_type: "MESSAGE_EXPIRE_POLICY", ttl_days: 30 } });

  const masked = await client.app.update({
    app_id: app.id,
    appUpdateRequestBody: { display_name: "Masked", processing_mode: "DISPATCH" },
    update_mask: ["display_name", "retention_policy"],
  });

  assert.equal(masked.display_name, "Masked");
  assert.equal(masked.retention_policy.ttl_days, 180);
  assert.equal(masked.processing_mode, "CONVERSATION");
  const unknown = { app_id: app.id, appUpdateRequestBody: {}, update_mask: ["no_such_field"] };
  await assert.rejects(client.app.update(unknown), refusal(400, "INVALID_ARGUMENT"));
});

test("an app keeps its credentials, of every shape, when what was read is sent back", async () => {
  const app = await newApp({ channel_credentials: CREDENTIALS });

  const appUpdateRequestBody = { channel_credentials: app.channel_credentials };
  const same = await client.app.update({ app_id: app.id, appUpdateRequestBody });

  assert.deepEqual(same, app);
  const channels = (credentials) => credentials.map((credential) => credential.channel);
  assert.deepEqual(channels(same.channel_credentials), channels(CREDENTIALS));
  assert.ok(!JSON.stringify(same).includes(token));
});

test("a webhook is created, read, listed, changed and deleted", async () => {
  const app = await newApp();
  const client_credentials = {
    client_id: "id",
    client_secret: "a-client-secret",
    endpoint: "https://example.com/token",
    scope: "events",
    response_type: "token",
    token_request_type: "FORM",
  };
  const triggers = ["MESSAGE_DELIVERY", "SMART_CONVERSATIONS"];
  const webhook = await client.webhooks.create({
    webhookCreateRequestBody: {
      app_id: app.id,
      target: TARGET,
      target_type: "HTTP",
      secret: "hush",
      triggers,
      client_credentials,
    },
  });
  const of = { webhook_id: webhook.id };

  assert.deepEqual(await client.webhooks.get(of), webhook);
  assert.deepEqual(webhook.triggers, triggers);
  assert.equal(webhook.client_credentials.token_request_type, "FORM");
  assert.deepEqual(await client.webhooks.list({ app_id: app.id }), { webhooks: [webhook] });

  const changed = await client.webhooks.update({
    ...of,
    webhookUpdateRequestBody: { target: `${TARGET}/new`, target_type: "DISMISS", triggers: ["OPT_IN"] },
    update_mask: ["target", "triggers", "client_credentials"],
  });
  assert.deepEqual([changed.target, changed.target_type], [`${TARGET}/new`, "HTTP"]);
  assert.deepEqual([changed.triggers, changed.client_credentials], [["OPT_IN"], null]);

  assert.deepEqual(await client.webhooks.delete(of), {});
  await assert.rejects(client.webhooks.get(of), refusal(404, "NOT_FOUND"));
});

test("two webhooks of an app have two targets", async () => {
  const app = await newApp();
  const webhookCreateRequestBody = { app_id: app.id, target: TARGET, target_type: "HTTP", triggers: [] };
  await client.webhooks.create({ webhookCreateRequestBody });

  const again = client.webhooks.create({ webhookCreateRequestBody });

  await assert.rejects(again, refusal(400, "INVALID_ARGUMENT"));
});

test("a deleted app takes its conversations and messages along, not its contacts", async () => {
  const { app, contact, addressed } = await newPair();
  const { message_id } = await sendText(addressed, "hello");

  await client.app.delete({ app_id: app.id });

  await assert.rejects(client.messages.get({ message_id }), refusal(404, "NOT_FOUND"));
  assert.deepEqual(await everyOne(client.conversation.list({ contact_id: contact.id })), []);
  assert.deepEqual(await client.contact.get({ contact_id: contact.id }), contact);
});
