// One player a feed: film, slider and plot show the same moment, whichever of them moves. Without a film a clock leads.
for (const section of document.querySelectorAll("[data-feed]")) {
  const find = (name) => section.querySelector(`[data-${name}]`);
  const run = JSON.parse(find("run").textContent);
  const [film, seek, plot, point] = ["film", "seek", "plot", "point"].map(find);
  const last = run.position.length - 1;
  let tick = 0, playing = false, filmed = true, since = 0;

  function show(wanted) {
    tick = Math.min(Math.max(Math.round(wanted), 0), last);
    const { left, right, length } = plot.dataset;
    const share = Math.min(Math.max(run.position[tick] / length, 0), 1);
    find("playhead").setAttribute("transform", `translate(${+left + share * (right - left)} 0)`);
    point.setAttribute("cy", point.dataset.base - run.speed[tick] * point.dataset.scale);
    const order = run.orders.findLast((each) => each.from <= tick);
    const [what, why] = order[root.lang];
    const amount = (value, digits) => value.toLocaleString(root.lang, { minimumFractionDigits: digits, maximumFractionDigits: digits });
    const now = `${amount(tick / run.rate, 1)} s · ${amount(run.position[tick], 0)} cm · ${amount(run.speed[tick], 0)} cm/s`;
    find("dot").className = `dot ${order.kind}`;
    find("order").textContent = what;
    find("reason").textContent = why;
    find("now").textContent = now;
    seek.value = tick;
    seek.setAttribute("aria-valuetext", `${now}, ${what}`);
  }
  function go(wanted) {
    show(wanted);
    since = performance.now() - tick * 1000 / run.rate / find("pace").value;
    if (filmed) film.currentTime = (tick + 0.5) / run.rate;
  }
  function play(wanted) {
    playing = wanted;
    if (playing && tick >= last) tick = 0;
    section.classList.toggle("playing", playing);
    go(tick);
    if (filmed) { film.playbackRate = find("pace").value; playing ? film.play().catch(() => play(false)) : film.pause(); }
    if (playing) requestAnimationFrame(follow);
  }
  function follow(now) {
    if (!playing) return;
    const seconds = filmed ? film.currentTime : (now - since) / 1000 * find("pace").value;
    show(Math.floor(seconds * run.rate));
    (filmed ? film.ended : tick >= last) ? play(false) : requestAnimationFrame(follow);
  }
  function lose() {
    filmed = false;
    film.hidden = true;
    section.querySelector(".no-film").hidden = false;
  }
  film.error ? lose() : film.addEventListener("error", lose); // It may have failed before this script ran.
  film.addEventListener("loadedmetadata", () => tick && go(tick), { once: true }); // A film that is sought loses its poster.
  find("play").addEventListener("click", () => play(!playing));
  find("pace").addEventListener("change", () => {
    film.playbackRate = find("pace").value;
    go(tick);
  });
  seek.addEventListener("input", () => go(+seek.value));
  for (const button of section.querySelectorAll("[data-show-time]")) {
    button.addEventListener("click", () => {
      play(false);
      go(button.dataset.showTime * run.rate);
      find("film").scrollIntoView({ block: "nearest" });
    });
  }
  for (const bar of section.querySelectorAll("[data-first]")) bar.addEventListener("click", () => go(+bar.dataset.first));
  function speak() {
    for (const pace of find("pace").options) pace.textContent = `${(+pace.value).toLocaleString(root.lang)}×`;
    show(tick);
  }
  root.addEventListener("language", speak);
  speak();
}
