// What a policy would delete is shown while it is chosen. Without JavaScript the Preview button shows the same.

const PAUSE = 300; // milliseconds without a change, before the server is asked
const EVER = "PERSIST_RETENTION_POLICY";

for (const panel of document.querySelectorAll("[data-retention]")) watch(panel);

function watch(panel) {
  const preview = panel.querySelector("[data-preview]");
  const confirm = panel.querySelector("[data-confirm]");
  const days = panel.querySelector("[name=ttl_days]");
  const presets = panel.querySelectorAll("[data-days]");
  let timer = 0;
  let asked; // the request under way: an older one is of no more interest

  panel.querySelector("[name=_preview]").closest(".look").hidden = true;
  for (const preset of presets) {
    preset.hidden = false;
    preset.addEventListener("click", () => { days.value = preset.dataset.days; changed(); });
  }
  panel.addEventListener("input", (event) => { if (isPolicy(event.target)) changed(); });
  showGround();
  if (!preview.firstElementChild) look();

  function changed() {
    showGround();
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  }

  async function look() {
    asked?.abort();
    asked = new AbortController();
    preview.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(address(), { signal: asked.signal, headers: { Accept: "text/html" } });
      if (answer.ok && !answer.redirected) show(await answer.text());
    } catch (error) {
      if (error.name === "AbortError") return;
      preview.textContent = "The preview cannot be reached just now; saving shows it too.";
    }
    preview.removeAttribute("aria-busy");
  }

  function show(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    preview.replaceChildren(...page.querySelector("[data-preview]").childNodes);
    confirm.replaceChildren(...page.querySelector("[data-confirm]").childNodes);
  }

  function address() {
    const url = new URL(panel.dataset.retention, location.href);
    url.searchParams.set("ttl_days", days.value);
    if (type()) url.searchParams.set("retention_type", type());
    return url;
  }

  /* A ground is asked for where the policy is not the default, and where one is owed. */
  function showGround() {
    const chosen = type() === EVER ? EVER : `${type() || "MESSAGE_EXPIRE_POLICY"}/${days.value}`;
    const ground = panel.querySelector("[data-ground]");
    const isKept = panel.dataset.set === `${type() || "MESSAGE_EXPIRE_POLICY"}/${days.value}`;
    const isNeeded = chosen !== panel.dataset.default && !isKept;
    ground.hidden = !(isNeeded || "owed" in panel.dataset || ground.querySelector(".errors"));
    for (const preset of presets) preset.setAttribute("aria-pressed", String(preset.dataset.days === days.value));
  }

  function type() {
    return panel.querySelector("[name=retention_type]:checked")?.value ?? "";
  }
}

function isPolicy(field) {
  return field.name === "ttl_days" || field.name === "retention_type";
}
