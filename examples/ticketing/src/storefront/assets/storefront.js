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
if (live) following(live.dataset.live);
const hold = document.querySelector("[data-until]");
if (hold) counting(hold);
const waiting = document.querySelector("[data-waiting]");
if (waiting) awaiting(waiting.dataset.waiting);

function choosing(form) {
  const { currency, digits } = form.dataset;
  const sum = form.querySelector("[data-sum]");
  const total = () => {
    let [places, amount] = [0, 0];
    for (const input of form.querySelectorAll("[data-price]")) {
      const quantity = Math.max(0, Number.parseInt(input.value, 10) || 0);
      places += quantity;
      amount += quantity * Number(input.dataset.price);
    }
    if (!sum) return;
    const price = `${(amount / 10 ** digits).toFixed(digits)} ${currency}`;
    sum.textContent = places ? `${places} ticket${places === 1 ? "" : "s"} · ${price}` : "";
  };
  form.addEventListener("input", (event) => {
    if (event.target.name === "seat") count(event.target.closest("fieldset"));
    total();
  });
  for (const table of form.querySelectorAll("[data-seats]")) roving(table);
  total();
}

// Picked seats are tickets of the section's first price, as far as no other price is asked for.
function count(section) {
  const [first, ...others] = section.querySelectorAll("[data-price]:not(:disabled)");
  if (!first) return;
  const picked = section.querySelectorAll("[name=seat]:checked").length;
  const asked = others.reduce((sum, input) => sum + (Number.parseInt(input.value, 10) || 0), 0);
  first.value = Math.max(0, picked - asked);
}

// One stop for the Tab key in the whole table; arrows go from seat to seat.
function roving(table) {
  const seats = () => [...table.querySelectorAll("[name=seat]:not(:disabled)")];
  const stop = (seat) => {
    for (const other of table.querySelectorAll("[name=seat]")) other.tabIndex = other === seat ? 0 : -1;
  };
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
  table.addEventListener("focusin", (event) => stop(event.target));
  stop(seats()[0]);
}

// The server tells of every change; where it cannot, it is asked now and then.
function following(id) {
  const ask = async () => {
    const answer = await fetch(`/api/events/${id}/availability`).catch(() => undefined);
    if (answer?.ok) show(await answer.json());
    setTimeout(ask, 5000);
  };
  const source = new EventSource(`/api/events/${id}/live`);
  source.addEventListener("availability", (event) => show(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) ask();
  });
  addEventListener("pagehide", () => source.close());
}

function show({ sections }) {
  for (const { id, name, free, seats } of sections) {
    const section = document.querySelector(`[data-section="${CSS.escape(id)}"]`);
    const left = section?.querySelector("[data-free]");
    if (!left) continue;
    if (free === 0 && left.textContent !== "0") announce(`${name} is sold out`);
    left.textContent = free;
    left.parentElement.classList.toggle("off", free === 0);
    for (const seat of seats ?? []) take(section, seat);
  }
}

function take(section, { id, state }) {
  const seat = section.querySelector(`[name=seat][value="${CSS.escape(id)}"]`);
  const gone = state !== "free";
  if (!seat || seat.disabled === gone) return;
  seat.ariaLabel = seat.ariaLabel.replace(/[^,]*$/, gone ? " taken" : " available");
  if (gone && seat.checked) {
    seat.checked = false;
    count(section);
    seat.dispatchEvent(new Event("input", { bubbles: true }));
    announce(`${seat.dataset.place} was just taken by somebody else`);
  }
  seat.disabled = gone;
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
