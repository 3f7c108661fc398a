// The citizen's form, from the QR code on a board or without one: what, where, photos, and nothing that need not be said.
import { drawn, frameOf, linesOf, svg } from "./map.js";
import { element, get, language, onLanguage, postOf, say } from "./shared.js";

const board = location.pathname.match(/^\/b\/(.+)$/)?.[1];
const form = document.getElementById("report");
const place = document.getElementById("place");
// What was typed survives a closed page or a lost signal on this phone, until it is sent; photos and contact are not kept.
// The id is made once, so that sending again after a lost answer is the same report.
const KEPT = "xunhe-report";
const kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
const id = kept.id ?? crypto.randomUUID();
let position = kept.position ?? null;

function keep() {
  const { category, description } = form.elements;
  localStorage.setItem(KEPT, JSON.stringify({ id, category: category.value, description: description.value, position }));
}

async function showBoard() {
  if (!board) return;
  try {
    const found = await get(`boards/${board}`);
    document.getElementById("board").replaceChildren(
      element("h2", `${found.water_body.name} · ${found.reach.name}`),
      element("p", [found.office.name, ...found.posts.map(postOf)].join(" · ")),
    );
  } catch (fault) {
    document.getElementById("board").replaceChildren(element("p", fault.message, { role: "alert" }));
  }
}

async function showCategories() {
  const { items } = await get("/categories");
  const select = form.elements.category;
  const before = select.value || kept.category;
  const shown = items.filter((row) => row.public && !row.is_heading);
  select.replaceChildren(...shown.map(({ code, name }) => element("option", name, { value: code })));
  select.value = before || "C1";
}

function showPlace() {
  if (position?.chosen) place.textContent = say("已在地图上选点", "Chosen on the map");
  else if (position) place.textContent = say(`已定位，误差约 ${Math.round(position.accuracy_m)} 米`, `Located, within about ${Math.round(position.accuracy_m)} m`);
  else place.textContent = board ? say("不定位则按公示牌的位置", "Without a position the board's place counts") : say("请先定位，或在地图上选点", "Please give the position, or choose it on the map");
}

document.getElementById("locate").addEventListener("click", () => {
  place.textContent = say("正在定位…", "Locating…");
  if (!navigator.geolocation) { noPosition(); return; }
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    position = { latitude: coords.latitude, longitude: coords.longitude, accuracy_m: coords.accuracy };
    placeKnown();
  }, noPosition, { enableHighAccuracy: true, timeout: 20000 });
});

function noPosition() {
  place.textContent = say("无法定位：请在下面的地图上选点", "No position: please choose it on the map below");
  document.getElementById("choosing").open = true;
}

function placeKnown() {
  keep();
  showPlace();
  showMark();
  suggest().catch(() => {});
}

// The map to choose a place on: first the district, then the water that was chosen.
const map = document.getElementById("map"), water = document.getElementById("water");
let lines = null, frame = null;

async function showMap() {
  lines ??= linesOf(await get("waters.geojson"));
  if (!water.options.length) {
    const names = [...new Set(lines.map(({ name }) => name))].sort((one, other) => one.localeCompare(other, "zh"));
    water.replaceChildren(element("option", say("全部", "All"), { value: "" }), ...names.map((name) => element("option", name, { value: name })));
  }
  const shown = lines.filter(({ name }) => !water.value || name === water.value);
  if (!shown.length) return;
  frame = frameOf(shown.flatMap(({ part }) => part), 60);
  map.setAttribute("viewBox", frame.box.join(" "));
  map.replaceChildren(...drawn(lines, frame.at, 5));
  showMark();
}

function showMark() {
  map.querySelector(".mark")?.remove();
  if (!frame || !position) return;
  const [cx, cy] = frame.at([position.longitude, position.latitude]);
  map.append(svg("circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), r: 14, class: "open mark" }));
}

map.addEventListener("click", (event) => {
  if (!frame) return;
  const matrix = map.getScreenCTM(), { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
  const [longitude, latitude] = frame.back([x, y]);
  // A finger covers about twenty pixels.
  const accuracy = Math.max(20, (20 / matrix.a) * frame.metresPerUnit);
  position = { latitude: Number(latitude.toFixed(6)), longitude: Number(longitude.toFixed(6)), accuracy_m: Math.round(Math.min(accuracy, 1000)), chosen: true };
  placeKnown();
});
water.addEventListener("change", () => showMap().catch(() => {}));
document.getElementById("choosing").addEventListener("toggle", () => showMap().catch((fault) => { place.textContent = fault.message; }));

const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

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
    const derivedKey = hex(await crypto.subtle.digest("SHA-256", tried));
    if (derivedKey.startsWith(parameters.keyPrefix)) {
      return btoa(JSON.stringify({ challenge: { parameters, signature }, solution: { counter, derivedKey } }));
    }
  }
  throw new Error(say("验证失败，请重试", "The check failed: try again"));
}

function contact() {
  const left = ["email", "phone"].map((name) => [name, form.elements[name].value.trim()]).filter(([, text]) => text);
  return left.length ? Object.fromEntries(left) : null;
}

// What may be the same trouble is offered before sending: following it spares everybody a second case.
async function suggest() {
  const near = document.getElementById("near");
  near.replaceChildren();
  if (!position) return;
  const query = new URLSearchParams({ latitude: position.latitude, longitude: position.longitude, category: form.elements.category.value });
  const { items } = await get(`nearby?${query}`);
  if (!items.length) return;
  const list = element("ul", "", { class: "near" });
  for (const found of items) {
    const day = new Date(found.received_at).toLocaleDateString(language() === "en" ? "en-GB" : "zh-CN");
    const item = element("li", `${found.number} · ${day} · ${found.category_name} · ${say(`约 ${found.distance_m} 米`, `about ${found.distance_m} m`)} · ${found.message}`);
    const photos = element("div", "", { class: "photos" });
    for (const { screen } of found.photos.slice(0, 2)) photos.append(element("img", "", { src: screen, alt: found.category_name, loading: "lazy" }));
    const follow = element("button", say("就是这个，我来关注", "This is it: follow it"), { type: "button" });
    follow.addEventListener("click", () => followInstead(found.number, follow));
    item.append(photos, follow);
    list.append(item);
  }
  near.replaceChildren(
    element("h3", say("附近已有人反映，是同一个问题吗？", "Reported nearby: is it the same?")),
    element("p", say("关注后会得到一个查询码；想收到进展消息，请先在下面填写联系方式。", "Following gives you a tracking code; to be told of each turn, leave a contact below first."), { class: "hint" }),
    list,
  );
}

async function followInstead(number, button) {
  const outcome = document.getElementById("outcome");
  button.disabled = true;
  try {
    const body = { challenge: await solution() };
    if (contact()) body.contact = contact();
    finish(await get(`issues/${number}/follow`, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }));
  } catch (fault) {
    outcome.replaceChildren(element("p", fault.message, { role: "alert" }));
    button.disabled = false;
  }
}

function finish(answer) {
  localStorage.removeItem(KEPT);
  form.hidden = true;
  document.getElementById("outcome").replaceChildren(
    element("h2", answer.tracking_code, { class: "code" }), element("p", answer.message),
    element("a", say("查看进度", "See the progress"), { href: `/t/${answer.tracking_code}` }),
  );
}

async function send(event) {
  event.preventDefault();
  const outcome = document.getElementById("outcome"), button = form.querySelector("button[type=submit]");
  if (!position && !board) {
    outcome.replaceChildren(element("p", say("还没有位置：请点“定位”，或在地图上选点。", "There is no position yet: tap “Locate me”, or choose it on the map."), { role: "alert" }));
    document.getElementById("choosing").open = true;
    return;
  }
  button.disabled = true;
  outcome.replaceChildren(element("p", say("正在发送…", "Sending…")));
  try {
    const body = new FormData();
    body.set("id", id);
    for (const name of ["category", "description"]) body.set(name, form.elements[name].value);
    for (const photo of [...form.elements.photos.files].slice(0, 9)) body.append("photos", photo);
    if (contact()) body.set("contact", JSON.stringify(contact()));
    if (board) body.set("board_code", decodeURIComponent(board));
    for (const name of ["latitude", "longitude", "accuracy_m"]) if (position) body.set(name, position[name]);
    const solved = await solution();
    if (solved) body.set("challenge", solved);
    finish(await get("complaints", { method: "POST", body }));
  } catch (fault) {
    outcome.replaceChildren(element("p", fault.message, { role: "alert" }));
  } finally {
    button.disabled = false;
  }
}

form.elements.description.value = kept.description ?? "";
form.addEventListener("input", keep);
form.addEventListener("submit", send);
// Suggestions are a help: when they fail, the report can still be sent.
form.elements.category.addEventListener("change", () => suggest().catch(() => {}));
onLanguage(() => {
  showBoard();
  showPlace();
  showCategories().catch((fault) => document.getElementById("outcome").replaceChildren(element("p", fault.message, { role: "alert" })));
});
