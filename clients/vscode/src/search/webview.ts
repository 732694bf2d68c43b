/** The page of the search view. All text gets there as text; what matches is marked by elements. */

import type { SearchOrder } from "../../../types/protocol";
import { found, made } from "../elements";
import type { Group, Line } from "./groups";
import type { ToHost, ToPage } from "./messages";

interface State {
  query: string;
  order: SearchOrder;
}

declare function acquireVsCodeApi(): {
  postMessage(message: ToHost): void;
  setState(state: State): void;
  getState(): State | undefined;
};

const host = acquireVsCodeApi();
const query = found("query") as HTMLInputElement;
const order = found("order");
const told = found("told");
const notice = found("notice");
const list = found("list");
const more = found("more");
const help = found("help");

/** The query whose hits are shown. */
let answered = "";
/** Whether the best hit is to be opened as soon as it is known: who types fast does not wait for it. */
let opening = false;

// --- asking ---

function state(): State {
  return { query: query.value.trim(), order: order.getAttribute("aria-pressed") === "true" ? "newest" : "relevance" };
}

function search(): void {
  const asked = state();
  opening = false;
  host.setState(asked);
  host.postMessage({ type: "search", ...asked });
  if (asked.query === "") clear("");
}

function newest(wanted: boolean): void {
  order.setAttribute("aria-pressed", String(wanted));
}

function clear(text: string, failed = false): void {
  answered = "";
  list.replaceChildren();
  list.classList.remove("busy");
  told.textContent = text;
  told.classList.toggle("failed", failed);
  notice.hidden = more.hidden = true;
  help.hidden = query.value.trim() !== "" && !failed;
}

// --- what was found ---

function section(group: Group): HTMLElement {
  const element = made("section", "group");
  const head = made("header", "head");
  head.append(made("span", "title", group.title), made("span", "facts", group.facts));
  head.title = group.title;
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", group.title);
  element.append(head, ...group.lines.map(option));
  return element;
}

function option(line: Line): HTMLElement {
  const element = made("div", "hit");
  element.setAttribute("role", "option");
  element.tabIndex = -1;
  element.dataset.hit = String(line.hit);
  const text = made("div", "snippet");
  text.append(...line.snippet.map((part) => (part.match ? made("mark", "", part.text) : document.createTextNode(part.text))));
  element.append(made("div", "kind", line.kind), text, made("div", "facts", line.facts));
  return element;
}

function hits(): HTMLElement[] {
  return Array.from(list.querySelectorAll<HTMLElement>(".hit"));
}

function open(element: HTMLElement): void {
  host.postMessage({ type: "open", hit: Number(element.dataset.hit) });
}

function openBest(): void {
  const [best] = hits();
  opening = answered !== state().query;
  if (!opening && best !== undefined) open(best);
}

function focus(element: HTMLElement | undefined): void {
  list.querySelector(".current")?.classList.remove("current");
  if (element === undefined) return;
  element.classList.add("current");
  element.focus();
  element.scrollIntoView({ block: "nearest" });
}

/** Go to the hit so many places from the one that has the focus; before the first is what is typed. */
function go(by: number): void {
  const all = hits();
  const at = all.findIndex((hit) => hit === document.activeElement) + by;
  if (at < 0) query.focus();
  else if (at < all.length) focus(all[at]);
  else if (!more.hidden) more.click();
}

// --- events ---

query.addEventListener("input", search);
order.addEventListener("click", () => {
  newest(order.getAttribute("aria-pressed") !== "true");
  if (query.value.trim() !== "") search();
});
more.addEventListener("click", () => {
  more.hidden = true;
  list.classList.add("busy");
  host.postMessage({ type: "more" });
});
list.addEventListener("click", (event) => {
  const hit = event.target instanceof Element ? event.target.closest<HTMLElement>(".hit") : null;
  if (hit === null) return;
  focus(hit);
  open(hit);
});
help.addEventListener("click", (event) => {
  const example = event.target instanceof Element ? event.target.closest(".example") : null;
  if (example === null) return;
  query.value = `${query.value.trim()} ${example.textContent ?? ""}`.trim();
  query.focus();
  search();
});
query.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "ArrowDown") focus(hits()[0]);
  else if (event.key === "Enter") openBest();
  else if (event.key === "Escape" && query.value !== "") {
    query.value = "";
    search();
  } else return;
  event.preventDefault();
});
list.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const hit = document.activeElement instanceof HTMLElement ? document.activeElement : list;
  if (event.key === "ArrowDown") go(1);
  else if (event.key === "ArrowUp") go(-1);
  else if (event.key === "Home") focus(hits()[0]);
  else if (event.key === "End") focus(hits().at(-1));
  else if (event.key === "Enter" || event.key === " ") open(hit);
  else if (event.key === "Escape") query.focus();
  else {
    // Who types on means the words.
    if (event.key.length === 1) query.focus();
    return;
  }
  event.preventDefault();
});

// The editor gives the focus to the page, and the page to what is typed into.
window.addEventListener("focus", () => {
  if (document.activeElement === document.body) query.focus();
});
window.addEventListener("message", (event: MessageEvent<ToPage>) => {
  const message = event.data;
  if (message.type === "ask") {
    if (message.text !== null) {
      query.value = message.text;
      search();
    }
    query.focus();
    query.select();
    return;
  }
  // An answer to what is no longer asked.
  if (message.query !== state().query) return;
  if (message.type === "busy") list.classList.add("busy");
  else if (message.type === "failed") {
    opening = false;
    clear(message.text, true);
  } else {
    const last = hits().length;
    const here = document.activeElement === document.body || document.activeElement === more;
    if (!message.behind) clear("");
    answered = message.query;
    list.classList.remove("busy");
    list.append(...message.groups.map(section));
    told.textContent = message.told;
    notice.textContent = message.notice;
    notice.hidden = message.notice === "";
    more.hidden = !message.more;
    if (message.behind && here) focus(hits()[last]);
    if (opening) openBest();
  }
});

const kept = host.getState();
if (kept !== undefined) {
  query.value = kept.query;
  newest(kept.order === "newest");
}
host.postMessage({ type: "ready" });
if (query.value !== "") search();
