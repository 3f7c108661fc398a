// The citizen's form, from the QR code on a board or without one: what, where, photos, and nothing that need not be said.
import { dotAt, drawWaters, linesOf } from "./map.js";
import { sha256 } from "./sha256.js";
import { day, decoded, element, get, lastDay, onLanguage, postOf, row, say } from "./shared.js";

let board = location.pathname.match(/^\/b\/(.+?)\/*$/)?.[1];
const form = document.getElementById("report");
document.getElementById("report-box").hidden = false;
const place = document.getElementById("place");
const KEPT = "xunhe-report";
// A contact is not kept: others may use the same phone.
const TYPED = ["category", "description"];
const kept = recall();
// Made once and kept with what was typed, so that sending again after a lost answer is the same report.
const id = kept.id ?? newId();
let position = kept.position ?? null;

// Browsers give `randomUUID` to secure origins only.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function recall() {
  try {
    const draft = JSON.parse(localStorage.getItem(KEPT)) ?? {};
    // What was begun at another board says nothing of this one.
    return draft.board === board ? draft : {};
  } catch { return {}; }
}

function keep() {
  const typed = Object.fromEntries(TYPED.map((name) => [name, form.elements[name].value]));
  try { localStorage.setItem(KEPT, JSON.stringify({ id, position, board, ...typed })); } catch { /* A private window keeps nothing. */ }
}

function hex(buffer) {
  return [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function showBoard() {
  if (!board) return;
  try {
    const found = await get(`boards/${board}`);
    document.getElementById("board").replaceChildren(
      element("h2", `${found.water_body.name} · ${found.reach.name}`),
      element("p", [found.office.name, ...found.posts.map(postOf)].join(" · ")),
    );
    boardPlace = [found.longitude, found.latitude];
    document.getElementById("board-legend").hidden = false;
    showMap();
    // Without a position the board's place counts, for what was reported nearby as well.
    suggest().catch(() => {});
  } catch (fault) {
    // A board that is gone or mistyped must not keep anybody from reporting: the place is asked for instead.
    if (fault.status === 404) {
      board = undefined;
      document.getElementById("find-board").hidden = false;
      showPlace();
    }
    document.getElementById("board").replaceChildren(element("p", fault.message, { role: "alert" }));
  }
}

// What the official headings mean, by an example or two that everybody knows.
const PLAINLY = {
  A1: ["围河、种树、拉网", "fields, trees or nets in the water"], A2: ["挖沙、取土", "digging of sand or soil"],
  A3: ["倒垃圾、堆东西", "rubbish and heaps"], A4: ["在岸边乱搭乱建", "sheds and houses on the bank"],
  B: ["水发黑、有臭味、排污口", "black or smelly water, outfalls"], C: ["漂着的、岸上的垃圾", "litter on water or bank"],
  D: ["堤岸、水闸、牌子坏了", "broken dikes, sluices and boards"], E: ["偷水、电鱼毒鱼、断流", "taken water, poisoned fish, dry rivers"],
  F: ["河长联系不上、弄虚作假", "a chief who cannot be reached, or pretends"],
};

async function showCategories() {
  const { items } = await get("/categories");
  const select = form.elements.category;
  // Nothing is chosen ahead: whoever overlooks the list would report the first kind of trouble.
  const chosen = select.options.length ? select.value : kept.category ?? "";
  const shown = items.filter((item) => item.public && !item.is_heading), groups = new Map(), parts = [element("option", say("请选择", "Choose"), { value: "" })];
  for (const { code, name, parent } of shown) {
    const option = element("option", name, { value: code });
    if (!parent) { parts.push(option); continue; }
    if (!groups.has(parent)) {
      const heading = items.find((item) => item.code === parent).name, [zh, en] = PLAINLY[parent] ?? [];
      groups.set(parent, element("optgroup", "", { label: zh ? `${heading}${say("：", ": ")}${say(zh, en)}` : heading }));
      parts.push(groups.get(parent));
    }
    groups.get(parent).append(option);
  }
  select.replaceChildren(...parts);
  select.value = chosen;
  suggest().catch(() => {});
}

function showPlace() {
  if (position) place.textContent = say(`已有位置，误差约 ${Math.round(position.accuracy_m)} 米`, `Placed, within about ${Math.round(position.accuracy_m)} m`);
  else place.textContent = board ? say("不定位则按公示牌的位置", "Without a position the board's place counts") : say("请定位，或在下面选河段、在地图上点选", "Locate yourself, or choose a stretch and tap the map below");
}

document.getElementById("locate").addEventListener("click", () => {
  if (!navigator.geolocation || !window.isSecureContext) { place.textContent = noFix(); return; }
  place.textContent = say("正在定位…", "Locating…");
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    take({ latitude: coords.latitude, longitude: coords.longitude, accuracy_m: Math.min(coords.accuracy, 100000) });
  }, () => { place.textContent = noFix(); }, { enableHighAccuracy: true, timeout: 20000 });
});

const noFix = () => say("无法定位。请在下面选择河段，并在地图上点出位置。", "No position here. Choose a stretch below and tap the place on the map.");

function take(found) {
  position = found;
  showPlace();
  mark();
  keep();
  suggest().catch(() => {});
}

// The map without a position of the device: a stretch chosen from the list, then a tap.
const map = document.getElementById("map"), stretch = document.getElementById("stretch");
let waters = [], frame = null, boardPlace = null;
// About a kilometre to each side of the board.
const AROUND = 0.01;

function mark() {
  for (const dot of map.querySelectorAll("circle")) dot.remove();
  if (frame && boardPlace) map.append(dotAt(frame.at(boardPlace), "board", say("公示牌", "The signboard"), 20));
  if (frame && position) map.append(dotAt(frame.at([position.longitude, position.latitude]), "open", place.textContent, 20));
}

// Frames the chosen stretch, else the surroundings of the board, else all waters; returns the places that set the frame.
function showMap() {
  const [x, y] = boardPlace ?? [];
  const shores = () => linesOf(stretch.value ? [waters[stretch.value]] : waters).flatMap(({ part }) => part);
  const places = boardPlace && !stretch.value ? [[x - AROUND, y - AROUND], [x + AROUND, y + AROUND]] : shores();
  map.parentElement.hidden = !waters.length || !places.length;
  if (map.parentElement.hidden) return [];
  frame = drawWaters(map, linesOf(waters), places);
  mark();
  return places;
}

async function showStretches() {
  ({ features: waters } = await get("waters.geojson"));
  const chosen = stretch.value, groups = new Map();
  waters.forEach(({ properties: { name, water_body: body } }, index) => {
    if (!groups.has(body)) groups.set(body, element("optgroup", "", { label: body }));
    groups.get(body).append(element("option", name, { value: index }));
  });
  stretch.replaceChildren(element("option", say("（未选择）", "(none)"), { value: "" }), ...groups.values());
  stretch.value = chosen;
  showMap();
}

stretch.addEventListener("change", () => {
  const places = showMap();
  if (!stretch.value || !places.length) return;
  // The middle of a stretch, as uncertain as the stretch is long, until somebody taps the place.
  const [longitude, latitude] = places[Math.floor(places.length / 2)], box = map.viewBox.baseVal;
  take({ latitude, longitude, accuracy_m: Math.round((frame.metres * Math.max(box.width, box.height)) / 2) });
});

map.addEventListener("click", (event) => {
  if (!frame) return;
  const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(map.getScreenCTM().inverse());
  const [longitude, latitude] = frame.back(x, y);
  // A finger is about ten points wide.
  take({ latitude, longitude, accuracy_m: Math.max(10, Math.round((frame.metres * 10) / map.getScreenCTM().a)) });
});

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));

const digest = (message) => (crypto.subtle ? crypto.subtle.digest("SHA-256", message) : sha256(message));

async function solution() {
  const { required, parameters, signature, largest_number: largest } = await get("challenge");
  if (!required) return null;
  const salt = bytes(parameters.salt), nonce = bytes(parameters.nonce);
  const tried = new Uint8Array(salt.length + nonce.length + 4);
  tried.set(salt);
  tried.set(nonce, salt.length);
  const counters = new DataView(tried.buffer, salt.length + nonce.length);
  for (let counter = 0; counter <= largest; counter += 1) {
    counters.setUint32(0, counter);
    const derivedKey = hex(await digest(tried));
    if (derivedKey.startsWith(parameters.keyPrefix)) {
      return btoa(JSON.stringify({ challenge: { parameters, signature }, solution: { counter, derivedKey } }));
    }
  }
  throw new Error(say("验证失败，请重试", "The check failed: try again"));
}

const CONTACT = ["email", "phone"];

function contact({ elements } = form) {
  // Only what messages can be sent to is asked of a follower.
  const left = CONTACT.filter((name) => elements[name]).map((name) => [name, elements[name].value.trim()]).filter(([, text]) => text);
  return left.length ? Object.fromEntries(left) : null;
}

// What may be the same trouble is offered before sending: following it spares everybody a second case.
async function suggest() {
  const near = document.getElementById("near");
  near.replaceChildren();
  const [longitude, latitude] = position ? [position.longitude, position.latitude] : boardPlace ?? [];
  const category = form.elements.category.value;
  if (latitude === undefined || !category) return;
  const query = new URLSearchParams({ latitude, longitude, category });
  const { items } = await get(`nearby?${query}`);
  if (!items.length) return;
  const list = element("ul", "", { class: "near" });
  for (const found of items) {
    const item = element("li", `${found.number} · ${day(found.received_at)} · ${found.category_name} · ${say(`约 ${found.distance_m} 米`, `about ${found.distance_m} m`)} · ${found.message}`);
    const photos = element("div", "", { class: "photos" });
    for (const { screen } of found.photos.slice(0, 2)) photos.append(element("img", "", { src: screen, alt: found.category_name, loading: "lazy" }));
    item.append(photos);
    list.append(item);
    if (!found.open) {
      item.append(element("p", say("这件已经办结；如果又出现了，请在下面直接提交，系统会与它关联。", "This one is closed: if the trouble is back, send your report below, and it is linked with it."), { class: "hint" }));
      continue;
    }
    const follow = element("button", say("就是这个，我来关注", "This is it: follow it"), { type: "button" });
    follow.addEventListener("click", () => askToFollow(found.number));
    item.append(follow);
  }
  near.replaceChildren(
    element("h3", say("附近已有人反映，是同一个问题吗？", "Reported nearby: is it the same?")),
    list,
  );
}

// Following asks for the contact first, with what was typed in the form already.
const dialog = document.getElementById("follow"), asked = dialog.querySelector("form");
let followed = null;

function askToFollow(number) {
  followed = number;
  document.getElementById("follow-title").textContent = say(`关注 ${number}`, `Follow ${number}`);
  for (const name of CONTACT.filter((one) => asked.elements[one])) asked.elements[name].value ||= form.elements[name].value;
  asked.querySelector("[role=alert]").textContent = "";
  dialog.showModal();
}

document.getElementById("follow-back").addEventListener("click", () => dialog.close());

asked.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = asked.querySelector("button[type=submit]"), left = contact(asked);
  button.disabled = true;
  try {
    const body = { challenge: await solution(), ...(left ? { contact: left } : {}) };
    finish(say("已关注", "Following"), await get(`issues/${followed}/follow`, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }));
    dialog.close();
  } catch (fault) {
    asked.querySelector("[role=alert]").textContent = fault.message;
  } finally {
    button.disabled = false;
  }
});

function finish(done, answer, photos = 0) {
  try { localStorage.removeItem(KEPT); } catch { /* Nothing was kept. */ }
  form.hidden = true;
  const code = element("b", answer.tracking_code, { class: "code" });
  const copy = element("button", say("复制查询码", "Copy the code"), { type: "button" });
  copy.addEventListener("click", async () => { copy.textContent = await copied(code) ? say("已复制", "Copied") : say("请长按查询码复制", "Press the code to copy it"); });
  const facts = [];
  if (photos) facts.push(element("p", say(`已收到 ${photos} 张照片`, photos === 1 ? "1 photo received" : `${photos} photos received`)));
  if (answer.due_at) facts.push(row(say("期限", "Due by"), lastDay(answer.due_at)));
  if (answer.office) facts.push(row(say("受理单位", "Office"), answer.office.name));
  if (answer.reach) facts.push(row(say("河段", "Reach"), answer.reach.name));
  document.getElementById("outcome").replaceChildren(
    element("h2", done), row(say("查询码", "Tracking code"), code), copy, element("p", answer.message), ...facts, element("a", say("查看进度", "See the progress"), { href: `/t/${answer.tracking_code}` }),
  );
}

// Browsers give the clipboard to secure origins only; elsewhere the selected text is copied.
async function copied(node) {
  try { await navigator.clipboard.writeText(node.textContent); return true; } catch { /* The other way follows. */ }
  getSelection().selectAllChildren(node);
  try { return document.execCommand("copy"); } catch { return false; }
}

// A fault stands at its field, in plain words; what belongs to no field stands below the form.
function showFault(fault) {
  form.querySelectorAll(".fault").forEach((node) => node.remove());
  const rest = [];
  for (const [name, words] of Object.entries(fault.fields ?? {})) {
    const field = /latitude|longitude|accuracy|datum/.test(name) ? stretch : form.elements[name.split(".").pop()];
    if (!(field instanceof HTMLElement)) rest.push(words);
    else if (field.nextElementSibling?.textContent !== words) field.after(element("p", words, { class: "fault", role: "alert" }));
  }
  form.querySelector(".fault")?.scrollIntoView({ block: "center" });
  const said = fault.fields && Object.keys(fault.fields).length ? rest.join(" ") : fault.message;
  const again = say("您填的内容已保留在本机，可以再次提交；离开本页后照片要重选。", "What you typed is kept on this device and can be sent again; photos must be chosen again once you leave the page.");
  document.getElementById("outcome").replaceChildren(element("p", said, { role: "alert" }), element("p", again, { class: "hint" }));
}

// The browser would say in its own language what is missing.
function missing() {
  const fields = {};
  if (!form.elements.category.value) fields.category = say("请选择是什么问题。", "Please choose what it is.");
  if (!form.elements.description.value.trim()) fields.description = say("请写明是什么情况。", "Please say what it is.");
  if (!position && !board) fields.latitude = say("请定位，或选择河段并在地图上点出位置。", "Give the place: locate yourself, or choose a stretch and tap the map.");
  return Object.keys(fields).length ? Object.assign(new Error(""), { fields }) : null;
}

async function send(event) {
  event.preventDefault();
  keep();
  const lacking = missing();
  if (lacking) { showFault(lacking); return; }
  const outcome = document.getElementById("outcome"), button = form.querySelector("button[type=submit]");
  button.disabled = true;
  outcome.replaceChildren(element("p", say("正在发送…", "Sending…")));
  try {
    const body = new FormData();
    body.set("id", id);
    for (const name of ["category", "description"]) body.set(name, form.elements[name].value);
    const photos = [...form.elements.photos.files].slice(0, 9);
    for (const photo of photos) body.append("photos", photo);
    if (contact()) body.set("contact", JSON.stringify(contact()));
    if (board) body.set("board_code", decoded(board));
    for (const [name, value] of Object.entries(position ?? {})) body.set(name, value);
    const solved = await solution();
    if (solved) body.set("challenge", solved);
    finish(say("已提交", "Sent"), await get("complaints", { method: "POST", body }), photos.length);
  } catch (fault) {
    showFault(fault);
  } finally {
    button.disabled = false;
  }
}

form.addEventListener("submit", send);
for (const name of TYPED.slice(1)) form.elements[name].value = kept[name] ?? "";
form.addEventListener("input", keep);
// Suggestions are a help: when they fail, the report can still be sent.
form.elements.category.addEventListener("change", () => suggest().catch(() => {}));
onLanguage(() => {
  showBoard();
  showPlace();
  showStretches().catch(() => { map.parentElement.hidden = true; });
  showCategories().catch((fault) => document.getElementById("outcome").replaceChildren(element("p", fault.message, { role: "alert" })));
});
