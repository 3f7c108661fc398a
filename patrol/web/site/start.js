// The start page: figures, the open map and the progress of a report, from the public API. No other origin is asked.
import { element, get, language, onLanguage, say } from "./shared.js";

async function showFigures() {
  const figures = await get("statistics");
  const share = ({ numerator, denominator }) => (denominator ? `${Math.round((100 * numerator) / denominator)} %` : "–");
  const closed = figures.by_state.find(({ code }) => code === "closed")?.count ?? 0;
  const rows = [
    [figures.received, say("收到", "received")], [figures.open, say("办理中", "open")],
    [closed, say("整改、复核并结案", "put right, checked and closed")], [figures.rejected, say("不予受理", "not taken up")],
    [share(figures.closed_in_time), say("按期办结", "closed in time")], [share(figures.satisfied), say("市民满意", "citizens satisfied")],
  ];
  const list = document.getElementById("figures");
  list.replaceChildren(...rows.map(([number, words]) => {
    const item = element("li");
    item.append(element("b", String(number)), words);
    return item;
  }));
}

const svg = (name, attributes) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

async function showMap() {
  const [waters, issues] = await Promise.all([get("waters.geojson"), get("issues.geojson?limit=5000")]);
  const lines = waters.features.flatMap(({ geometry: { type, coordinates }, properties }) => {
    const parts = { LineString: [coordinates], MultiLineString: coordinates, Polygon: coordinates, MultiPolygon: coordinates.flat() }[type] || [];
    return parts.map((part) => ({ part, area: type.endsWith("Polygon"), name: properties.name }));
  });
  // The waters set the frame: one report from far away must not squeeze the district into a dot.
  const shores = lines.flatMap(({ part }) => part);
  const places = shores.length ? shores : issues.features.map(({ geometry }) => geometry.coordinates);
  const map = document.getElementById("map");
  if (!places.length) { map.closest("section").hidden = true; return; }
  const squeeze = Math.cos((places[0][1] * Math.PI) / 180), width = 1000;
  const xs = places.map(([x]) => x), ys = places.map(([, y]) => y);
  const west = Math.min(...xs), north = Math.max(...ys);
  const scale = width / ((Math.max(...xs) - west) * squeeze || 1);
  const at = ([x, y]) => [(x - west) * squeeze * scale, (north - y) * scale];
  map.setAttribute("viewBox", `-20 -20 ${width + 40} ${(north - Math.min(...ys)) * scale + 40}`);
  const drawn = lines.map(({ part, area, name }) => {
    const path = svg("path", { d: "M" + part.map((p) => at(p).map((n) => n.toFixed(1)).join(" ")).join("L") + (area ? "Z" : ""), class: area ? "lake" : "water", "stroke-width": 3 });
    path.append(svg("title", {}));
    path.lastChild.textContent = name;
    return path;
  });
  const kinds = { closed: "done", verified: "done" };
  const dots = issues.features.map(({ geometry, properties }) => {
    const [cx, cy] = at(geometry.coordinates);
    const dot = svg("circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), r: 6, class: kinds[properties.state] || "open" });
    dot.append(svg("title", {}));
    dot.lastChild.textContent = `${properties.category_name} · ${properties.message} · ${properties.month}`;
    return dot;
  });
  map.replaceChildren(...drawn, ...dots);
}

function notFixedForm(code, until) {
  const form = element("form"), photos = element("input", "", { id: "not-fixed-photos", name: "photos", type: "file", accept: "image/*", multiple: "" });
  const fault = element("p", "", { role: "alert" });
  form.append(
    element("h3", say("没有整改到位？", "Not fixed?")),
    element("p", say(`${until} 前可以提出一次，由整改人以外的人员核实后决定。`, `You can say so once, until ${until}; somebody who did not handle it decides.`)),
    element("label", say("现在是什么情况", "How it looks now"), { for: "not-fixed" }),
    element("textarea", "", { id: "not-fixed", name: "reason", rows: "3", maxlength: "1000", required: "" }),
    element("label", say("照片(可不选)", "Photos (optional)"), { for: "not-fixed-photos" }), photos,
    element("button", say("反映未整改到位", "Say that it is not fixed"), { type: "submit" }), fault,
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new FormData();
    body.set("reason", form.elements.reason.value);
    for (const photo of [...photos.files].slice(0, 9)) body.append("photos", photo);
    try {
      await get(`complaints/${encodeURIComponent(code)}/not-fixed`, { method: "POST", body });
      document.getElementById("track").requestSubmit();
    } catch (refused) {
      fault.textContent = refused.message;
    }
  });
  return form;
}

async function showProgress(event) {
  event.preventDefault();
  const box = document.getElementById("progress");
  const code = document.getElementById("code").value.trim();
  try {
    const found = await get(`complaints/${encodeURIComponent(code)}`);
    const when = (text) => new Date(text).toLocaleString(language() === "en" ? "en" : "zh-CN", { dateStyle: "medium", timeStyle: "short" });
    const steps = element("ol", "", { class: "steps" });
    for (const step of found.steps) {
      const item = element("li", step.text);
      item.append(element("time", when(step.at), { datetime: step.at }));
      steps.append(item);
    }
    const photos = element("div", "", { class: "photos" });
    for (const photo of found.photos.filter(({ ready }) => ready)) {
      photos.append(element("img", "", { src: photo.screen, alt: photo.kind === "after" ? say("整改后", "after") : say("整改前", "before"), loading: "lazy" }));
    }
    const parts = [element("h3", `${found.number} · ${found.category.name} · ${found.state_name}`), element("p", found.message)];
    if (found.public_summary) parts.push(element("p", found.public_summary));
    if (found.rejection) parts.push(element("p", `${found.rejection.ground}: ${found.rejection.reason}`));
    if (found.due_at) parts.push(element("p", `${say("应于此前办结", "Due by")} ${when(found.due_at)}`));
    if (found.reopening) {
      const { reason, message, decision } = found.reopening;
      parts.push(element("p", `${say("您说", "You said")}: ${reason}`), element("p", message));
      if (decision) parts.push(element("p", decision));
    }
    box.replaceChildren(...parts, steps, photos, ...(found.can_say_not_fixed ? [notFixedForm(code, found.not_fixed_until)] : []));
  } catch (fault) {
    box.replaceChildren(element("p", fault.message, { role: "alert" }));
  }
}

function showAll() {
  for (const part of [showFigures, showMap]) {
    part().catch((fault) => document.getElementById("figures").append(element("li", fault.message)));
  }
}

document.getElementById("track").addEventListener("submit", showProgress);
onLanguage(showAll);
const tracked = location.pathname.match(/^\/t\/(.+)$/);
if (tracked) {
  document.getElementById("code").value = decodeURIComponent(tracked[1]);
  document.getElementById("track").requestSubmit();
}
