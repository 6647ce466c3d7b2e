/** Contacts, and the project's settings about them. */

import assert from "node:assert/strict";
import test from "node:test";

import { client, everyOne, newApp, newContact, newNumber, newPair, refusal, sendText } from "./house.mjs";

test("a contact is created, read, changed and deleted", async () => {
  const number = newNumber();
  const contact = await newContact({
    channel_identities: [{ channel: "SMS", identity: `+${number}` }, { channel: "RCS", identity: number }],
    channel_priority: ["RCS", "SMS"],
    display_name: "Ünï",
    email: "uni@example.com",
    external_id: "customer-7",
    metadata: "m",
  });
  const of = { contact_id: contact.id };

  assert.deepEqual(await client.contact.get(of), contact);
  assert.deepEqual(contact.channel_identities[0], { channel: "SMS", identity: number, app_id: "" });

  const changed = await client.contact.update({ ...of, updateContactRequestBody: { display_name: "New" } });
  assert.deepEqual(changed, { ...contact, display_name: "New" });
  const masked = await client.contact.update({
    ...of,
    updateContactRequestBody: { display_name: "Ignored", email: "new@example.com" },
    update_mask: ["email", "metadata"],
  });
  assert.deepEqual(masked, { ...changed, email: "new@example.com", metadata: "" });

  assert.deepEqual(await client.contact.delete(of), {});
  await assert.rejects(client.contact.get(of), refusal(404, "NOT_FOUND"));
});

test("contacts are listed to the end and found by what is known of them", async () => {
  const external_id = `customer-${newNumber()}`;
  const made = [];
  for (let number = 0; number < 7; number += 1) made.push((await newContact({ external_id })).id);
  const { identity } = (await client.contact.get({ contact_id: made[0] })).channel_identities[0];

  const listed = await everyOne(client.contact.list({ external_id, page_size: 3 }));
  const found = await everyOne(client.contact.list({ channel: "SMS", identity: `+${identity}` }));

  assert.deepEqual(listed.map((one) => one.id).sort(), made.sort());
  assert.equal(found.length, 1);
  const page = await client.contact.list({ external_id, page_size: 5 });
  assert.equal(page.data.length, 5);
  assert.equal((await page.nextPage()).data.length, 2);
  await assert.rejects(client.contact.list({ channel: "SMS" }), refusal(400, "INVALID_ARGUMENT"));
});

test("merging gives one contact what the other knew, and its conversations", async () => {
  const { app, contact: source, addressed } = await newPair();
  await client.contact.update({
    contact_id: source.id,
    updateContactRequestBody: { email: "source@example.com" },
  });
  const { message_id } = await sendText(addressed, "before the merge");
  const identities = [{ channel: "TELEGRAM", identity: newNumber() }];
  const destination = await newContact({ display_name: "Kept", channel_identities: identities });

  const merged = await client.contact.mergeContact({
    destination_id: destination.id,
    mergeContactRequestBody: { source_id: source.id, strategy: "MERGE" },
  });

  assert.deepEqual([merged.id, merged.display_name], [destination.id, "Kept"]);
  assert.equal(merged.email, "source@example.com");
  assert.deepEqual(merged.channel_identities.map((one) => one.channel), ["TELEGRAM", "SMS"]);
  await assert.rejects(client.contact.get({ contact_id: source.id }), refusal(404, "NOT_FOUND"));
  assert.equal((await client.messages.get({ message_id })).contact_id, destination.id);
  const moved = await everyOne(client.conversation.list({ app_id: app.id, contact_id: destination.id }));
  assert.equal(moved.length, 1);
});

test("a channel tells a contact's name", async () => {
  const identity = "someone-on-messenger";
  const credential = { channel: "MESSENGER", static_token: { token: "any" } };
  const app = await newApp({ channel_credentials: [credential] });
  const contact = await newContact({
    channel_identities: [{ channel: "MESSENGER", identity, app_id: app.id }],
  });
  const identified_by = { channel_identities: [{ channel: "MESSENGER", identity }] };

  for (const recipient of [{ identified_by }, { contact_id: contact.id }]) {
    const getChannelProfileRequestBody = { app_id: app.id, channel: "MESSENGER", recipient };
    const profile = await client.contact.getChannelProfile({ getChannelProfileRequestBody });
    assert.ok(profile.profile_name.length > 0);
  }
});

test("a project's settings are made once, read, changed and deleted", async () => {
  const settings = (unified_contact_id_enabled) => ({ contact_settings: { unified_contact_id_enabled } });
  const made = await client.projectSettings.create({ createProjectSettingsRequestBody: settings(false) });

  assert.equal(made.settings.contact_settings.unified_contact_id_enabled, false);
  assert.deepEqual(await client.projectSettings.get({}), made);
  const again = client.projectSettings.create({ createProjectSettingsRequestBody: settings(false) });
  await assert.rejects(again, refusal(409, "ALREADY_EXISTS"));
  const changed = await client.projectSettings.update({ updateProjectSettingsRequestBody: settings(true) });
  assert.equal(changed.settings.contact_settings.unified_contact_id_enabled, true);
  assert.equal(changed.project_id, made.project_id);
  await client.projectSettings.delete({});
  await assert.rejects(client.projectSettings.get({}), refusal(404, "NOT_FOUND"));
});

test("an identity that several contacts share is a conflict until they are merged", async () => {
  const channel_identities = [{ channel: "SMS", identity: newNumber() }];
  const [one, other] = [await newContact({ channel_identities }), await newContact({ channel_identities })];
  const settings = { contact_settings: { unified_contact_id_enabled: true } };

  const conflicts = await everyOne(client.contact.listIdentityConflicts({ page_size: 1 }));

  const conflict = conflicts.find((known) => known.identity === channel_identities[0].identity);
  assert.deepEqual(conflict.channels, ["SMS"]);
  assert.deepEqual([...conflict.contact_ids].sort(), [one.id, other.id].sort());
  const unified = client.projectSettings.create({ createProjectSettingsRequestBody: settings });
  await assert.rejects(unified, refusal(400, "FAILED_PRECONDITION"));
  const mergeContactRequestBody = { source_id: other.id, strategy: "MERGE" };
  await client.contact.mergeContact({ destination_id: one.id, mergeContactRequestBody });
  const left = await everyOne(client.contact.listIdentityConflicts({}));
  assert.ok(!left.some((known) => known.identity === conflict.identity));
});
