// What the pages do better with JavaScript. Without it each of them works, too.

for (const copyable of document.querySelectorAll(".copyable, .field-id .readonly")) {
  if (navigator.clipboard) addCopyButton(copyable);
}
for (const list of document.querySelectorAll("[data-orderable]")) makeMovable(list);
sayHere(document);
new MutationObserver(() => sayHere(document)).observe(document.body, { childList: true, subtree: true });

/* Moments are written in UTC; pointed at, they say the same in the reader's own zone. */
function sayHere(part) {
  for (const moment of part.querySelectorAll("time[datetime*=T]:not([title])")) {
    moment.title = new Date(moment.dateTime).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
  }
}

function addCopyButton(copyable) {
  const text = (copyable.querySelector("code") ?? copyable).textContent.trim();
  const button = newButton("Copy", `Copy ${text}`);
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  copyable.append(" ", button);
}

/* Rows with a number field each get buttons that move them; the numbers follow. */
function makeMovable(list) {
  const status = list.parentElement.querySelector("[data-order-status]");
  for (const row of list.children) {
    const tools = row.querySelector(".orderable-tools");
    if (!tools || !row.querySelector("input[type=number]")) continue;
    tools.prepend(moveButton(row, "↑", "up", -1), moveButton(row, "↓", "down", 1));
  }
  refresh(list);

  function moveButton(row, sign, word, step) {
    const button = newButton(sign, `Move ${row.dataset.name} ${word}`);
    button.dataset.step = step;
    button.addEventListener("click", () => {
      const neighbour = step < 0 ? row.previousElementSibling : row.nextElementSibling;
      if (!neighbour) return;
      if (step < 0) neighbour.before(row); else neighbour.after(row);
      number(list, row);
      refresh(list);
      button.focus();
      const place = [...list.children].indexOf(row) + 1;
      status.textContent = `${row.dataset.name} is now number ${place} of ${list.children.length}. Save to keep it.`;
    });
    return button;
  }
}

/* Rows down to the last that has a number, or was moved, are numbered; the others stay without. */
function number(list, moved) {
  const rows = [...list.children];
  const input = (row) => row.querySelector("input[type=number]");
  const last = rows.findLastIndex((row) => row === moved || input(row).value !== "");
  rows.forEach((row, index) => { input(row).value = index <= last ? index + 1 : ""; });
}

/* The first cannot go up, the last cannot go down: said, but still focusable, so that the focus is never lost. */
function refresh(list) {
  for (const button of list.querySelectorAll("[data-step]")) {
    const row = button.closest("li");
    const end = button.dataset.step < 0 ? list.firstElementChild : list.lastElementChild;
    button.setAttribute("aria-disabled", String(row === end));
  }
}

function newButton(text, label) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "small";
  button.textContent = text;
  button.setAttribute("aria-label", label);
  return button;
}
