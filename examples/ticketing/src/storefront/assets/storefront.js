// What moves: live availability, seats by arrow keys, the sum, the countdown, the wait for a payment.
// Every page works without it; nothing here decides anything.

const announce = (text) => {
  const region = document.querySelector("[data-announce]");
  if (region && region.textContent !== text) region.textContent = text;
};

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    form.querySelector("button")?.setAttribute("aria-disabled", "true");
  });
}
// A page that the browser took from its memory may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelector("button")?.removeAttribute("aria-disabled");
  }
});

document.querySelector("[data-faults]")?.focus();

const order = document.querySelector("form.order");
if (order) choosing(order);
const live = document.querySelector("[data-live]");
if (live) following(live.dataset);
const hold = document.querySelector("[data-until]");
if (hold) counting(hold);
const waiting = document.querySelector("[data-waiting]");
if (waiting) awaiting(waiting.dataset.waiting);

function choosing(form) {
  const { currency, digits } = form.dataset;
  const sum = form.querySelector("[data-sum]");
  const nothing = sum?.textContent;
  const total = () => {
    let [places, amount] = [0, 0];
    for (const input of form.querySelectorAll("[data-price]")) {
      const quantity = Math.max(0, Number.parseInt(input.value, 10) || 0);
      places += quantity;
      amount += quantity * Number(input.dataset.price);
    }
    if (!sum) return;
    const price = `${(amount / 10 ** digits).toFixed(digits)} ${currency}`;
    sum.textContent = places ? `${places} ticket${places === 1 ? "" : "s"} · ${price}` : nothing;
    sum.classList.toggle("dim", !places);
  };
  form.addEventListener("input", (event) => {
    if (event.target.name === "seat") count(event.target.closest("fieldset"));
    total();
  });
  for (const table of form.querySelectorAll("[data-seats]")) roving(table);
  total();
}

// Picked seats are tickets of the section's first price that is on sale, as far as no other price is asked for.
function count(section) {
  const [first, ...others] = section.querySelectorAll("[data-open]:not(:disabled)");
  if (!first) return;
  const picked = section.querySelectorAll("[name=seat]:checked").length;
  const asked = others.reduce((sum, input) => sum + (Number.parseInt(input.value, 10) || 0), 0);
  first.value = Math.max(0, picked - asked);
}

// One stop for the Tab key in the whole table; arrows go from seat to seat.
function roving(table) {
  const move = (from, [down, right]) => {
    const column = from.closest("td").cellIndex;
    if (right) {
      const row = [...from.closest("tr").querySelectorAll("[name=seat]:not(:disabled)")];
      return row[row.indexOf(from) + right];
    }
    for (let row = from.closest("tr"); (row = down > 0 ? row.nextElementSibling : row.previousElementSibling); ) {
      const free = [...row.querySelectorAll("[name=seat]:not(:disabled)")];
      const away = (seat) => Math.abs(seat.closest("td").cellIndex - column);
      if (free.length) return free.reduce((near, seat) => (away(seat) < away(near) ? seat : near));
    }
  };
  const ways = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] };
  table.addEventListener("keydown", (event) => {
    const to = ways[event.key] && move(event.target, ways[event.key]);
    if (ways[event.key]) event.preventDefault();
    to?.focus();
  });
  table.addEventListener("focusin", (event) => stop(table, event.target));
  stop(table, table.querySelector("[name=seat]:not(:disabled)") ?? table.querySelector("[name=seat]"));
}

function stop(table, seat) {
  for (const other of table.querySelectorAll("[name=seat]")) other.tabIndex = other === seat ? 0 : -1;
}

// Where the stop was taken, the nearest free seat becomes it; without any it waits where it is.
function settle(table) {
  const old = table.querySelector("[name=seat][tabindex='0']");
  if (!old?.disabled) return;
  const place = (seat) => [seat.closest("tr").rowIndex, seat.closest("td").cellIndex];
  const [row, column] = place(old);
  const away = (seat) => Math.abs(place(seat)[0] - row) * 1000 + Math.abs(place(seat)[1] - column);
  const free = [...table.querySelectorAll("[name=seat]:not(:disabled)")];
  if (free.length) stop(table, free.reduce((near, seat) => (away(seat) < away(near) ? seat : near)));
}

// The server tells of every change; where it cannot, it is asked now and then.
function following({ live, ask: path }) {
  const ask = async () => {
    const answer = await fetch(path).catch(() => undefined);
    if (answer?.ok) show(await answer.json());
    setTimeout(ask, 5000);
  };
  const source = new EventSource(live);
  source.addEventListener("availability", (event) => show(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) ask();
  });
  addEventListener("pagehide", () => source.close());
}

// Every part of the page says the same, whichever way it changes, and nobody loses his place on it.
function show({ sections }) {
  const [focus, said] = [document.activeElement, []];
  for (const told of sections) {
    const section = document.querySelector(`[data-section="${CSS.escape(told.id)}"]`);
    if (!section) continue;
    const taken = (told.seats ?? []).map((seat) => take(section, seat, focus)).filter(Boolean);
    if (taken.length) count(section);
    said.push(...taken.map((place) => `${place} was just taken by somebody else`), ...left(section, told));
    for (const table of section.querySelectorAll("[data-seats]")) settle(table);
  }
  offer();
  order.dispatchEvent(new Event("input"));
  if (focus && focus !== document.body && !isUsable(focus)) said.push(...handOn(focus));
  if (said.length) announce(said.join(". "));
}

// A seat as it is now. Answers its name when it was picked or looked at here, and is gone.
function take(section, { id, state }, focus) {
  const seat = section.querySelector(`[name=seat][value="${CSS.escape(id)}"]`);
  const gone = state !== "free" || !section.querySelector("[data-open]");
  if (!seat || seat.disabled === gone) return undefined;
  const lost = gone && (seat.checked || seat === focus);
  seat.ariaLabel = seat.ariaLabel.replace(/[^,]*$/, gone ? " taken" : " available");
  seat.checked = false;
  seat.disabled = gone;
  return lost ? seat.dataset.place : undefined;
}

// How many are left of a section, and so whether its prices can be asked for. Answers what to say about it.
function left(section, { name, free }) {
  const number = section.querySelector("[data-free]");
  const before = Number(number.textContent);
  if (before === free) return [];
  number.textContent = free;
  number.parentElement.classList.toggle("off", free === 0);
  for (const input of section.querySelectorAll("[data-open]")) {
    input.max = Math.min(Number(input.dataset.open), free);
    input.disabled = free === 0;
    if (input.disabled) input.value = 0;
  }
  if (free === 0) return [`${name} is sold out`];
  return before === 0 ? [`${name}: ${free} left again`] : [];
}

// Whether anything can be ordered, as the whole page says it.
function offer() {
  const [checkout, note] = [order.querySelector("[data-checkout]"), document.querySelector("[data-closed]")];
  const isLeft = order.querySelector("[data-open]:not(:disabled)") !== null;
  if (!checkout || checkout.hidden !== isLeft) return;
  checkout.hidden = !isLeft;
  note.hidden = isLeft;
  if (note.childElementCount) return;
  const [title, text] = [document.createElement("h2"), document.createElement("p")];
  title.id = "closed";
  title.textContent = "Sold out";
  text.textContent = "Every ticket is held or sold. Holds end after a few minutes: this page shows what comes back.";
  note.append(title, text);
}

function isUsable(part) {
  return part.isConnected && !part.disabled && part.checkVisibility({ visibilityProperty: true });
}

// What had the focus can have it no longer: the nearest seat gets it, or what follows on the page.
function handOn(from) {
  const seat = from.closest("[data-seats]")?.querySelector("[name=seat][tabindex='0']:not(:disabled)");
  const stops = [...document.querySelectorAll("main :is(summary, input:not([type=hidden]), button, a[href])")];
  const usable = stops.filter((part) => part.tabIndex === 0 && isUsable(part));
  const isAfter = (part) => from.compareDocumentPosition(part) & Node.DOCUMENT_POSITION_FOLLOWING;
  const to = seat ?? usable.find(isAfter) ?? usable.at(-1) ?? document.getElementById("main");
  to.focus();
  return seat ? [`you are now at ${seat.dataset.place}`] : [];
}

// The server's clock counts: only the difference of its two times is used.
function counting(hold) {
  const left = hold.querySelector("[data-left]");
  const end = performance.now() + (Date.parse(hold.dataset.until) - Date.parse(hold.dataset.now));
  const said = new Map([[120, "2 minutes left to pay"], [60, "1 minute left to pay"], [30, "30 seconds left to pay"]]);
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    hold.classList.toggle("short", seconds <= 60);
    for (const [moment, text] of said) {
      if (seconds > moment) continue;
      said.delete(moment);
      if (seconds > moment - 10) announce(`${text}. You can ask for more time.`);
    }
    if (seconds > 0) return setTimeout(tick, 250);
    announce("The time is over");
    setTimeout(() => location.reload(), 1500);
  };
  tick();
}

async function awaiting(address) {
  const answer = await fetch(address).catch(() => undefined);
  const status = answer?.ok ? (await answer.json()).status : "paying";
  if (status !== "paying") return location.reload();
  setTimeout(() => awaiting(address), 1500);
}
