/** The official client, unchanged but for its hosts, and what the tests of it share. */

import { createServer } from "node:http";
import { setTimeout as wait } from "node:timers/promises";

import { ConversationCallbackWebhooks, RequestFailedError, SinchClient } from "@sinch/sdk-core";

export const { BASE_URL, PROJECT_ID, KEY_ID, KEY_SECRET } = process.env;
export const TOKEN_LIFETIME_SECONDS = Number(process.env.TOKEN_LIFETIME_SECONDS);

const SECRET = "s3cr3t-Ünï";

/** Which of its operations a client was asked for, as `messages.send`. */
export const tried = new Set();

export function newClient(changes = {}) {
  const { conversation } = new SinchClient({
    projectId: PROJECT_ID,
    keyId: KEY_ID,
    keySecret: KEY_SECRET,
    authHostname: BASE_URL,
    conversationHostname: BASE_URL,
    conversationTemplatesHostname: BASE_URL,
    conversationRegion: "us",
    logger: null,
    ...changes,
  });
  for (const operation of operations(conversation)) record(conversation, operation);
  return conversation;
}

/** Every operation of the client. What its parts inherit is about hosts and credentials. */
export function operations(conversation) {
  return Object.entries(conversation)
    .filter(([part]) => !part.startsWith("lazy"))
    .flatMap(([part, api]) => {
      const names = Object.getOwnPropertyNames(Object.getPrototypeOf(api));
      return names.filter((name) => name !== "constructor").map((name) => `${part}.${name}`);
    });
}

function record(conversation, operation) {
  const [part, name] = operation.split(".");
  const api = conversation[part];
  const call = api[name].bind(api);
  api[name] = (...given) => {
    tried.add(operation);
    return call(...given);
  };
}

export const client = newClient();

// A second run against the same server meets nobody of the first.
let numbers = Date.now() % 1_000_000;

/** A phone number that nobody had before. Its two last digits tell the sandbox what to do. */
export function newNumber(ending = "01") {
  numbers += 1;
  return `4670${String(numbers).padStart(7, "0")}${ending}`;
}

export function newApp(changes = {}) {
  const credential = { channel: "SMS", static_bearer: { claimed_identity: "me", token: "any" } };
  const app = { display_name: "Official", channel_credentials: [credential], ...changes };
  return client.app.create({ appCreateRequestBody: app });
}

export function newContact(changes = {}) {
  const identities = [{ channel: "SMS", identity: newNumber() }];
  const contact = { channel_identities: identities, language: "EN_US", ...changes };
  return client.contact.create({ contactCreateRequestBody: contact });
}

/** An app, a contact, and the beginning of every request that sends from one to the other. */
export async function newPair() {
  const [app, contact] = await Promise.all([newApp(), newContact()]);
  return { app, contact, addressed: { app_id: app.id, recipient: { contact_id: contact.id } } };
}

export function sendText(addressed, text, changes = {}) {
  const message = { text_message: { text } };
  return client.messages.sendTextMessage({ sendMessageRequestBody: { ...addressed, message, ...changes } });
}

/** Everything that a list holds, by the client's own paging. */
export async function everyOne(list) {
  const all = [];
  for await (const one of list) all.push(one);
  return all;
}

/** For `assert.rejects`: the client's own error, with our status and our envelope. */
export function refusal(code, status) {
  return (error) => {
    const { error: envelope } = JSON.parse(error.data);
    return (
      error instanceof RequestFailedError &&
      error.statusCode === code &&
      envelope.code === code &&
      envelope.status === status &&
      envelope.message.length > 0 &&
      Array.isArray(envelope.details)
    );
  };
}

/** A subscriber to these triggers of the app, for as long as the test runs. */
export async function subscribe(test, app, triggers) {
  const subscriber = new Subscriber();
  test.after(() => subscriber.close());
  const target = await subscriber.open();
  const webhook = { app_id: app.id, target, target_type: "HTTP", secret: SECRET, triggers };
  await client.webhooks.create({ webhookCreateRequestBody: webhook });
  return subscriber;
}

/** A receiver of callbacks that takes only what the client's own validator accepts. */
class Subscriber {
  events = [];
  refused = [];
  #callbacks = new ConversationCallbackWebhooks(SECRET);
  #server = createServer(async (request, response) => {
    const chunks = await request.toArray();
    this.#take(request.headers, Buffer.concat(chunks).toString());
    response.writeHead(200).end();
  });

  async open() {
    await new Promise((opened) => this.#server.listen(0, "127.0.0.1", opened));
    return `http://127.0.0.1:${this.#server.address().port}/events`;
  }

  close() {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** The first event that meets the condition; some time later if need be. */
  async heard(trigger, isWanted = () => true) {
    const deadline = Date.now() + 20_000;
    for (;;) {
      const event = this.events.find((one) => one.trigger === trigger && isWanted(one));
      if (event) return event;
      if (Date.now() > deadline) {
        const heard = this.events.map((one) => one.trigger).join(", ");
        throw new Error(`no such ${trigger} came; heard: ${heard || "nothing"}`);
      }
      await wait(50);
    }
  }

  #take(headers, body) {
    const isValid = (given) => this.#callbacks.validateAuthenticationHeader(headers, given);
    const isSigned = isValid(body) && isValid(JSON.parse(body)) && !isValid(`${body} `);
    (isSigned ? this.events : this.refused).push(this.#callbacks.parseEvent(body));
  }
}
