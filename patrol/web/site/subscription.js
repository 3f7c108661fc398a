// What a link in a message opens: it asks before anything is ended or begun, since mail scanners open links too.
import { element, get, onLanguage, say } from "./shared.js";

const [, token, wanted] = location.pathname.match(/^\/u\/([^/]+)(\/confirm)?$/) ?? [];
const box = document.getElementById("outcome");
let known = null;

function show() {
  if (!known) return;
  const { number, state } = known;
  const words = {
    ended: say(`问题 ${number} 的消息已停止，不会再发送。`, `There will be no more messages about ${number}.`),
    on: say(`已确认：问题 ${number} 有进展时会告知您。每条消息里都有退订链接。`, `Confirmed: you will be told of each turn of ${number}. Each message has a link that ends them.`),
    unconfirmed: say(`要在问题 ${number} 有进展时收到消息吗？`, `Do you want to be told of each turn of ${number}?`),
  }[state];
  const ending = !wanted && state !== "ended";
  const question = say(`不再接收问题 ${number} 的消息？`, `Receive no more messages about ${number}?`);
  box.replaceChildren(element("p", ending ? question : words, { class: "state" }));
  if (ending) box.append(button(say("退订", "No more messages"), "/end"));
  else if (state === "unconfirmed") box.append(button(say("是的，请告知我", "Yes, tell me"), "/confirm"));
}

function button(words, path) {
  const made = element("button", words, { type: "button" });
  made.addEventListener("click", () => act(path, "POST"));
  return made;
}

async function act(path, method) {
  try {
    known = await get(`subscriptions/${token}${path}`, { method });
    show();
  } catch (fault) {
    box.replaceChildren(element("p", fault.message, { role: "alert" }));
  }
}

onLanguage(show);
act("", "GET");
