// What the public pages share: the language, the API, making elements.
// As the server wrote the page: it knows what was chosen before, or what the browser asks for.
let chosen = document.documentElement.lang === "en" ? "en" : "zh";
const listeners = [];

export const language = () => chosen;
export const say = (zh, en) => (chosen === "en" ? en : zh);

// What somebody typed into the address may be no encoding of anything.
export function decoded(text) {
  try { return decodeURIComponent(text); } catch { return text; }
}

const wordsIn = (faults) => (typeof faults === "string" ? [faults] : Object.values(faults ?? {}).flatMap(wordsIn));

export async function get(path, options = {}) {
  let reply, body;
  try {
    reply = await fetch(`/api/v1/${path.startsWith("/") ? path.slice(1) : `public/${path}`}`, {
      ...options, headers: { "Accept-Language": chosen, ...options.headers },
    });
    body = await reply.json();
  } catch {
    throw new Error(say("连不上服务器，请检查网络后再试。", "The server cannot be reached: check your connection and try again."));
  }
  if (reply.ok) return body;
  const fields = Object.entries(body.errors ?? {}).map(([name, words]) => [name, wordsIn(words).join(" ")]);
  // Two fields may have the same fault, as latitude and longitude do; it is said once.
  const fault = new Error([...new Set(fields.map(([, words]) => words))].join(" ") || body.detail || body.title);
  fault.status = reply.status;
  fault.fields = Object.fromEntries(fields);
  throw fault;
}

export function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// The district's clock, wherever the reader is.
export const inZone = (text, options) => new Date(text).toLocaleString(chosen === "en" ? "en-GB" : "zh-CN", { timeZone: document.documentElement.dataset.timezone, ...options });
export const day = (text) => inZone(text, { dateStyle: "long" });
// A due date is the first moment that is too late: what people call the last day lies before it.
export const lastDay = (text) => day(new Date(new Date(text).getTime() - 1000).toISOString());

export function row(name, text) {
  const line = element("p", "", { class: "fact" });
  line.append(element("span", name), text);
  return line;
}

// Many posts say their place themselves.
export const postOf = ({ title, region }) => (title.startsWith(region) ? title : `${region} ${title}`);

function showLanguage() {
  document.documentElement.lang = chosen;
  for (const node of document.querySelectorAll("[data-zh]")) node.textContent = node.dataset[chosen];
  document.getElementById("language").textContent = say("English", "中文");
  for (const listener of listeners) listener();
}

export function onLanguage(listener) {
  listeners.push(listener);
  showLanguage();
}

const changer = document.getElementById("language");
changer.hidden = false;
changer.addEventListener("click", () => {
  chosen = chosen === "en" ? "zh" : "en";
  document.cookie = `language=${chosen}; path=/; max-age=31536000; samesite=lax`;
  showLanguage();
});
