// What the public pages share: the language, the API, making elements.
let chosen = navigator.language.startsWith("en") ? "en" : "zh";
const listeners = [];

export const language = () => chosen;
export const say = (zh, en) => (chosen === "en" ? en : zh);

export async function get(path, options = {}) {
  let reply, body;
  try {
    reply = await fetch(`/api/v1/${path.startsWith("/") ? path.slice(1) : `public/${path}`}`, {
      ...options, headers: { "Accept-Language": chosen, ...options.headers },
    });
    body = await reply.json();
  } catch {
    // What the browser says here ("Failed to fetch") helps nobody.
    throw new Error(say("网络不通，没有发出去：请稍后再试，填写的内容还在。", "There is no connection, nothing was sent: try again later, what you wrote is kept."));
  }
  if (!reply.ok) throw new Error(body.errors ? Object.values(body.errors).flat().join(" ") : body.detail || body.title);
  return body;
}

export function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
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

document.getElementById("language").addEventListener("click", () => {
  chosen = chosen === "en" ? "zh" : "en";
  showLanguage();
});
