// Says whether a case file is genuine: by the issue and hash in the address (its QR code), or by the file itself.
import { element, get, onLanguage, say } from "./shared.js";

const outcome = document.getElementById("outcome"), file = document.getElementById("file");
const [, , issue, hash] = location.pathname.split("/");

async function show(asked) {
  document.getElementById("answer").hidden = false;
  try {
    const { genuine, number, text, facts } = await asked;
    outcome.replaceChildren(element("h2", genuine ? say("核验通过", "Genuine") : say("核验不通过", "Not genuine")), element("p", number || ""), element("p", text));
    for (const { label, value } of facts ?? []) {
      const line = element("p", "", { class: "fact" });
      line.append(element("span", label), value);
      outcome.append(line);
    }
  } catch (error) {
    // Only of a printed hash that was never written is anything said against the case file itself.
    const title = error.status === 404 ? say("核验不通过", "Not genuine") : say("未能核验", "Not verified");
    outcome.replaceChildren(element("h2", title), element("p", error.message));
  }
}

function upload() {
  const form = new FormData();
  form.append("file", file.files[0]);
  return get("/case-files/verify", { method: "POST", body: form });
}

const ask = () => {
  if (file.files.length) show(upload());
  else if (hash) show(get(`/case-files/${encodeURIComponent(issue)}/${encodeURIComponent(hash)}`));
};
file.addEventListener("change", ask);
onLanguage(ask);
