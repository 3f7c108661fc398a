// The start page: figures and the open map, from the public API. No other origin is asked.
import { drawn, frameOf, linesOf, svg } from "./map.js";
import { element, get, onLanguage, say } from "./shared.js";

async function showFigures() {
  const figures = await get("statistics");
  const share = ({ numerator, denominator }) => (denominator ? `${Math.round((100 * numerator) / denominator)} % (${numerator}/${denominator})` : "–");
  const closed = figures.by_state.find(({ code }) => code === "closed")?.count ?? 0;
  const rows = [
    [figures.received, say("收到", "received")], [figures.open, say("办理中", "open")],
    [closed, say("整改、复核并结案", "put right, checked and closed")], [figures.merged, say("与同一问题合并", "merged into the same")],
    [figures.rejected, say("不予受理", "not taken up")],
    [share(figures.closed_in_time), say("按期办结", "closed in time")], [share(figures.satisfied), say("市民满意", "citizens satisfied")],
  ];
  const list = document.getElementById("figures");
  list.replaceChildren(...rows.map(([number, words]) => {
    const item = element("li");
    item.append(element("b", String(number)), words);
    return item;
  }));
}

async function showMap() {
  const [waters, issues] = await Promise.all([get("waters.geojson"), get("issues.geojson?limit=5000")]);
  const lines = linesOf(waters);
  // The waters set the frame: one report from far away must not squeeze the district into a dot.
  const shores = lines.flatMap(({ part }) => part);
  const places = shores.length ? shores : issues.features.map(({ geometry }) => geometry.coordinates);
  const map = document.getElementById("map");
  if (!places.length) { map.closest("section").hidden = true; return; }
  const frame = frameOf(places), kinds = { closed: "done", verified: "done" };
  map.setAttribute("viewBox", frame.box.join(" "));
  const dots = issues.features.map(({ geometry, properties }) => {
    const [cx, cy] = frame.at(geometry.coordinates);
    return svg(
      "circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), r: 6, class: kinds[properties.state] || "open" },
      `${properties.category_name} · ${properties.message} · ${properties.month}`,
    );
  });
  map.replaceChildren(...drawn(lines, frame.at), ...dots);
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
