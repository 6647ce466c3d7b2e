/**
 * Every operation of the official client against a running server: `npm ci && npm test`, with BASE_URL, PROJECT_ID,
 * KEY_ID, KEY_SECRET and TOKEN_LIFETIME_SECONDS as the server has them. Its sandbox must serve every channel.
 */

import "./apps.mjs";
import "./contacts.mjs";
import "./conversations.mjs";
import "./messages.mjs";
import "./events.mjs";
import "./templates.mjs";
import "./callbacks.mjs";
import "./tokens.mjs";
import "./operations.mjs"; // the last one: it looks back on the others
