// What scripts add to pages that are whole without them: keys, the timeline's brush, folds all at once, conversation.

const find = (selector) => document.querySelector(selector);

keys();
brush();
folds();
contents();
conversation();

// "/" goes to the search, arrows move through results, Esc leaves a field.
function keys() {
  const results = [...document.querySelectorAll("[data-result]")];
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const field = event.target.closest?.("input, textarea, select");
    const search = find("[data-search]");
    if (event.key === "/" && !field && search) {
      event.preventDefault();
      search.focus();
      search.select();
    } else if (event.key === "Escape" && field) {
      field.blur();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && results.length && (!field || field === search)) {
      const step = event.key === "ArrowDown" ? 1 : -1;
      const place = results.indexOf(document.activeElement) + step;
      if (place < 0) {
        if (search && document.activeElement !== search) search.focus();
        else return;
      } else {
        results[Math.min(place, results.length - 1)].focus();
      }
      event.preventDefault();
    }
  });
}

// Dragging across the bars chooses years; a click on one bar is a plain link and works without this.
function brush() {
  const chart = find("#timeline");
  const form = find("#searchform");
  if (!chart || !form) return;
  const first = Number(chart.dataset.first);
  const width = Number(chart.dataset.width);
  const bars = Number(chart.dataset.bars);
  const shade = find("#brush");
  const at = (event) => {
    const box = chart.getBoundingClientRect();
    return Math.max(0, Math.min(bars - 1, Math.floor(((event.clientX - box.left) / box.width) * bars)));
  };
  let start = null;
  let moved = false;
  const show = (event) => {
    const [low, high] = [Math.min(start, at(event)), Math.max(start, at(event))];
    shade.setAttribute("x", low * 10);
    shade.setAttribute("width", (high - low + 1) * 10);
    find("#from").value = first + low * width;
    find("#to").value = first + (high + 1) * width - 1;
  };
  chart.addEventListener("dragstart", (event) => event.preventDefault());
  chart.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    start = at(event);
    moved = false;
  });
  addEventListener("pointermove", (event) => {
    if (start === null || (at(event) === start && !moved)) return;
    moved = true;
    show(event);
  });
  addEventListener("pointerup", (event) => {
    if (start !== null && moved) {
      show(event);
      form.requestSubmit();
    }
    start = null;
  });
  addEventListener("pointercancel", () => (start = null));
  // after a drag the click that follows it must not open a bar's link
  chart.addEventListener("click", (event) => moved && event.preventDefault(), true);
}

// One button opens every fold; a link to a fold's paragraph leaves them as they are.
function folds() {
  const button = find("#unfold");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-pressed") !== "true";
    for (const cut of document.querySelectorAll("details.cut")) cut.open = open;
    button.setAttribute("aria-pressed", String(open));
    button.textContent = open ? "Fold all" : "Unfold all";
  });
}

// On a phone the contents begin closed.
function contents() {
  const list = find(".contents details");
  if (list && matchMedia("(max-width: 52rem)").matches) list.open = false;
}

function conversation() {
  const form = find("#say");
  if (!form) return;
  const talk = find("#talk");
  const question = find("#question");
  const stop = find("#hush");
  const turns = [];
  let under_way = null;
  form.hidden = false;

  const write = (kind, text) => {
    const line = document.createElement("p");
    line.className = kind;
    line.textContent = text;
    talk.append(line);
    talk.scrollTop = talk.scrollHeight;
    return line;
  };

  question.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  stop.addEventListener("click", () => under_way?.abort());

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const asked = question.value.trim();
    if (!asked || under_way) return;
    question.value = "";
    write("you", asked);
    turns.push({ role: "user", content: asked });
    const line = write("model busy", "");
    under_way = new AbortController();
    stop.hidden = false;
    talk.setAttribute("aria-busy", "true"); // read out once, when it is whole
    try {
      await stream(turns.slice(-19), under_way.signal, (piece) => {
        line.textContent += piece;
        talk.scrollTop = talk.scrollHeight;
      });
    } catch (error) {
      if (error.name !== "AbortError") write("fault", error.message);
    }
    line.textContent = line.textContent.trim();
    line.classList.remove("busy");
    if (line.textContent) turns.push({ role: "assistant", content: line.textContent });
    else {
      turns.pop();
      line.remove();
    }
    talk.setAttribute("aria-busy", "false");
    stop.hidden = true;
    under_way = null;
  });
}

// The server-sent events of one answer; throws with the server's own words where it fails.
async function stream(messages, signal, tell) {
  const answer = await fetch("/api/chat", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ messages }),
    signal,
  });
  if (!answer.ok) throw new Error(await words(answer));
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = JSON.parse(event.slice(event.indexOf("data: ") + 6));
      if (event.startsWith("event: error")) throw new Error(data.detail);
      if (data.text) tell(data.text);
    }
  }
}

async function words(answer) {
  try {
    return (await answer.json()).detail;
  } catch {
    return `the server answered ${answer.status}`;
  }
}
