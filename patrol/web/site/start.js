// The start page: figures and the open map, from the public API. No other origin is asked.
import { dotAt, drawWaters, linesOf } from "./map.js";
import { element, get, onLanguage, say } from "./shared.js";

async function showFigures() {
  const figures = await get("statistics");
  const share = ({ numerator, denominator }) => (denominator ? `${Math.round((100 * numerator) / denominator)} % (${numerator}/${denominator})` : "–");
  const closed = figures.by_state.find(({ code }) => code === "closed")?.count ?? 0;
  const rows = [
    [figures.received, say("收到", "received")], [figures.open, say("办理中", "open")],
    [closed, say("整改、复核并结案", "put right, checked and closed")], [figures.rejected, say("不予受理", "not taken up")],
    [figures.merged, say("与同一问题合并办理", "dealt with together with the same")], [figures.also_reported, say("“我也遇到”和重复反映", "me too and repeated reports")],
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
  const lines = linesOf(waters.features);
  // The waters set the frame: one report from far away must not squeeze the district into a dot.
  const shores = lines.flatMap(({ part }) => part);
  const places = shores.length ? shores : issues.features.map(({ geometry }) => geometry.coordinates);
  const map = document.getElementById("map");
  map.closest("section").hidden = !places.length;
  if (!places.length) return;
  const { at } = drawWaters(map, lines, places);
  const kinds = { closed: "done", verified: "done" };
  map.append(...issues.features.map(({ geometry, properties }) => dotAt(
    at(geometry.coordinates), kinds[properties.state] || "open", `${properties.category_name} · ${properties.message} · ${properties.month}`)));
}

function showAll() {
  for (const part of [showFigures, showMap]) {
    part().catch((fault) => document.getElementById("figures").append(element("li", fault.message)));
  }
}
onLanguage(showAll);
