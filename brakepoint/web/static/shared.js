// What every live page needs: texts in the reader's language, the switches of language and theme, and the token.
export const $ = (id) => document.getElementById(id);
export const root = document.documentElement;

// A browser that lets a page store nothing throws an error; what the reader chose then lasts as long as the page.
function storage(name) {
  try {
    return window[name];
  } catch {
    return {};
  }
}
const [kept, session] = [storage("localStorage"), storage("sessionStorage")];

const { texts, chosen_lang, asks_token, ...others } = await (await fetch("texts.json")).json();
export const facts = others;
const languages = Object.keys(texts);
const wishes = [kept.lang, chosen_lang, navigator.language];
export let lang =
  wishes.map((wish) => languages.find((one) => wish?.startsWith(one))).find(Boolean) ?? languages[0];

export const keys = (beginning) => Object.keys(texts[lang]).filter((key) => key.startsWith(beginning));
export const say = (key, values = {}) =>
  (texts[lang][key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
export const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);
export const pair = (name, value) => say("web.pair", { name, value });
export const number = (value, digits = 0) =>
  value.toLocaleString(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits });
export const percent = (value) => value.toLocaleString(lang, { style: "percent" });

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// `words` returns the trouble in the language of the moment.
let trouble = () => "";
export function complain(words = () => "") {
  trouble = words;
  tellOnce($("trouble"), words());
  $("trouble").hidden = !$("trouble").textContent;
}

// A screen reader reads out again what is only written again.
export function tellOnce(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

// Language: what a script has written itself, it writes again at the event “language” -------------------------------

export function speak() {
  root.lang = lang;
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = say(node.dataset.text);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", say(node.dataset.label));
  for (const button of languageButtons) button.setAttribute("aria-pressed", String(button.dataset.langChoice === lang));
  document.title = `Brakepoint · ${document.querySelector("h1 [data-text]").textContent}`;
  complain(trouble);
  root.dispatchEvent(new Event("language"));
  document.body.inert = false; // Until a page has its words and its script, a click would be lost.
}

const languageButtons = languages.map((one) => {
  const button = element("button", { type: "button", lang: one, textContent: texts[one]["language.name"] });
  button.dataset.langChoice = one;
  button.onclick = () => {
    lang = kept.lang = one;
    speak();
  };
  return button;
});
$("theme").before(...languageButtons);

// Theme --------------------------------------------------------------------------------------------------------------

if (kept.theme) root.dataset.theme = kept.theme;
$("theme").onclick = () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = kept.theme = dark ? "light" : "dark";
};

// Token: it came with the address, or is asked for -------------------------------------------------------------------

function keepToken(token) {
  session.token = token.replace(/[^ -~\xa0-\xff]/g, ""); // No header takes anything else, such as what a chat pastes along.
}

const inAddress = () => new URLSearchParams(location.hash.slice(1)).get("token");
if (inAddress()) {
  keepToken(inAddress());
  history.replaceState(null, "", location.pathname);
}
// A browser does not load a page again for an address that differs from the page's own in its token alone.
addEventListener("hashchange", () => inAddress() && location.reload());

let declined = false; // A page that asks by itself would put the question again every few seconds.
root.addEventListener("click", () => (declined = false), true);

const ANSWERS_WITHIN_MS = 10000;
export const answersSoon = () => AbortSignal.timeout(ANSWERS_WITHIN_MS);

export async function fetchWithToken(address, { headers, ...options } = {}) {
  if (asks_token && !session.token && !declined) {
    keepToken(prompt(say("web.token")) ?? "");
    declined = !session.token;
  }
  const token = session.token ?? "";
  const answer = await fetch(address, { headers: { ...headers, "X-Brakepoint-Token": token }, ...options });
  if (answer.status === 403 && token === session.token) delete session.token; // There may be another one by now.
  return answer;
}

// Why a server refused, in the reader's language; `otherwise` if it is not ours that answered.
export async function refusal(answer, otherwise) {
  if (answer.status === 403) return () => say("web.forbidden");
  const { detail } = await answer.json().catch(() => ({}));
  return () => detail?.[lang] ?? otherwise();
}
