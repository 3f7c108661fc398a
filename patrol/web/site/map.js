// The map of the waters, drawn here from the open data: no other origin is asked. A place is [longitude, latitude].
export const svg = (name, attributes, title) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (title) {
    made.append(document.createElementNS("http://www.w3.org/2000/svg", "title"));
    made.lastChild.textContent = title;
  }
  return made;
};

const WIDTH = 1000;

export function linesOf(waters) {
  return waters.features.flatMap(({ geometry: { type, coordinates }, properties }) => {
    const parts = { LineString: [coordinates], MultiLineString: coordinates, Polygon: coordinates, MultiPolygon: coordinates.flat() }[type] || [];
    return parts.map((part) => ({ part, area: type.endsWith("Polygon"), name: properties.name }));
  });
}

// How places become points of the drawing, and back; `places` set the frame.
export function frameOf(places, margin = 20) {
  const xs = places.map(([x]) => x), ys = places.map(([, y]) => y);
  const west = Math.min(...xs), north = Math.max(...ys), squeeze = Math.cos((north * Math.PI) / 180);
  const scale = WIDTH / (Math.max((Math.max(...xs) - west) * squeeze, north - Math.min(...ys)) || 0.01);
  return {
    at: ([x, y]) => [(x - west) * squeeze * scale, (north - y) * scale],
    back: ([x, y]) => [west + x / (squeeze * scale), north - y / scale],
    metresPerUnit: 111320 / scale,
    box: [-margin, -margin, (Math.max(...xs) - west) * squeeze * scale + 2 * margin, (north - Math.min(...ys)) * scale + 2 * margin],
  };
}

export function drawn(lines, at, width = 3) {
  return lines.map(({ part, area, name }) => svg("path", {
    d: "M" + part.map((place) => at(place).map((n) => n.toFixed(1)).join(" ")).join("L") + (area ? "Z" : ""),
    class: area ? "lake" : "water", "stroke-width": width,
  }, name));
}
