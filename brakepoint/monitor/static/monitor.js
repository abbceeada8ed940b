// The page keeps nothing of its own but language, theme and token: all it shows comes afresh with the news.
import { $, answersSoon, complain, element, facts, fetchWithToken, keys, number, pair, percent, refusal, root, say, sentence, speak } from "./web/shared.js";

const SVG = "http://www.w3.org/2000/svg";
const FROZEN_AFTER_MS = 1500;
const LISTEN_AGAIN_MS = 5000;
const STALE_AFTER_S = 1;
const FAULT_SECONDS = 2;

const { looks, speeds } = facts;
let story = null;
let now = null;
let news = null;
let heardAt = performance.now();
let listenedAt = heardAt;
let requests = 0;

function shape(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

root.addEventListener("language", () => {
  $("asked").textContent = "";
  const chosen = $("fault").value;
  $("fault").replaceChildren(
    ...keys("live.fault.").map((key) => element("option", { value: key.split(".")[2], textContent: say(key) })),
  );
  if (chosen) $("fault").value = chosen;
  if (story) showStory();
  if (now) showNow();
});

// Buttons ------------------------------------------------------------------------------------------------------------

async function ask(what, wish) {
  const mine = ++requests; // An earlier request may be answered later.
  $("asked").textContent = "";
  let said;
  try {
    const answer = await fetchWithToken("control", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(wish),
      signal: answersSoon(),
    });
    const nobody = () => say("monitor.not_asked", { what });
    said = answer.ok ? say("monitor.asked", { what }) : (await refusal(answer, nobody))();
  } catch {
    said = say("monitor.not_asked", { what });
  }
  if (mine === requests) $("asked").textContent = said;
}

$("start").onclick = () => ask(say("monitor.start"), { action: "start", feed: $("feed").value || null });
$("stop").onclick = () => ask(say("monitor.stop"), { action: "stop" });
$("feed").onchange = () => ask($("feed").value, { action: "feed", feed: $("feed").value });
$("break").onclick = () =>
  ask($("fault").selectedOptions[0].textContent, { action: "fault", fault: $("fault").value, seconds: FAULT_SECONDS });

// The picture: the next one is asked for when the last one is there, so a slow viewer skips --------------------------

const canvas = $("picture");
const brush = canvas.getContext("2d");
let loading = false;

async function drawPicture() {
  if (loading || document.hidden) return;
  loading = true;
  try {
    const answer = await fetch("picture.jpg", { signal: answersSoon() });
    if (answer.status !== 200) return;
    const picture = await createImageBitmap(await answer.blob());
    if (canvas.width !== picture.width) [canvas.width, canvas.height] = [picture.width, picture.height];
    brush.drawImage(picture, 0, 0);
    picture.close();
    now.signs.forEach(drawBox);
  } catch {
    // The news says that the connection is lost; the next picture may come through.
  } finally {
    loading = false;
  }
}

function drawBox(sign) {
  const [left, top, right, bottom] = sign.box;
  const label = `${say(`sign.class.${sign.sign_class}`)} ${percent(sign.confidence)}`;
  brush.lineWidth = 3;
  brush.strokeStyle = brush.fillStyle = looks[sign.sign_class].colour;
  brush.strokeRect(left, top, right - left, bottom - top);
  brush.font = "600 15px system-ui, sans-serif";
  const width = brush.measureText(label).width + 10;
  const [x, y] = [Math.min(left, canvas.width - width), Math.max(top - 22, 0)];
  brush.fillRect(x, y, width, 20);
  brush.fillStyle = looks[sign.sign_class].words;
  brush.fillText(label, x + 5, y + 15);
}

// What changes all the time ------------------------------------------------------------------------------------------

function showNow() {
  const train = now.train;
  const speed = train?.speed_cm_s ?? 0;
  const part = (100 * speed) / speeds.full_speed / 1.2;
  $("filled").style.strokeDasharray = `${Math.min(part, 100)} 200`;
  $("filled").classList.toggle("hidden", speed < 0.5);
  $("filled").style.stroke = train?.braking ? "var(--brake)" : `var(--${speed > 1.15 * speeds.low_speed ? "full" : "low"}_speed)`;
  $("speed").textContent = number(speed);
  $("gauge").setAttribute("aria-label", pair(say("monitor.speed"), `${number(speed)} cm/s`));
  $("position").textContent = train ? `${number(train.position_cm)} cm` : "–";
  $("light").textContent = train ? say(`light.${train.light}`) : "–";
  const { latency_ms: median, latency_p95_ms: p95 } = now.services.find((one) => one.service === "controller") ?? {};
  $("latency").textContent = median == null ? "–" : `${number(median)} ms`;
  $("latency").title = p95 == null ? "" : `${say("monitor.latency_p95")} ${number(p95)} ms`;
  if (p95 != null) $("latency").append(" ", element("small", { className: "quiet", textContent: `(${say("monitor.latency_p95")} ${number(p95)} ms)` }));
  const age = now.picture_age_s;
  $("no-picture").hidden = age != null && age < STALE_AFTER_S;
  $("no-picture").textContent = say(age == null ? "monitor.no_picture" : "monitor.stale");
  $("services").replaceChildren(...now.services.map(serviceLine));
  placeTrain(train?.position_cm ?? 0);
}

function serviceLine(one) {
  const figures = [say(`live.health.${one.health}`)];
  if (one.health === "ready" && one.per_s) figures.push(`${number(one.per_s)} ${say("monitor.per_s")}`);
  if (one.refused) figures.push(pair(say("monitor.refused"), number(one.refused)));
  return element(
    "li",
    { className: one.health },
    element("span", { className: "dot" }),
    say(`monitor.service.${one.service}`),
    element("span", { className: "quiet small", textContent: figures.join(" · ") }),
  );
}

// What changes now and then ------------------------------------------------------------------------------------------

function showStory() {
  const { mission, orders, line } = story;
  showFeeds();
  $("stop").disabled = !mission?.running;
  showOrder(mission?.running ? orders.at(-1) : null);
  const lines = orders.toReversed().map(orderLine);
  $("orders").replaceChildren(...(lines.length ? lines : [element("li", { className: "empty", textContent: say("monitor.no_orders") })]));
  drawMap(line);
  showScore();
}

let feedsShown = "";

function showFeeds() {
  const { mission, feeds } = story;
  const told = JSON.stringify([feeds, mission?.feed, mission?.run]);
  if (told === feedsShown) return; // A person may be choosing one.
  feedsShown = told;
  const names = [...new Set([...feeds, ...(mission ? [mission.feed] : [])])];
  $("feed").replaceChildren(...names.map((name) => element("option", { value: name, textContent: name.split("/").pop() })));
  if (mission) $("feed").value = mission.feed;
}

function showOrder(order) {
  $("order").dataset.kind = order?.kind ?? "";
  const resting = story.ending ? "monitor.over" : "monitor.at_rest";
  const words = sentence(say(order ? `order.${order.kind}` : resting));
  const why = order ? [" ", element("small", { textContent: say(`reason.${order.reason}`) })] : [];
  $("order").replaceChildren(words, ...why);
}

function orderLine(order) {
  const line = element(
    "li",
    {},
    element("span", { className: "quiet", textContent: `${number(order.time_s, 1)} s` }),
    element("strong", { textContent: sentence(say(`order.${order.kind}`)) }),
    element("span", { className: "quiet", textContent: `${number(order.position_cm)} cm` }),
    element("span", { className: "why", textContent: say(`reason.${order.reason}`) }),
  );
  line.dataset.kind = order.kind;
  return line;
}

function showScore() {
  const { score, ending } = story;
  $("verdict").hidden = !score;
  if (!score) return;
  $("points").textContent = number(score.score, Number.isInteger(score.score) ? 0 : 1);
  $("outcome").textContent = sentence(say(score.accomplished ? "monitor.accomplished" : "monitor.failed"));
  $("outcome").className = `verdict ${score.accomplished ? "good" : "bad"}`;
  const obeyed = score.signs.filter((sign) => sign.obeyed).length;
  const lost = Object.entries(score.penalties).filter(([, points]) => points);
  $("details").replaceChildren(
    ...[
      say(`score.ending.${ending}`),
      sentence(pair(say("monitor.obeyed"), `${obeyed}/${score.signs.length}`)),
      ...lost.map(([rule, points]) => pair(say(`score.penalty.${rule}`), `−${number(points, 1)}`)),
    ].map((textContent) => element("li", { textContent })),
  );
}

// The map ------------------------------------------------------------------------------------------------------------

const MARGIN_CM = 22;
let track = null;

function drawMap(line) {
  track = line;
  $("map").replaceChildren();
  $("signs").replaceChildren();
  if (!line) return;
  const xs = [...line.points.map(([x]) => x), ...line.signs.map((sign) => sign.x)];
  const ys = [...line.points.map(([, y]) => -y), ...line.signs.map((sign) => -sign.y)];
  const [left, top] = [Math.min(...xs) - MARGIN_CM, Math.min(...ys) - MARGIN_CM];
  const [width, height] = [Math.max(...xs) + MARGIN_CM - left, Math.max(...ys) + MARGIN_CM - top];
  $("map").setAttribute("viewBox", `${left} ${top} ${width} ${height}`);
  $("map").append(shape("polyline", { class: "rail", points: line.points.map(([x, y]) => `${x},${-y}`).join(" ") }));
  $("map").append(shape("polyline", { class: "run", id: "run" }));
  for (const sign of line.signs) $("map").append(signShape(sign));
  $("map").append(shape("path", { class: "train", id: "train", d: "M-9 -6 H5 L11 0 L5 6 H-9 Z" }));
  $("signs").append(
    ...line.signs.map((sign) =>
      element("li", { textContent: pair(`${number(sign.at_cm)} cm`, say(`sign.kind.${sign.kind}`) + (sign.counts ? "" : ` (${say("monitor.distractor")})`)) }),
    ),
  );
  placeTrain(now?.train?.position_cm ?? 0);
}


function signShape(sign) {
  const [x, y] = [sign.x, -sign.y];
  if (!sign.counts) return shape("rect", { class: "distractor", x: x - 4, y: y - 4, width: 8, height: 8 });
  const drawing = shape("g", { class: "sign", transform: `translate(${x} ${y})` });
  drawing.append(...looks[sign.class].paths.map((path) => shape("path", path)));
  return drawing;
}

function placeTrain(position) {
  if (!track || !$("train")) return;
  const at = Math.max(0, Math.min(position / track.step_cm, track.points.length - 1.001));
  const [index, part] = [Math.floor(at), at % 1];
  const [[x0, y0], [x1, y1]] = [track.points[index], track.points[index + 1]];
  const [x, y] = [x0 + part * (x1 - x0), y0 + part * (y1 - y0)];
  const turn = (-180 / Math.PI) * Math.atan2(y1 - y0, x1 - x0);
  $("train").setAttribute("transform", `translate(${x} ${-y}) rotate(${turn})`);
  const done = [...track.points.slice(0, index + 1), [x, y]];
  $("run").setAttribute("points", done.map(([px, py]) => `${px},${-py}`).join(" "));
}

// The gauge's marks, once --------------------------------------------------------------------------------------------

for (const value of [0, speeds.low_speed, speeds.full_speed]) {
  const angle = Math.PI * (1 - value / speeds.full_speed / 1.2);
  const at = (radius) => [100 + radius * Math.cos(angle), 105 - radius * Math.sin(angle)];
  const [[x1, y1], [x2, y2], [x, y]] = [at(88), at(94), at(60)];
  $("marks").append(shape("line", { class: "tick", x1, y1, x2, y2 }));
  $("marks").append(Object.assign(shape("text", { class: "mark", x, y: y + 4 }), { textContent: value }));
}

// The news -----------------------------------------------------------------------------------------------------------

function listen() {
  news?.close();
  listenedAt = performance.now();
  news = new EventSource("news");
  news.addEventListener("story", (event) => {
    story = JSON.parse(event.data);
    showStory();
  });
  news.addEventListener("now", (event) => {
    now = JSON.parse(event.data);
    heardAt = performance.now();
    showNow();
    drawPicture();
  });
}

setInterval(() => {
  const silentMs = performance.now() - heardAt;
  if (silentMs > FROZEN_AFTER_MS) complain(() => say("monitor.lost"));
  else if (now?.held_back.length) complain(() => say("monitor.held_back", { topics: now.held_back.join(", ") }));
  else complain();
  // The browser does not try again by itself after a proxy’s error, nor when the connection vanished without a word.
  if (Math.min(silentMs, performance.now() - listenedAt) > LISTEN_AGAIN_MS) listen();
}, 500);
listen();
speak();
