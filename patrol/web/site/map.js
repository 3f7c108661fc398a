// The map of the waters as an SVG, without tiles: what the start page and the report form draw on.
const svg = (name, attributes) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
};

const WIDTH = 1000;

export function linesOf(features) {
  return features.flatMap(({ geometry: { type, coordinates }, properties }) => {
    const parts = { LineString: [coordinates], MultiLineString: coordinates, Polygon: coordinates, MultiPolygon: coordinates.flat() }[type] || [];
    return parts.map((part) => ({ part, area: type.endsWith("Polygon"), name: properties.name }));
  });
}

// Draws the lines within the frame that `places` set; returns how a place becomes a point of the drawing, and back.
export function drawWaters(map, lines, places) {
  const squeeze = Math.cos((places[0][1] * Math.PI) / 180);
  const xs = places.map(([x]) => x), ys = places.map(([, y]) => y);
  const west = Math.min(...xs), north = Math.max(...ys), south = Math.min(...ys);
  const scale = WIDTH / (Math.max((Math.max(...xs) - west) * squeeze, north - south) || 0.01);
  const at = ([x, y]) => [(x - west) * squeeze * scale, (north - y) * scale];
  const back = (x, y) => [west + x / (squeeze * scale), north - y / scale];
  const wide = Math.max((Math.max(...xs) - west) * squeeze * scale, 100), high = Math.max((north - south) * scale, 100);
  map.setAttribute("viewBox", `-20 -20 ${wide + 40} ${high + 40}`);
  const drawn = lines.map(({ part, area, name }) => {
    const path = svg("path", { d: "M" + part.map((p) => at(p).map((n) => n.toFixed(1)).join(" ")).join("L") + (area ? "Z" : ""), class: area ? "lake" : "water", "stroke-width": 3 });
    path.append(svg("title", {}));
    path.lastChild.textContent = name;
    return path;
  });
  map.replaceChildren(...drawn);
  return { at, back, metres: 111320 / scale };
}

export function dotAt([cx, cy], kind, words, r = 6) {
  const dot = svg("circle", { cx: cx.toFixed(1), cy: cy.toFixed(1), r, class: kind });
  dot.append(svg("title", {}));
  dot.lastChild.textContent = words;
  return dot;
}
