// The page keeps nothing of its own but language, theme and token: all it shows comes afresh each time it asks.
import { $, answersSoon, complain, element, fetchWithToken, lang, number, root, say, speak } from "./web/shared.js";

const ASK_EVERY_MS = 3000;
const LINES = 6;
const STATES = ["working", "stuck", "silent", "finished", "absent"];

let board = null;

root.addEventListener("language", () => {
  if (board) show();
});

// What is shown ------------------------------------------------------------------------------------------------------

function show() {
  const { room, steps, seats } = board;
  $("room").textContent = room;
  $("states").replaceChildren(
    ...STATES.map((state) => [state, seats.filter((seat) => seat.state === state).length])
      .filter(([, count]) => count)
      .map(([state, count]) =>
        element("li", { className: state }, element("strong", { textContent: count }), " ", say(`board.state.${state}`)),
      ),
  );
  $("seats").replaceChildren(...seats.map((seat) => seatTile(seat, steps)));
  const waiting = seats.filter((seat) => ["stuck", "silent"].includes(seat.state)).toSorted((a, b) => b.minutes - a.minutes);
  fill("help", waiting.slice(0, LINES).map(helpLine), "board.nobody");
  const scored = seats.filter((seat) => seat.score !== null).toSorted((a, b) => b.score - a.score || b.map50 - a.map50);
  fill("missions", scored.slice(0, LINES).map(missionLine), "board.no_missions");
  const menders = seats.filter((seat) => Object.keys(seat.incidents).length).toSorted((a, b) => mended(b) - mended(a));
  $("incidents").parentElement.hidden = menders.length === 0;
  fill("incidents", menders.slice(0, LINES).map(incidentLine), "board.incidents");
  $("where").replaceChildren(
    ...steps.map((step) => bar(say("board.step", step), seats.filter((seat) => seat.step === step.name).length)),
    bar(say("board.finished"), seats.filter((seat) => seat.state === "finished").length),
  );
}

const time = (seat) => say("board.minutes", { minutes: number(seat.minutes) });
const outOf100 = (seat) => `${number(seat.score)}/100`;
const isUnderWay = (seat) => ["working", "stuck", "silent"].includes(seat.state);
const place = (seat) => {
  const step = board.steps.find((one) => one.name === seat.step);
  return `${say("board.step", step)} · ${say(`lab.${seat.step}.${seat.exercise}.title`)}`;
};

function seatTile(seat, steps) {
  const way = element("div", { className: "way" });
  for (const step of steps) {
    const part = element("i");
    part.style.setProperty("--share", step.exercises);
    part.style.setProperty("--done", `${(100 * (seat.done[step.name] ?? 0)) / step.exercises}%`);
    way.append(part);
  }
  const points = seat.score === null ? "" : outOf100(seat);
  const marks = seat.map50 === null ? [] : [`mAP50 ${number(seat.map50, 2)}`];
  if (points && isUnderWay(seat)) marks.push(points);
  if (seat.further) marks.push(say("board.further", seat));
  if (seat.reason[lang]) marks.push(say("board.failed"));
  const lines = [element("p", { textContent: isUnderWay(seat) ? place(seat) : say(`board.state.${seat.state}`) })];
  if (marks.length) lines.push(element("p", { className: "marks", textContent: marks.join(" · "), title: seat.reason[lang] ?? "" }));
  const clock = element("span", { className: "time", textContent: isUnderWay(seat) ? time(seat) : points });
  const head = element("h3", {}, element("span", { textContent: seat.handle }), clock);
  return element("li", { className: `seat ${seat.state}` }, head, way, ...lines);
}

function helpLine(seat) {
  const more = [say(`board.state.${seat.state}`), place(seat)];
  if (seat.hints) more.push(say("board.hints", seat));
  return element(
    "li",
    { className: seat.state },
    element("strong", { textContent: seat.handle }),
    element("span", { textContent: time(seat) }),
    element("small", { textContent: more.join(" · ") }),
  );
}

function missionLine(seat) {
  return element(
    "li",
    {},
    element("strong", { textContent: seat.handle }),
    element(
      "span",
      {},
      element("span", { className: "quiet", textContent: seat.map50 === null ? "" : `mAP50 ${number(seat.map50, 2)}   ` }),
      outOf100(seat),
    ),
  );
}

const mended = (seat) => Object.values(seat.incidents).filter((one) => one.mended_min !== null).length;

function incidentLine(seat) {
  const told = Object.entries(seat.incidents).map(([count, { found_min, mended_min }]) => {
    const minutes = { number: count, found: number(found_min, 1), mended: number(mended_min ?? 0, 1) };
    return say(mended_min === null ? "board.incident_found" : "board.incident", minutes);
  });
  return element(
    "li",
    {},
    element("strong", { textContent: seat.handle }),
    element("span", { textContent: say("board.mended", { count: number(mended(seat)) }) }),
    element("small", { textContent: told.join(" · ") }),
  );
}

function bar(name, count) {
  const length = element("i");
  length.style.setProperty("--share", `${(100 * count) / board.seats.length}%`);
  if (!count) length.style.visibility = "hidden";
  return element("li", {}, element("span", { textContent: name }), length, element("b", { textContent: count }));
}

function fill(id, lines, empty) {
  $(id).replaceChildren(...(lines.length ? lines : [element("li", { className: "empty", textContent: say(empty) })]));
}

// The news -----------------------------------------------------------------------------------------------------------

async function ask() {
  try {
    const answer = await fetchWithToken("room.json", { signal: answersSoon() });
    if (answer.status === 403) return complain(() => say("web.forbidden"));
    if (!answer.ok) throw new Error(answer.status);
    board = await answer.json();
    show();
    complain(() => board.trouble[lang] ?? "");
  } catch {
    complain(() => say("board.lost"));
  } finally {
    setTimeout(ask, ASK_EVERY_MS);
  }
}
speak();
ask();
