// How one case stands, by its tracking code: what happened, what comes next, and what its complainant can say to it.
import { day, decoded, element, get, inZone, lastDay, onLanguage, postOf, row, say } from "./shared.js";

// As the server reads it: a slash counts as a stray hyphen.
const code = decoded(location.pathname.replace(/^\/t\//, "")).replace(/\//g, "-");
const path = `complaints/${encodeURIComponent(code)}`;
const { days } = document.documentElement.dataset;
const part = (id) => document.getElementById(id);

const when = (text) => inZone(text, { dateStyle: "medium", timeStyle: "short" });

function showCase(found) {
  const parts = [
    element("h2", found.state_name, { class: "state" }), element("p", found.message),
    row(say("编号", "Number"), `${found.number} · ${found.category.name}`),
  ];
  if (found.description) parts.push(row(say("您的反映", "You wrote"), found.description));
  if (found.reach) parts.push(row(say("河段", "Reach"), found.reach.name));
  parts.push(row(say("受理单位", "Office"), found.office.name));
  if (found.post) parts.push(row(say("责任人", "In charge"), postOf(found.post)));
  if (found.due_at) parts.push(row(say("期限", "Due by"), `${lastDay(found.due_at)}${found.overdue ? say("（已超期）", " (overdue)") : ""}`));
  if (found.merged_into) parts.push(element("p", found.merged_into.message));
  if (found.also_reported) parts.push(element("p", say(`另有 ${found.also_reported} 人反映同一问题。`, `Also reported by ${found.also_reported} ${found.also_reported === 1 ? "other" : "others"}.`)));
  if (found.rejection) parts.push(row(say("不予受理的原因", "Why not"), `${found.rejection.ground}${say("：", ": ")}${found.rejection.reason}`));
  if (found.public_summary) parts.push(row(say("办理结果", "Result"), found.public_summary));
  if (found.messages === "unconfirmed") parts.push(element("p", say("请打开发给您的消息中的链接确认，之后有进展会告知您。", "Open the link in the message sent to you: then you will be told of each turn.")));
  if (found.messages === "on") parts.push(element("p", say("有进展时会发消息告知您。", "You will be told of each turn.")));
  part("case").replaceChildren(...parts, photosOf(found));
}

function photosOf(found) {
  const photos = element("div", "", { class: "photos" });
  for (const { kind_name: name, screen } of found.photos.filter(({ ready }) => ready)) {
    const figure = element("figure");
    figure.append(element("img", "", { src: screen, alt: name, loading: "lazy" }), element("figcaption", name));
    photos.append(figure);
  }
  return photos;
}

function showSteps({ steps }) {
  const list = element("ol", "", { class: "steps" });
  for (const step of steps) {
    const item = element("li", step.text);
    item.append(element("time", when(step.at), { datetime: step.at }));
    list.append(item);
  }
  part("steps-box").replaceChildren(element("h2", say("经过", "What happened")), list);
}

function form(id, children, send, words) {
  const made = element("form", "", { id }), fault = element("p", "", { role: "alert" });
  const button = element("button", words, { type: "submit" });
  made.append(...children, button, fault);
  made.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      await send(made);
      await load();
    } catch (refused) {
      fault.textContent = refused.message;
      button.disabled = false;
    }
  });
  return made;
}

function choices(name, legend, options) {
  const group = element("fieldset");
  group.append(element("legend", legend));
  for (const [value, words] of options) {
    const label = element("label", "", { class: "choice" });
    label.append(element("input", "", { type: "radio", name, value, required: "" }), words);
    group.append(label);
  }
  return group;
}

const labelled = (words, input) => [element("label", words, { for: input.id }), input];

function ratingForm() {
  return form("rate", [
    element("h2", say("请评价办理结果", "Rate the result")),
    choices("satisfied", say("您满意吗？", "Are you satisfied?"), [["yes", say("满意", "Yes")], ["no", say("不满意", "No")]]),
    choices("score", say("打几分？（5 分最好）", "How many points? (5 is best)"), [5, 4, 3, 2, 1].map((points) => [points, String(points)])),
    ...labelled(say("想说的话（可不填）", "Anything to add (optional)"), element("textarea", "", { id: "comment", name: "comment", rows: "2", maxlength: "1000" })),
  ], async ({ elements }) => {
    const body = { satisfied: elements.satisfied.value === "yes", score: Number(elements.score.value), comment: elements.comment.value.trim() || null };
    await get(`${path}/rating`, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  }, say("提交评价", "Send"));
}

function photosForm() {
  const photos = element("input", "", { id: "more-photos", name: "photos", type: "file", accept: "image/*", multiple: "", required: "" });
  return form("add-photos", [
    element("h2", say("补充照片", "Add photos")), ...labelled(say("照片（最多 9 张）", "Photos (at most 9)"), photos),
  ], async () => {
    const body = new FormData();
    for (const photo of [...photos.files].slice(0, 9)) body.append("photos", photo);
    await get(`${path}/photos`, { method: "POST", body });
  }, say("上传", "Send"));
}

function notFixedForm(until) {
  const last = day(`${until}T12:00:00Z`);
  const photos = element("input", "", { id: "not-fixed-photos", name: "photos", type: "file", accept: "image/*", multiple: "" });
  return form("not-fixed", [
    element("h2", say("没有整改到位？", "Not fixed?")),
    element("p", say(
      `结案后 ${days} 天内可以提出一次，最迟 ${last}。由整改人以外的人员核实后决定是否重新办理，结果会写在本页。`,
      `Within ${days} days of the closing you can say so once, at the latest on ${last}. Somebody who did not handle it looks and decides; you read the outcome here.`)),
    ...labelled(say("现在是什么情况", "How it looks now"), element("textarea", "", { id: "reason", name: "reason", rows: "3", maxlength: "1000", required: "" })),
    ...labelled(say("照片（可不选，最多 9 张）", "Photos (optional, at most 9)"), photos),
  ], async ({ elements }) => {
    const body = new FormData();
    body.set("reason", elements.reason.value);
    for (const photo of [...photos.files].slice(0, 9)) body.append("photos", photo);
    await get(`${path}/not-fixed`, { method: "POST", body });
  }, say("反映未整改到位", "Say that it is not fixed"));
}

function showJudging(found) {
  const parts = [];
  if (found.reopening) {
    const { reason, message, decision } = found.reopening;
    parts.push(element("h2", say("您反映未整改到位", "You said that it is not fixed")), element("p", message), row(say("您说", "You said"), reason));
    if (decision) parts.push(row(say("决定的理由", "Why it was so decided"), decision));
  }
  if (found.rating) {
    const { satisfied, score, comment } = found.rating;
    parts.push(row(say("您的评价", "Your rating"), `${satisfied ? say("满意", "satisfied") : say("不满意", "not satisfied")} · ${score} / 5${comment ? ` · ${comment}` : ""}`));
  }
  if (found.can_add_photos) parts.push(photosForm());
  if (found.can_rate) parts.push(ratingForm());
  if (found.can_say_not_fixed) parts.push(notFixedForm(found.not_fixed_until));
  part("judge").replaceChildren(...parts);
}

function showLeaving(found) {
  part("leave").replaceChildren(...(found.following ? [form("withdraw", [
    element("h2", say("取消关注", "Follow no more")),
    element("p", ["unconfirmed", "on"].includes(found.messages)
      ? say("取消后此查询码失效，您留下的联系方式立即删除。", "The code opens nothing any more, and the contact that you left is deleted at once.")
      : say("取消后此查询码失效。", "The code opens nothing any more.")),
  ], async () => {
    const { message } = await get(`${path}/withdraw`, { method: "POST" });
    left = message;
  }, say("取消关注", "Follow no more"))] : []));
}

let left = null;

async function load() {
  if (left) {
    for (const id of ["judge", "steps-box", "leave"]) part(id).replaceChildren();
    part("case").replaceChildren(element("p", left));
    return;
  }
  const found = await get(path);
  for (const show of [showCase, showJudging, showSteps, showLeaving]) show(found);
}

onLanguage(() => load().catch((fault) => part("case").replaceChildren(element("p", fault.message, { role: "alert" }))));
