/** The page of a transcript. Only what is visible is in the document; all text gets there as text. */

import { found, made } from "../elements";
import { folded, named, parts, role, summary } from "./entries";
import { Layout } from "./layout";
import { CHUNK, type Shown, type ToHost, type ToPage } from "./messages";

declare function acquireVsCodeApi(): {
  postMessage(message: ToHost): void;
  setState(state: { session: string }): void;
};

/** Pixels above and below what is visible that are kept in the document. */
const MARGIN = 600;

/** Entries that are kept in memory, more than any screen shows. */
const KEPT = 4_000;

/** Pixels from the end at which the reader follows it. */
const END = 40;

/** Milliseconds of stillness after which the extension is told what is in sight, as it outlives this page. */
const STILL = 250;

const host = acquireVsCodeApi();
const scroller = found("scroller");
const list = found("list");
const title = found("title");
const facts = found("facts");
const live = found("live");
const notice = found("notice");
const latest = found("latest");

const layout = new Layout();
const entries = new Map<number, Shown>();
const drawn = new Map<number, HTMLElement>();
const asked = new Set<number>();
/** Indexes of entries that are not as their kind is at first. */
const turned = new Set<number>();
/** Texts that were cut, whole, by index. */
const wholes = new Map<number, string>();
const asking = new Set<number>();
let unfoldAll = false;
let current = -1;
let follows = false;
let frame = 0;
let width = 0;
let telling: ReturnType<typeof setTimeout> | undefined;

// --- what is drawn ---

function isFolded(entry: Shown): boolean {
  return folded(entry) && !unfoldAll !== turned.has(entry.index);
}

function article(index: number): HTMLElement {
  const entry = entries.get(index);
  const element = made("article", "entry");
  element.dataset.index = String(index);
  element.tabIndex = -1;
  element.setAttribute("aria-posinset", String(index + 1));
  element.setAttribute("aria-setsize", String(layout.count));
  if (index === current) element.classList.add("current");
  if (entry === undefined) {
    element.classList.add("pending");
    element.append(made("span", "what", "…"));
    return element;
  }
  element.classList.add(role(entry), `kind-${entry.kind}`);
  if (entry.isError) element.classList.add("error");
  element.append(head(entry));
  if (!isFolded(entry)) element.append(...body(entry));
  return element;
}

function head(entry: Shown): HTMLElement {
  const header = made("header", "head");
  if (folded(entry)) {
    const hidden = isFolded(entry);
    header.classList.add("foldable");
    header.append(made("span", "twist", hidden ? "▸" : "▾"), made("span", "name", named(entry)));
    header.append(made("span", "what", hidden ? summary(entry) : ""));
  } else {
    header.append(made("span", "name", named(entry)), made("span", "what"));
  }
  if (entry.isError) header.append(made("span", "mark", "error"));
  if (entry.model !== null && entry.kind === "assistant") header.append(made("span", "model", entry.model));
  if (entry.timestamp !== null) {
    const time = made("time", "time", new Date(entry.timestamp).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
    time.title = new Date(entry.timestamp).toLocaleString();
    header.append(time);
  }
  return header;
}

function body(entry: Shown): HTMLElement[] {
  const tool = role(entry) === "tool";
  const text = wholes.get(entry.index) ?? entry.text;
  const shown = (tool ? [{ code: true, text }] : parts(text)).map((part) => made(part.code ? "pre" : "p", "text", part.text));
  if (wholes.has(entry.index)) return shown;
  if (entry.kind === "toolCall") {
    // Only a word of its input is kept in the cache.
    askWhole(entry);
  } else if (entry.truncated) {
    const button = made("button", "all", "Show All");
    button.dataset.whole = String(entry.index);
    shown.push(button);
  }
  return shown;
}

function askWhole(entry: Shown): void {
  if (asking.has(entry.index)) return;
  asking.add(entry.index);
  host.postMessage({ type: "whole", entry: entry.id });
}

function redraw(index: number): void {
  drawn.get(index)?.remove();
  drawn.delete(index);
}

function draw(): void {
  frame = 0;
  const { scrollTop, clientHeight } = scroller;
  const anchor = layout.at(scrollTop);
  const shift = scrollTop - layout.offset(anchor);
  // Measuring what is drawn moves what comes below it into view or out of it: twice is enough in practice.
  for (let pass = 0; pass < 3 && place(anchor, shift, clientHeight); pass++);
  list.style.height = `${layout.height}px`;
  for (const [index, element] of drawn) element.style.transform = `translateY(${layout.offset(index)}px)`;
  const wanted = follows ? layout.height : layout.offset(anchor) + shift;
  if (Math.abs(scroller.scrollTop - wanted) > 0.5) scroller.scrollTop = wanted;
  clearTimeout(telling);
  if (layout.count > 0) telling = setTimeout(tellPlace, STILL);
  latest.hidden = follows || scroller.scrollTop + clientHeight >= layout.height - END;
}

function tellPlace(): void {
  host.postMessage({ type: "place", at: follows ? null : layout.at(scroller.scrollTop + 8) });
}

/** Draw and measure what is visible; true where a height is other than was thought. */
function place(anchor: number, shift: number, visible: number): boolean {
  if (layout.count === 0) return false;
  const top = follows ? layout.height - visible : layout.offset(anchor) + shift;
  const first = layout.at(top - MARGIN);
  const last = layout.at(top + visible + MARGIN);
  for (const index of [...drawn.keys()]) if (index < first || index > last) redraw(index);
  let next: HTMLElement | null = null;
  for (let index = last; index >= first; index--) {
    if (!entries.has(index)) ask(index);
    const element = drawn.get(index) ?? article(index);
    drawn.set(index, element);
    // In the order in which they are read aloud.
    if (element.nextSibling !== next || element.parentElement === null) list.insertBefore(element, next);
    next = element;
  }
  let changed = false;
  for (const [index, element] of drawn) {
    // What is not there yet says nothing of its height.
    if (entries.has(index)) changed = layout.measured(index, element.offsetHeight) || changed;
  }
  return changed;
}

function schedule(): void {
  if (frame === 0) frame = requestAnimationFrame(draw);
}

function ask(index: number): void {
  const start = index - (index % CHUNK);
  if (asked.has(start)) return;
  asked.add(start);
  host.postMessage({ type: "chunk", start });
}

function forgetFar(): void {
  if (entries.size <= KEPT) return;
  const middle = layout.at(scroller.scrollTop);
  const far = [...entries.keys()].filter((index) => Math.abs(index - middle) > KEPT / 4);
  for (const index of far) {
    entries.delete(index);
    asked.delete(index - (index % CHUNK));
  }
}

// --- what the reader does ---

function go(index: number, focus = true): void {
  const to = Math.max(0, Math.min(index, layout.count - 1));
  drawn.get(current)?.classList.remove("current");
  current = to;
  follows = false;
  const top = layout.offset(to);
  const bottom = layout.offset(to + 1);
  const { scrollTop, clientHeight } = scroller;
  if (top < scrollTop || bottom > scrollTop + clientHeight) scroller.scrollTop = Math.max(0, top - 8);
  draw();
  const element = drawn.get(to);
  element?.classList.add("current");
  if (focus) element?.focus({ preventScroll: true });
}

function jump(index: number): void {
  // A list that was not drawn yet has no height to scroll in.
  list.style.height = `${layout.height}px`;
  scroller.scrollTop = Math.max(0, layout.offset(index) - 8);
  go(index);
}

function turn(index: number): void {
  const entry = entries.get(index);
  if (entry === undefined || !folded(entry)) return;
  if (!turned.delete(index)) turned.add(index);
  follows = false;
  redraw(index);
  go(index);
}

function toEnd(): void {
  follows = true;
  current = layout.count - 1;
  draw();
}

function at(): number {
  return current >= 0 && drawn.has(current) ? current : layout.at(scroller.scrollTop + 8);
}

const KEYS: Record<string, () => void> = {
  j: () => go(current < 0 ? at() : current + 1),
  k: () => go(current < 0 ? at() : current - 1),
  ArrowDown: () => go(current < 0 ? at() : current + 1),
  ArrowUp: () => go(current < 0 ? at() : current - 1),
  n: () => host.postMessage({ type: "prompt", from: at(), direction: "forward" }),
  p: () => host.postMessage({ type: "prompt", from: at(), direction: "backward" }),
  Enter: () => turn(at()),
  " ": () => turn(at()),
  Home: () => jump(0),
  End: toEnd,
  u: unfold,
};

function unfold(): void {
  unfoldAll = !unfoldAll;
  turned.clear();
  for (const index of [...drawn.keys()]) redraw(index);
  layout.forget();
  found("unfold").textContent = unfoldAll ? "Fold Tools" : "Unfold Tools";
  schedule();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const onButton = event.target instanceof HTMLButtonElement && (event.key === "Enter" || event.key === " ");
  const act = onButton ? undefined : KEYS[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});

list.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  const cut = entries.get(Number(target?.closest<HTMLElement>("[data-whole]")?.dataset.whole));
  const index = target?.closest<HTMLElement>(".entry")?.dataset.index;
  if (cut !== undefined) askWhole(cut);
  else if (index !== undefined && target?.closest(".foldable") != null) turn(Number(index));
  else if (index !== undefined && getSelection()?.isCollapsed !== false) go(Number(index));
});

scroller.addEventListener("scroll", () => {
  follows = scroller.scrollTop + scroller.clientHeight >= layout.height - END && live.classList.contains("on");
  schedule();
});
found("previous").addEventListener("click", () => KEYS.p?.());
found("next").addEventListener("click", () => KEYS.n?.());
found("unfold").addEventListener("click", unfold);
latest.addEventListener("click", toEnd);

new ResizeObserver(() => {
  if (scroller.clientWidth !== width) layout.forget();
  width = scroller.clientWidth;
  schedule();
}).observe(scroller);

// --- what the extension tells ---

function begin(total: number, at: number | null): void {
  entries.clear();
  asked.clear();
  turned.clear();
  wholes.clear();
  asking.clear();
  for (const index of [...drawn.keys()]) redraw(index);
  layout.resize(0);
  resize(total);
  notice.hidden = total > 0;
  notice.textContent = total > 0 ? "" : "This session has no entries yet.";
  current = -1;
  follows = at === null;
  if (at !== null && at > 0) jump(at);
  else schedule();
}

function resize(total: number): void {
  const before = layout.count;
  layout.resize(total);
  // The last chunk that was asked for had an end that is none any more.
  if (total > before && before % CHUNK !== 0) asked.delete(before - (before % CHUNK));
}

function take(start: number, total: number, items: Shown[]): void {
  if (total !== layout.count) resize(total);
  for (const entry of items) {
    entries.set(entry.index, entry);
    redraw(entry.index);
  }
  if (items.length > 0) notice.hidden = true;
  asked.add(start - (start % CHUNK));
  forgetFar();
  schedule();
}

window.addEventListener("message", ({ data }: MessageEvent<ToPage>) => {
  switch (data.type) {
    case "session":
      host.setState({ session: data.id });
      title.textContent = data.title;
      facts.textContent = data.facts;
      live.classList.toggle("on", data.live);
      break;
    case "begin":
      begin(data.total, data.at);
      break;
    case "entries":
      take(data.start, data.total, data.items);
      break;
    case "goto":
      jump(data.index);
      break;
    case "whole":
      wholes.set(data.index, data.text);
      redraw(data.index);
      schedule();
      break;
    case "failed":
      if (data.start !== null) asked.delete(data.start);
      notice.hidden = false;
      notice.textContent = data.text;
      break;
  }
});

host.postMessage({ type: "ready" });
