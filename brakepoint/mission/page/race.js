// Countdown, heats and podium; a frame of the browser moves every train to where it was then.
const $ = (id) => document.getElementById(id);
const COUNT_FROM = 3;
const heats = [...document.querySelectorAll("[data-heat]")].map((section) => ({
  section,
  lanes: [...section.querySelectorAll("[data-lane]")].map((lane) => ({
    lane,
    train: lane.querySelector("[data-train]"),
    engine: lane.querySelector(".engine"),
    run: JSON.parse(lane.querySelector("[data-run]").textContent),
  })),
}));
let heat = 0;
let began = null; // When the heat began, by the browser's clock; null while nothing drives.
let at = 0; // Seconds of the run that the page shows.
let pace = $("pace").value;
let round = 0; // A countdown of an earlier round starts nothing.

const last = (run) => run.share.length - 1;

function show(seconds) {
  at = seconds;
  for (const { lane, train, engine, run } of heats[heat].lanes) {
    const tick = Math.min(Math.floor(seconds * run.rate + 1e-6), last(run)); // 123 / 15 * 15 is a little less than 123.
    const [, kind] = run.orders.findLast(([from]) => from <= tick);
    train.setAttribute("transform", `translate(${1000 * run.share[tick]} 0)`);
    engine.setAttribute("class", `engine train ${kind}`);
    lane.classList.toggle("over", began !== null && tick === last(run));
  }
  const amount = seconds.toLocaleString(root.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  $("clock").textContent = `${amount} s`;
}

function longest() {
  return Math.max(...heats[heat].lanes.map(({ run }) => last(run) / run.rate));
}

function follow() {
  if (began === null) return;
  const seconds = Math.min(((performance.now() - began) / 1000) * pace, longest());
  show(seconds);
  if (seconds < longest()) requestAnimationFrame(follow);
  else if (heat === heats.length - 1) podium();
}

function choose(number) {
  round += 1;
  began = null;
  heat = number;
  $("podium").hidden = $("countdown").hidden = true;
  heats.forEach(({ section }, index) => (section.hidden = index !== heat));
  show(0);
}

function start() {
  choose(heat);
  const mine = round;
  $("countdown").hidden = false;
  const count = (left) => {
    if (mine !== round) return;
    $("countdown").textContent = left;
    $("countdown").hidden = left === 0;
    if (left > 0) setTimeout(count, 1000, left - 1);
    else {
      began = performance.now();
      follow();
    }
  };
  count(COUNT_FROM);
}

function podium() {
  $("podium").hidden = false;
  $("podium-title").focus();
}

$("pace").onchange = () => {
  const now = performance.now();
  if (began !== null) began = now - ((now - began) * pace) / $("pace").value; // The trains drive on from where they are.
  pace = $("pace").value;
};
root.addEventListener("language", () => show(at));
$("start").onclick = start;
$("next").onclick = () => choose((heat + 1) % heats.length);
$("show").onclick = podium;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const onControl = event.target.closest("button, select");
  if (event.key === " " && !onControl) start();
  else if (event.key.toLowerCase() === "n" && heats.length > 1) choose((heat + 1) % heats.length);
  else if (event.key.toLowerCase() === "p") podium();
  else return;
  event.preventDefault();
});
choose(0);
