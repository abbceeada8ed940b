// Shows a camera or a picture to the model, and lets a person draw and correct the boxes.
import { $, complain, element, facts, fetchWithToken, number, percent, refusal, root, say, speak, tellOnce } from "./web/shared.js";

const WIDTH = 640; // What the train's camera delivers, so that a sign is as large for the model as it will be.
const STEP = 0.01; // An arrow key's, of the picture's side.
const { colours } = facts;

const canvas = $("picture");
const video = $("video");
const still = document.createElement("canvas"); // The picture as the model gets it.
let hasPicture = false;
let stream = null;
let frozen = true;
let boxes = []; // {sign_class, box: [left, top, right, bottom] in fractions, confidence: null if a person drew it}
let chosen = -1;
let corner = null;
let cross = null; // Where the keyboard is, in fractions.
let names = [];
let sampleNumber = 0;
let watches = 0;
let proposals = 0;
let answered = true;
let saving = false;
let openings = 0;
let albums = 0;
let seen = () => "";

const title = (kind) => say(`sign.class.${kind}`);
const jpegOf = () => new Promise((done) => still.toBlob(done, "image/jpeg", 0.92));

// The model -----------------------------------------------------------------------------------------------------------

async function ask(address, options = {}) {
  let answer;
  try {
    answer = await fetchWithToken(address, options);
  } catch {
    complain(() => say("show.lost"));
    return null;
  }
  const isGone = options.method === "DELETE" && answer.status === 404; // Another page has removed it already.
  if (answer.ok || isGone) return answer;
  const why = await refusal(answer, () => answer.status);
  complain(() => say("show.refused", { why: why() }));
  return null;
}

async function look() {
  const answer = await ask("look", { method: "POST", body: await jpegOf() });
  return answer && answer.json();
}

function tellSeen(words) {
  seen = words;
  tellOnce($("seen"), seen());
}

function inWords({ signs, took_ms }) {
  const words = signs.map((sign) => `${title(sign.sign_class)} ${percent(sign.confidence)}`).join(", ");
  return say("show.seen", { signs: words || say("show.seen_nothing"), took: number(took_ms) });
}

// Where pictures come from --------------------------------------------------------------------------------------------

function take(source, width, height) {
  still.width = Math.min(WIDTH, width);
  still.height = Math.round((height * still.width) / width);
  still.getContext("2d").drawImage(source, 0, 0, still.width, still.height);
  canvas.width = still.width;
  canvas.height = still.height;
  hasPicture = true;
}

const end = (media) => media?.getTracks().forEach((track) => track.stop());

async function startCamera() {
  complain();
  const mine = ++openings;
  let opened = null;
  $("camera").disabled = true; // A second camera that is opened meanwhile could not be stopped any more.
  try {
    opened = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: 1280 } });
    video.srcObject = opened;
    await video.play();
  } catch (error) {
    end(opened);
    complain(() => say("show.no_camera", { why: navigator.mediaDevices ? error.message : say("show.insecure") }));
    return;
  } finally {
    $("camera").disabled = false;
  }
  if (mine !== openings) return end(opened); // A person has opened a picture meanwhile.
  stream = opened;
  stream.getTracks().forEach((track) => (track.onended = leaveCamera)); // A camera may be unplugged.
  resume();
}

function stopCamera() {
  end(stream);
  stream = null;
  frozen = true;
  tell();
}

async function leaveCamera() {
  const isLive = !frozen;
  stopCamera();
  if (isLive && hasPicture) await propose(); // The boxes were those of an earlier picture.
}

async function watch() {
  const mine = ++watches; // Frozen and thawed at once, the picture would otherwise have two loops.
  while (stream && !frozen && mine === watches) {
    take(video, video.videoWidth, video.videoHeight);
    $("nothing").hidden = true;
    draw();
    const answer = await look();
    if (frozen || mine !== watches) return; // The frame that was frozen has its boxes by `freeze`.
    if (!answer) return stopCamera();
    boxes = answer.signs;
    tellSeen(() => inWords(answer));
    draw();
    await new Promise(requestAnimationFrame);
  }
}

async function freeze() {
  frozen = true;
  take(video, video.videoWidth, video.videoHeight);
  await propose();
}

function resume() {
  complain();
  canvas.focus({ preventScroll: true }); // Space would otherwise press the button once more.
  frozen = false;
  proposals += 1;
  answered = true;
  forgetBoxes();
  tell();
  watch();
}

async function propose() {
  canvas.focus({ preventScroll: true });
  forgetBoxes();
  const mine = ++proposals; // A person draws once the model has answered, about this picture and no other.
  answered = false;
  tell();
  const answer = await look();
  if (mine !== proposals) return;
  answered = true;
  if (answer) {
    boxes = answer.signs.map((sign) => ({ ...sign })); // A person changes them; what the model has seen stays.
    tellSeen(() => inWords(answer));
  }
  tell();
}

async function open(source) {
  complain();
  const mine = ++openings; // The picture that was chosen last stays, not the one that comes last.
  const blob = await source;
  if (!blob) return;
  let picture;
  try {
    picture = await createImageBitmap(blob);
  } catch {
    complain(() => say("show.no_picture"));
    return;
  }
  if (mine !== openings) return;
  stopCamera();
  take(picture, picture.width, picture.height);
  await propose();
}

// Boxes ---------------------------------------------------------------------------------------------------------------

function forgetBoxes() {
  boxes = [];
  chosen = -1;
  corner = null;
}

const kindNow = () => document.querySelector("input[name=kind]:checked").value;
const canDraw = () => hasPicture && frozen && answered;
const clamp = (share) => Math.min(1, Math.max(0, share));

function press(at) {
  if (!canDraw()) return;
  if (corner) {
    const box = [Math.min(at[0], corner[0]), Math.min(at[1], corner[1]), Math.max(at[0], corner[0]), Math.max(at[1], corner[1])];
    corner = null;
    if (box[2] - box[0] > 0.005 && box[3] - box[1] > 0.005) {
      boxes.push({ sign_class: kindNow(), box, confidence: null });
      chosen = boxes.length - 1;
    }
  } else {
    const hit = boxes.findIndex(({ box }) => box[0] < at[0] && at[0] < box[2] && box[1] < at[1] && at[1] < box[3]);
    if (hit >= 0 && hit !== chosen) chosen = hit;
    else corner = at;
  }
  tell();
}

function remove(number) {
  boxes.splice(number, 1);
  chosen = Math.min(chosen, boxes.length - 1);
  tell();
}

function change(number, kind) {
  boxes[number].sign_class = kind;
  boxes[number].confidence = null;
  tell();
}

function nextKind(number) {
  const { classes } = facts;
  change(number, classes[(classes.indexOf(boxes[number].sign_class) + 1) % classes.length]);
}

// Drawing -------------------------------------------------------------------------------------------------------------

function draw() {
  const pen = canvas.getContext("2d");
  if (!hasPicture) return;
  pen.drawImage(still, 0, 0);
  boxes.forEach((sign, number) => drawBox(pen, sign, number));
  const shown = corner && cross ? [corner, cross] : [corner ?? cross].filter(Boolean);
  if (frozen) shown.forEach((at) => drawCross(pen, at));
  if (corner && cross) {
    pen.setLineDash([4, 4]);
    pen.strokeStyle = "#fff";
    pen.strokeRect(...rectangle([...corner, ...cross]));
    pen.setLineDash([]);
  }
}

const rectangle = ([left, top, right, bottom]) =>
  [left * canvas.width, top * canvas.height, (right - left) * canvas.width, (bottom - top) * canvas.height];

function drawBox(pen, { sign_class, box, confidence }, number) {
  const [x, y, width, height] = rectangle(box);
  const words = `${title(sign_class)}${confidence === null ? "" : ` ${percent(confidence)}`}`;
  pen.lineWidth = number === chosen ? 5 : 3;
  pen.strokeStyle = "#10151c";
  pen.strokeRect(x, y, width, height);
  pen.lineWidth -= 2;
  pen.strokeStyle = colours[sign_class];
  pen.strokeRect(x, y, width, height);
  pen.font = "600 14px system-ui, sans-serif";
  const long = pen.measureText(words).width + 10;
  const left = Math.max(0, Math.min(x, canvas.width - long));
  const above = y > 22 ? y - 20 : Math.min(y + height, canvas.height - 20);
  pen.fillStyle = "#10151ce0";
  pen.fillRect(left, above, long, 20);
  pen.fillStyle = "#fff";
  pen.fillText(words, left + 5, above + 15);
}

function drawCross(pen, [x, y]) {
  pen.lineWidth = 1;
  for (const [colour, off] of [["#10151c", 1], ["#fff", 0]]) {
    pen.strokeStyle = colour;
    pen.beginPath();
    pen.moveTo(x * canvas.width + off, 0);
    pen.lineTo(x * canvas.width + off, canvas.height);
    pen.moveTo(0, y * canvas.height + off);
    pen.lineTo(canvas.width, y * canvas.height + off);
    pen.stroke();
  }
}

function tell() {
  $("nothing").hidden = hasPicture;
  $("camera").textContent = say(stream ? "show.camera_off" : "show.camera");
  $("freeze").textContent = say(frozen && stream ? "show.resume" : "show.freeze");
  $("freeze").disabled = !stream;
  $("save").disabled = !canDraw();
  $("how").textContent = canDraw() ? say(corner ? "show.second" : "show.how") : "";
  $("none").hidden = !canDraw() || boxes.length > 0;
  refill($("boxes"), canDraw() ? boxes.map(row) : []);
  draw();
}

// The keyboard stays where it was, though the line that it was in is a new one, or gone.
function refill(list, lines) {
  const controls = () => [...list.querySelectorAll("select, button")];
  const at = controls().indexOf(document.activeElement);
  list.replaceChildren(...lines);
  if (at >= 0) (controls().at(Math.min(at, controls().length - 1)) ?? canvas).focus();
}

// The second click of a double click would remove what has moved into the place of the first.
const once = (act) => ({ detail }) => detail > 1 || act();

function row(sign, index) {
  const number = index + 1;
  const kind = element("select", {}, ...facts.classes.map((one) => element("option", { value: one, textContent: title(one) })));
  kind.value = sign.sign_class;
  kind.onchange = () => change(index, kind.value);
  kind.setAttribute("aria-label", say("show.box_kind", { number }));
  const away = element("button", { type: "button", textContent: say("show.remove") });
  away.onclick = once(() => remove(index));
  away.setAttribute("aria-label", say("show.remove_box", { number }));
  const by = sign.confidence === null ? say("show.by_you") : say("show.by_model", { confidence: percent(sign.confidence) });
  const made = element("li", { className: index === chosen ? "chosen" : "" }, swatch(sign.sign_class), kind, away,
    element("span", { className: "by quiet small", textContent: by }));
  made.addEventListener("focusin", () => {
    if (chosen === index) return;
    chosen = index;
    for (const other of $("boxes").children) other.classList.toggle("chosen", other === made);
    draw();
  });
  return made;
}

function swatch(kind) {
  const made = element("span", { className: "swatch" });
  made.style.background = colours[kind];
  return made;
}

// Keeping -------------------------------------------------------------------------------------------------------------

async function save() {
  if (!canDraw() || saving) return;
  complain();
  saving = true;
  try {
    await sendPicture();
  } finally {
    saving = false;
  }
}

async function sendPicture() {
  const mine = proposals; // A person may go on to the next picture meanwhile.
  const signs = boxes.map(({ sign_class, box }) => ({ sign_class, box }));
  const bytes = new Uint8Array(await (await jpegOf()).arrayBuffer());
  let text = "";
  for (let from = 0; from < bytes.length; from += 32768) text += String.fromCharCode(...bytes.subarray(from, from + 32768));
  const answer = await ask("album", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ jpeg: btoa(text), signs }),
  });
  if (!answer) return;
  const { name } = await answer.json();
  await showAlbum();
  tellSeen(() => say("show.saved", { name }));
  if (stream && mine === proposals) resume();
}

async function showAlbum() {
  const mine = ++albums;
  const answer = await ask("album.json");
  const known = await answer?.json();
  if (!known || mine !== albums) return;
  ({ names } = known);
  tellCount();
  refill($("album"), names.toReversed().map(thumbnail));
}

function thumbnail(name) {
  const small = element("canvas", { width: 160, height: 120 });
  small.setAttribute("role", "img");
  small.setAttribute("aria-label", name);
  ask(`album/${name}`).then(async (answer) => {
    if (!answer) return;
    const picture = await createImageBitmap(await answer.blob());
    small.height = Math.round((160 * picture.height) / picture.width);
    small.getContext("2d").drawImage(picture, 0, 0, small.width, small.height);
  });
  const away = element("button", { type: "button", textContent: say("show.remove") });
  away.setAttribute("aria-label", say("show.remove_picture", { name }));
  away.onclick = once(async () => {
    complain();
    if (await ask(`album/${name}`, { method: "DELETE" })) await showAlbum();
  });
  return element("li", {}, small, away);
}

function tellCount() {
  $("count").textContent = say("show.count", { count: number(names.length) });
  $("progress").value = names.length;
}

// Hands ---------------------------------------------------------------------------------------------------------------

function place(event) {
  const around = canvas.getBoundingClientRect();
  return [clamp((event.clientX - around.left) / around.width), clamp((event.clientY - around.top) / around.height)];
}

canvas.onpointerdown = (event) => {
  cross = place(event);
  press(cross);
};
canvas.onpointermove = (event) => {
  if (!canDraw()) return;
  cross = place(event);
  draw();
};
canvas.onpointerleave = () => {
  cross = null;
  draw();
};
canvas.onkeydown = (event) => {
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (event.key === "Enter" && canDraw()) press((cross ??= [0.5, 0.5]));
  else if (arrows[event.key] && canDraw()) {
    const step = event.shiftKey ? 5 * STEP : STEP / 2;
    cross ??= [0.5, 0.5];
    cross = cross.map((share, side) => clamp(share + step * arrows[event.key][side]));
    draw();
  } else return;
  event.preventDefault();
};
document.onkeydown = (event) => {
  const uses = event.key === " " ? "input, select, button, a" : "select";
  const typing = event.target.closest(uses) || event.ctrlKey || event.metaKey || event.altKey;
  if (event.key === "Escape") corner = null;
  else if (typing) return;
  else if (event.key === " " && stream) frozen ? resume() : freeze();
  else if (event.key.toLowerCase() === "s") event.repeat || save();
  else if (event.key === "Delete" && chosen >= 0) remove(chosen);
  else if (event.key.toLowerCase() === "k" && chosen >= 0) nextKind(chosen);
  else return;
  event.preventDefault();
  tell();
};
$("camera").onclick = () => (stream ? leaveCamera() : startCamera());
$("freeze").onclick = () => (frozen ? resume() : freeze());
$("save").onclick = once(save);
$("sample").hidden = !facts.samples;
$("sample").onclick = () => open(ask(`samples/${sampleNumber++}.jpg`).then((answer) => answer?.blob()));
$("file").onchange = () => {
  const [file] = $("file").files;
  if (file) open(file);
  $("file").value = "";
};
root.ondragover = (event) => {
  event.preventDefault();
  $("screen").classList.add("over");
};
root.ondragleave = () => $("screen").classList.remove("over");
root.ondrop = (event) => {
  event.preventDefault();
  $("screen").classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file) open(file);
};

$("kinds").append(...facts.classes.map((kind, index) => {
  const choice = element("input", { type: "radio", name: "kind", value: kind, checked: index === 0 });
  const words = element("span");
  words.dataset.text = `sign.class.${kind}`;
  return element("label", {}, choice, swatch(kind), words);
}));

root.addEventListener("language", () => {
  $("private").textContent = say("show.private", { folder: facts.folder });
  $("model").textContent = say("show.model", { model: facts.model });
  const words = facts.commands.join("\n").split(/(\s)/); // Each in one line: “--epochs” must not break after “--”.
  $("commands").replaceChildren(
    ...words.map((word) => (/\s/.test(word) ? word : element("span", { className: "word" }, word))),
  );
  tellSeen(seen);
  tellCount();
  showAlbum();
  tell();
});
speak();
