// The start page: figures and the open map, from the public API. No other origin is asked.
import { element, get, onLanguage, say } from "./shared.js";

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

function showAll() {
  for (const part of [showFigures, showMap]) {
    part().catch((fault) => document.getElementById("figures").append(element("li", fault.message)));
  }
}

// The code leads to a page of its own, whose address can be kept.
document.getElementById("track").addEventListener("submit", (event) => {
  event.preventDefault();
  location.assign(`/t/${encodeURIComponent(document.getElementById("code").value.trim())}`);
});
onLanguage(showAll);
