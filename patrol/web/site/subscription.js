// What a link in a message opens: one button ends the messages, or lets them begin. Mail scanners open links, too: looking changes nothing.
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
    leave: say(`不再接收问题 ${number} 的进展消息吗？`, `Shall there be no more messages about ${number}?`),
    unconfirmed: say(`要在问题 ${number} 有进展时收到消息吗？`, `Do you want to be told of each turn of ${number}?`),
  };
  const leaving = !wanted && state !== "ended";
  box.replaceChildren(element("p", words[leaving ? "leave" : state], { class: "state" }));
  if (leaving) {
    const button = element("button", say("停止发送", "Stop the messages"), { type: "button" });
    button.addEventListener("click", () => act("/end", "POST"));
    box.append(button);
  } else if (state === "unconfirmed") {
    const button = element("button", say("是的，请告知我", "Yes, tell me"), { type: "button" });
    button.addEventListener("click", () => act("/confirm", "POST"));
    box.append(button);
  }
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
