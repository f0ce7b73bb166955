// The inspector's page. It reads records from the server and shows them; what they say becomes text, never markup.
// Times are microseconds on the server's clock.

const at = (path) => new URL(path, import.meta.url).href;
const $ = (id) => document.getElementById(id);

// MARK: What is known

const state = {
    requests: new Map(), // by id
    overview: {},
    startedAt: null,
    capacity: 0,
    forgotten: 0,
    now: 0, // the server's clock, at `received` on ours
    received: 0,
    isRunning: false, // whether that clock goes on
    cursor: null, // the id of the request that the list points at
    shown: null, // the id of the request whose detail is shown
    kept: null, // its record, in case the server forgets it
};

const now = () => (state.isRunning ? state.now + Math.round((performance.now() - state.received) * 1000) : state.now);
const endOf = (request) => request.closed ?? now();
const list = (array) => array ?? [];

/** What has to be looked up in all records; made anew when they change. */
let index = null;

function indexed() {
    if (index) return index;
    index = { children: new Map(), acquisitions: new Map(), byKey: new Map(), jobs: new Map() };
    const add = (map, key, value) => (map.get(key) ?? map.set(key, []).get(key)).push(value);
    for (const request of state.requests.values()) {
        if (request.parent != null) add(index.children, request.parent, request);
        for (const acquisition of list(request.acquisitions)) {
            index.acquisitions.set(acquisition.id, { request, acquisition });
            add(index.byKey, acquisition.key, { request, acquisition });
        }
        for (const job of list(request.jobs)) if (job.request != null) index.jobs.set(job.request, job);
    }
    return index;
}

const childrenOf = (request) =>
    list(indexed().children.get(request.id)).toSorted((a, b) => a.opened - b.opened);

/** The request that a store belongs to: itself, or what it is a child of. */
function rootOf(request) {
    let root = request;
    for (let depth = 0; depth < 16 && root.parent != null; depth++) {
        const parent = state.requests.get(root.parent);
        if (!parent) break;
        root = parent;
    }
    return root;
}

function titleOf(request) {
    if (request.method) {
        if (request.transport === "grpc") return `${request.route ?? "?"}/${request.method}`;
        return `${request.method} ${request.route ?? "(no route)"}`;
    }
    const job = indexed().jobs.get(request.id);
    if (job) return `job ${job.name}`;
    return `${request.kind === "job" ? "job" : request.parent != null ? "child" : "store"} ${nameOf(request)}`;
}

/** What the application's log calls it. */
const nameOf = (request) => request.name || request.id;

/** The phases, with what precedes the first one that is told: a store that no adapter serves is open before it settles. */
function phasesOf(request) {
    const phases = list(request.phases);
    const to = phases[0]?.from ?? request.settled ?? request.closed;
    return to != null && to <= request.opened ? phases : [{ name: "open", from: request.opened, to }, ...phases];
}

const phaseOf = (request) => list(request.phases).findLast((phase) => phase.to == null)?.name;

// MARK: Words

function duration(us) {
    if (us == null) return "–";
    const value = Math.max(0, us);
    if (value < 1000) return `${Math.round(value)} µs`;
    if (value < 9950) return `${(value / 1000).toFixed(1)} ms`;
    if (value < 999_500) return `${Math.round(value / 1000)} ms`;
    if (value < 9_995_000) return `${(value / 1e6).toFixed(2)} s`;
    if (value < 59_950_000) return `${(value / 1e6).toFixed(1)} s`;
    const seconds = Math.round(value / 1e6);
    return seconds < 3600
        ? `${Math.floor(seconds / 60)}m ${seconds % 60}s`
        : `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
}

/** The microseconds that a text such as "1.5 s" means; `null` for what is none. */
function microseconds(text) {
    const match = /^\s*(\d+(?:[.,]\d+)?)\s*(µs|us|ms|s|min)?\s*$/.exec(text);
    if (!match) return null;
    const unit = { "µs": 1, us: 1, ms: 1000, s: 1e6, min: 6e7 }[match[2] ?? "ms"];
    return Number(match[1].replace(",", ".")) * unit;
}

const counted = (count, one, many = `${one}s`) => `${count} ${count === 1 ? one : many}`;
const endings = { clientDisconnected: "client gone" };
const verdicts = { commit: "committed", rollback: "rolled back" };

// MARK: Intervals

/** How long the intervals last that lie within [from, to], where they overlap counted once. */
function covered(intervals, from, to) {
    let sum = 0;
    let end = from;
    for (const [start, stop] of intervals.toSorted((a, b) => a[0] - b[0])) {
        const begin = Math.max(start, end);
        const finish = Math.min(stop, to);
        if (finish > begin) sum += finish - begin;
        end = Math.max(end, Math.min(stop, to));
    }
    return sum;
}

/** What is left of [from, to] without the intervals, which may overlap. */
function without(intervals, from, to) {
    const left = [];
    let begin = from;
    for (const [start, stop] of intervals.toSorted((a, b) => a[0] - b[0])) {
        if (start > begin) left.push([begin, Math.min(start, to)]);
        begin = Math.max(begin, stop);
        if (begin >= to) return left;
    }
    if (to > begin) left.push([begin, to]);
    return left;
}

const lengthOf = (intervals) => intervals.reduce((sum, [from, to]) => sum + to - from, 0);

/** What a call is about, also where its acquisition is not kept. */
const keyOf = (call) => call.key ?? indexed().acquisitions.get(call.acquisition)?.acquisition.key ?? "a key";

const arrival = (acquisition) => acquisition.acquired ?? acquisition.computed ?? acquisition.failed;

// MARK: Why it took so long
//
// A text is an array of parts: a string, or [kind, text, id] with a kind of "code", "place", "strong", "link".

const code = (name) => ["code", name];
const place = (position) => ["place", position];
const link = (request) => ["link", titleOf(request), request.id];

/** What a request spent its time on, the longest first: [{us, parts}]. What only went on beside something longer is not there. */
function reasons(request, depth = 0) {
    const told = [];
    return contributions(request, depth).toSorted((a, b) => b.us - a.us).filter(({ us, spans }) => {
        const beside = spans.reduce((sum, [from, to]) => sum + covered(told, from, to), 0);
        if (beside > us * 0.8) return false;
        told.push(...spans);
        return true;
    });
}

/** What went on in a request: how long, when, without what is told of on its own, and in words. */
function contributions(request, depth) {
    const found = [];
    const add = (spans, words) => {
        const us = lengthOf(spans);
        found.push({ us, spans, parts: words(us) });
    };
    const busy = []; // what is explained by more than its phase
    const end = endOf(request);
    const acquisitions = list(request.acquisitions);
    for (const acquisition of acquisitions) {
        const arrived = arrival(acquisition) ?? end;
        const nested = acquisitions
            .filter((other) => other.inside === acquisition.id)
            .map((other) => [other.from, arrival(other) ?? end]);
        add(without(nested, acquisition.from, arrived), () => acquiring(request, acquisition, arrived));
        busy.push([acquisition.from, arrived]);
        if (acquisition.releasing != null) {
            const released = acquisition.released ?? end;
            add([[acquisition.releasing, released]], () => releasing(request, acquisition, released));
            busy.push([acquisition.releasing, released]);
        }
    }
    for (const call of list(request.calls)) {
        if (call.kind !== "wait") continue;
        const target = indexed().acquisitions.get(call.acquisition);
        const to = call.to ?? end;
        // The acquisition itself says so.
        if (target?.request === request && call.from >= target.acquisition.from
            && call.from < (arrival(target.acquisition) ?? end)) continue;
        add([[call.from, to]], () => waiting(call, target, to));
        busy.push([call.from, to]);
    }
    for (const child of depth < 4 ? childrenOf(request) : []) {
        const to = Math.min(endOf(child), end);
        // One that is open is worth a line, whatever else goes on meanwhile.
        add(without(child.closed == null ? [] : busy, child.opened, to), () => inChild(request, child, depth));
    }
    for (const child of childrenOf(request)) busy.push([child.opened, Math.min(endOf(child), end)]);
    for (const phase of phasesOf(request)) {
        const to = phase.to ?? end;
        add(without(busy, phase.from, to), (us) => inPhase(request, phase, to, us, busy));
    }
    return found;
}

function acquiring(request, acquisition, arrived) {
    const took = duration(arrived - acquisition.from);
    const root = rootOf(request);
    const isOver = arrival(acquisition) != null;
    const others = list(indexed().byKey.get(acquisition.key)).filter((other) =>
        other.acquisition.declaration === acquisition.declaration && rootOf(other.request) !== root);
    const holders = others.filter((other) => other.acquisition.acquired != null
        && other.acquisition.acquired <= acquisition.from
        && (other.acquisition.released ?? other.request.closed ?? now()) > acquisition.from);
    const rivals = others.filter((other) => other.acquisition.from < arrived
        && (arrival(other.acquisition) ?? now()) > acquisition.from && !holders.includes(other));
    // Whoever gave one back just before it came.
    const slack = Math.max(5000, (arrived - acquisition.from) / 20);
    const giver = isOver
        ? others.filter((other) => other.acquisition.releasing != null
            && other.acquisition.releasing <= arrived && (other.acquisition.released ?? arrived) >= arrived - slack
            && (other.acquisition.released ?? Infinity) >= acquisition.from)
            .toSorted((a, b) => (b.acquisition.released ?? arrived) - (a.acquisition.released ?? arrived))[0]
        : null;
    const parts = acquisition.computed != null
        ? ["Computing ", code(acquisition.key), ` took ${took}`]
        : acquisition.failed != null
            ? ["Acquiring ", code(acquisition.key), ` failed after ${took}`]
            : isOver
                ? ["Acquiring ", code(acquisition.key), ` took ${took}`]
                : [code(acquisition.key), ` is not acquired after ${took}`];
    if (holders.length > 0 && acquisition.computed == null && (giver || acquisition.acquired == null)) {
        parts.push(": its pool looks exhausted, ", counted(holders.length, "other request"),
            isOver ? " held one (" : holders.length === 1 ? " holds one (" : " hold one (");
        const longest = holders.toSorted((a, b) => a.acquisition.acquired - b.acquisition.acquired);
        longest.slice(0, 2).forEach((other, position) => {
            const until = Math.min(other.acquisition.released ?? now(), isOver ? arrived : Infinity);
            parts.push(position ? ", " : "", link(rootOf(other.request)),
                ` for ${duration(until - other.acquisition.acquired)}`);
        });
        parts.push(holders.length > 2 ? ", …)" : ")");
        if (rivals.length > 0) parts.push(`, and ${rivals.length} more ${isOver ? "wanted" : rivals.length === 1 ? "wants" : "want"} one`);
        if (giver) parts.push("; it came when ", link(rootOf(giver.request)), " gave its back");
    }
    parts.push(". Asked for at ", place(acquisition.askedAt), ".");
    return parts;
}

function releasing(request, acquisition, released) {
    const took = duration(released - acquisition.releasing);
    const settling = list(request.phases).find((phase) => phase.name === "settling");
    const isBefore = settling && acquisition.releasing >= settling.from
        && acquisition.releasing <= (settling.to ?? released);
    const verb = { commit: " (commit)", rollback: " (rollback)" }[acquisition.verdict] ?? "";
    const parts = acquisition.released == null
        ? ["Releasing ", code(acquisition.key), `${verb} has taken ${took} and goes on`]
        : ["Releasing ", code(acquisition.key), `${verb} took ${took}`];
    if (isBefore) parts.push(", before the response: the client waits for it");
    const limit = list(acquisition.limits).find((limit) => limit.what === "release");
    if (limit) parts.push(`; its limit of ${duration(limit.limit)} has passed`);
    parts.push(". Asked for at ", place(acquisition.askedAt), ".");
    return parts;
}

function waiting(call, target, to) {
    const parts = [call.to == null ? "Has waited " : "Waited ", duration(to - call.from), " for ",
        code(keyOf(call))];
    parts.push(...waitedFor(call, target));
    parts.push(", at ", place(call.askedAt), ".");
    return parts;
}

/** Whom a call waits for, as far as that is known. */
function waitedFor(call, target) {
    const awaited = call.on != null && call.on !== call.acquisition
        ? indexed().acquisitions.get(call.on) ?? state.requests.get(call.on)
        : null;
    if (awaited?.acquisition) return [", held up by ", code(awaited.acquisition.key)];
    if (awaited) return [", held up by ", link(awaited)];
    if (!target) return [];
    const arrived = arrival(target.acquisition);
    if (arrived == null || call.from < arrived) {
        return [", which ", place(target.acquisition.askedAt), " had asked for before it"];
    }
    const user = list(target.request.calls).find((other) => other.kind === "use"
        && other.acquisition === call.acquisition && other.from <= call.from && (other.to ?? Infinity) > call.from);
    return user ? [", which was in use at ", place(user.askedAt)] : [];
}

function inChild(request, child, depth) {
    const isOpen = child.closed == null;
    const parts = [isOpen ? "Its " : "The ", link(child),
        isOpen ? ` is still open after ${duration(now() - child.opened)}` : ` took ${duration(child.closed - child.opened)}`];
    if (isOpen && request.closed == null && phaseOf(request) === "closing") {
        parts.push(", and a request closes after its children");
    }
    const open = openIn(child).length > 0 ? openIn(child) : openIn(request, child.opened);
    const [first] = reasons(child, depth + 1);
    if (isOpen && open.length > 0) parts.push(": it is ", ...open, ".");
    else if (!isOpen && first && first.us > 0) parts.push(". In it: ", ...first.parts);
    else parts.push(isOpen ? ": nothing is acquired or used in it, its body has not returned." : ".");
    return parts;
}

/** What goes on in a store right now, of what began at a time or later: a child acquires in its parent. */
function openIn(request, earliest = 0) {
    const parts = [];
    const say = (verb, key, position, since) => parts.push(
        parts.length ? " and " : "", `${verb} `, code(key), ` for ${duration(now() - since)}, asked at `, place(position));
    for (const acquisition of list(request.acquisitions)) {
        if (acquisition.from < earliest || parts.length > 8) continue;
        if (arrival(acquisition) == null) say("acquiring", acquisition.key, acquisition.askedAt, acquisition.from);
        else if (acquisition.releasing != null && acquisition.released == null) {
            say("releasing", acquisition.key, acquisition.askedAt, acquisition.releasing);
        }
    }
    for (const call of list(request.calls)) {
        if (call.to != null || call.from < earliest || parts.length > 8) continue;
        const key = keyOf(call);
        say(call.kind === "wait" ? "waiting for" : "using", key, call.askedAt, call.from);
    }
    return parts;
}

const phaseWords = {
    open: "Its body", routing: "Routing and middleware", handler: "The handler", settling: "Settling", body: "Writing the body", closing: "Closing",
};

function inPhase(request, phase, to, own, busy) {
    const isOver = phase.to != null;
    const parts = [`${phaseWords[phase.name] ?? phase.name} `,
        isOver ? `took ${duration(own)}` : `has taken ${duration(own)} so far`];
    const uses = list(request.calls)
        .filter((call) => call.kind === "use" && call.from < to && (call.to ?? to) > phase.from)
        .map((call) => ({ call, us: covered([[call.from, call.to ?? to]], phase.from, to) }))
        .toSorted((a, b) => b.us - a.us);
    if (uses.length > 0 && uses[0].us > own / 20) {
        const { call, us } = uses[0];
        const key = keyOf(call);
        parts.push(`, ${duration(us)} of it using `, code(key), " at ", place(call.askedAt), ".");
    } else if (phase.name === "body") {
        const isIdle = covered(busy, phase.from, to) < (to - phase.from) / 10;
        parts.push(isIdle
            ? ", and nothing was acquired, used or waited for meanwhile: the client reads slowly, or the body is produced slowly."
            : " by itself: the client reads slowly, or the body is produced slowly.");
    } else {
        parts.push(isOver ? " by itself, with nothing acquired, used or waited for." : ", with nothing acquired, used or waited for.");
    }
    return parts;
}

// MARK: The waterfall

const points = { beforeResponse: "releasing before the response", afterResponse: "releasing after the response" };

/** The lanes of a request with its child stores: [{id, depth, name, kind, place, from, to, bars, marks, note}]. */
function lanes(request, depth = 0, into = []) {
    const end = endOf(request);
    const bar = (kind, from, to, word, isOpen = false) => ({ kind, from, to, word, isOpen });
    into.push({
        id: `request ${request.id}`, depth, kind: depth ? "store" : "phases", link: depth ? request.id : null,
        name: depth ? titleOf(request) : "Phases",
        from: request.opened, to: request.closed,
        bars: phasesOf(request).map((phase) => bar(phase.name, phase.from, phase.to ?? end, phase.name,
            phase.to == null && request.closed == null)),
        marks: list(request.limits).map((limit) => ({ at: limit.at, text: `limit of ${duration(limit.limit)} passed` })),
        note: [...(depth ? storeNote(request) : []), ...list(request.limits).flatMap((limit, position) => [
            position || depth ? "; " : "", ["strong", `${points[limit.what] ?? limit.what} took longer than ${duration(limit.limit)}`]])],
    });
    const acquisitions = list(request.acquisitions).toSorted((a, b) => a.from - b.from);
    const known = new Set(acquisitions.map((acquisition) => acquisition.id));
    const children = childrenOf(request);
    const addAcquisition = (acquisition, depth) => {
        if (into.length > 400) return;
        into.push(acquisitionLane(request, acquisition, depth, end, bar));
        const calls = list(request.calls).filter((call) => call.kind === "wait" && call.acquisition === acquisition.id);
        for (const [position, call] of calls.slice(0, 12).entries()) {
            const to = call.to ?? end;
            into.push({
                id: `wait ${acquisition.id} ${position} ${call.from}`, depth: depth + 1, kind: "wait", name: "a caller waits",
                place: call.askedAt, from: call.from, to: call.to, bars: [bar("wait", call.from, to, "wait", call.to == null)],
                marks: [], note: ["for ", code(acquisition.key), ...waitedFor(call, { request, acquisition }),
                    ...(call.error ? [": ", ["strong", call.error]] : [])],
            });
        }
        if (calls.length > 12) into.at(-1).note.push(`; ${calls.length - 12} more waited`);
        for (const other of acquisitions) if (other.inside === acquisition.id && other !== acquisition) addAcquisition(other, depth + 1);
    };
    for (const acquisition of acquisitions) if (!known.has(acquisition.inside)) addAcquisition(acquisition, depth);
    // What waits in this store for something that another one owns.
    for (const [position, call] of list(request.calls).entries()) {
        if (known.has(call.acquisition) || into.length > 400) continue;
        const target = indexed().acquisitions.get(call.acquisition);
        const verb = call.kind === "wait" ? "waits for" : "uses";
        into.push({
            id: `call ${request.id} ${position}`, depth, kind: call.kind, name: `${verb} ${keyOf(call)}`,
            place: call.askedAt, from: call.from, to: call.to,
            bars: [bar(call.kind, call.from, call.to ?? end, call.kind, call.to == null)], marks: [],
            note: call.kind === "wait" ? waitedFor(call, target).slice(0) : [],
        });
    }
    for (const child of children) if (depth < 6 && into.length < 400) lanes(child, depth + 1, into);
    for (const [position, job] of list(request.jobs).entries()) {
        const isOver = job.ended != null;
        const bars = [bar("queued", job.admitted, job.started ?? job.ended ?? now(), "queued", job.started == null && !isOver)];
        if (job.started != null) bars.push(bar("job", job.started, job.ended ?? now(), "runs", !isOver));
        into.push({
            id: `job ${position}`, depth, kind: "job", name: `job ${job.name}`, link: state.requests.has(job.request) ? job.request : null,
            from: job.started ?? job.admitted, to: job.ended, bars, marks: [],
            note: [...(job.end && job.end !== "done" ? [["strong", job.end]] : []), ...(job.error ? [": ", job.error] : [])],
        });
    }
    return into;
}

function storeNote(request) {
    if (request.closed == null) return ["still open"];
    return [verdicts[request.verdict] ?? "", request.outcome && request.outcome !== "completed"
        ? `, ${endings[request.outcome] ?? request.outcome}` : ""];
}

function acquisitionLane(request, acquisition, depth, end, bar) {
    const arrived = arrival(acquisition);
    const isMemo = acquisition.computed != null;
    const bars = [bar(acquisition.failed != null ? "failed" : "acquire", acquisition.from, arrived ?? end,
        isMemo ? "compute" : acquisition.failed != null ? "failed" : "acquire", arrived == null)];
    if (acquisition.acquired != null) {
        const stop = acquisition.releasing ?? acquisition.released ?? end;
        bars.push(bar("hold", acquisition.acquired, stop, "hold", acquisition.releasing == null && acquisition.released == null));
    }
    if (acquisition.releasing != null) {
        bars.push(bar("release", acquisition.releasing, acquisition.released ?? end, "release", acquisition.released == null));
    }
    for (const call of list(request.calls)) {
        if (call.kind === "use" && call.acquisition === acquisition.id) {
            bars.push({ ...bar("use", call.from, call.to ?? end, "use", call.to == null), place: call.askedAt });
        }
    }
    const note = [];
    const say = (...parts) => note.push(note.length ? "; " : "", ...parts);
    if (acquisition.error) say(["strong", "failed: "], acquisition.error);
    if (acquisition.releaseError) say(["strong", "release failed: "], acquisition.releaseError);
    for (const limit of list(acquisition.limits)) {
        say(["strong", `${limit.what} took longer than its limit of ${duration(limit.limit)}`]);
    }
    if (arrived == null && request.closed == null) say("being acquired");
    else if (acquisition.acquired != null && acquisition.releasing == null && acquisition.released == null) say("held");
    else if (acquisition.verdict && !acquisition.releaseError) say(verdicts[acquisition.verdict] ?? acquisition.verdict);
    return {
        id: `acquisition ${acquisition.id}`, depth, kind: "key", name: acquisition.key, place: acquisition.askedAt,
        declaration: acquisition.declaration, from: acquisition.from,
        to: acquisition.released ?? (acquisition.acquired == null ? arrived : null), bars,
        marks: list(acquisition.limits).map((limit) => ({ at: limit.at, text: `limit of ${duration(limit.limit)} passed` })), note,
    };
}

function ticks(length, count) {
    const rough = length / count;
    const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough) ?? power * 10;
    const all = [];
    for (let tick = 0; tick <= length * 0.93; tick += step) all.push(tick);
    return all;
}

// MARK: Making the page follow

function make(tag, className, attributes = {}) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
}

function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
}

function setAttribute(element, name, value) {
    if (value == null) element.removeAttribute(name);
    else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

function setStyle(element, name, value) {
    if (element.style[name] !== value) element.style[name] = value;
}

/** Makes the children of an element those of the items, and keeps what is there of an item with the same key. */
function follow(parent, items, key, create, update) {
    const old = parent.items ?? new Map();
    const fresh = new Map();
    let previous = null;
    items.forEach((item, position) => {
        let id = key(item, position);
        while (fresh.has(id)) id += "'";
        const element = old.get(id) ?? create(item);
        old.delete(id);
        fresh.set(id, element);
        const next = previous ? previous.nextSibling : parent.firstChild;
        if (next !== element) parent.insertBefore(element, next);
        update?.(element, item, position);
        previous = element;
    });
    for (const element of old.values()) element.remove();
    parent.items = fresh;
}

const tags = { text: "span", code: "code", place: "span", strong: "strong", link: "a" };

/** Shows the parts of a text, and keeps the elements: a link stays the same under a pointer. */
function write(element, parts) {
    const all = parts.map((part) => (Array.isArray(part) ? part : ["text", part])).filter((part) => part[1] !== "");
    follow(element, all, (part, position) => `${position} ${part[0]}`, ([kind]) =>
        make(tags[kind], kind === "text" ? "" : kind),
    (child, [, text, id]) => {
        setText(child, String(text ?? ""));
        if (id == null) return;
        child.dataset.request = id;
        setAttribute(child, "href", `#id=${encodeURIComponent(id)}`);
    });
}

// MARK: The list

const rowHeight = 46;
let rows = []; // the ids of what the list shows, in order

function filters() {
    return {
        route: $("filter-route").value.trim().toLowerCase(), outcome: $("filter-outcome").value,
        key: $("filter-key").value.trim().toLowerCase(), least: $("filter-least").value.trim(),
    };
}

function matches(request, filter, least) {
    if (request.parent != null && state.requests.has(request.parent)) return false;
    if (filter.route && !`${titleOf(request)} ${nameOf(request)} ${request.id}`.toLowerCase().includes(filter.route)) return false;
    if (filter.outcome) {
        const isOpen = request.closed == null;
        if (filter.outcome === "open" ? !isOpen : filter.outcome in verdicts
            ? request.verdict !== filter.outcome : isOpen || request.outcome !== filter.outcome) return false;
    }
    if (least && endOf(request) - request.opened < least) return false;
    if (filter.key) {
        const has = (store, depth) => list(store.acquisitions).some((each) => each.key.toLowerCase().includes(filter.key))
            || (depth < 4 && list(indexed().children.get(store.id)).some((child) => has(child, depth + 1)));
        if (!has(request, 0)) return false;
    }
    return true;
}

function showList() {
    const filter = filters();
    const least = microseconds(filter.least);
    setAttribute($("filter-least"), "aria-invalid", filter.least && least == null ? "true" : null);
    const open = [];
    const closed = [];
    let known = 0;
    for (const request of state.requests.values()) {
        if (request.parent == null || !state.requests.has(request.parent)) known++;
        if (matches(request, filter, least)) (request.closed == null ? open : closed).push(request);
    }
    open.sort((a, b) => a.opened - b.opened);
    closed.sort((a, b) => b.opened - a.opened);
    const all = [...open, ...closed];
    rows = all.map((request) => request.id);
    const longest = Math.max(1, ...all.map((request) => endOf(request) - request.opened));

    const scroll = $("scroll");
    const box = $("list");
    setStyle(box, "height", `${all.length * rowHeight}px`);
    const first = Math.max(0, Math.floor((scroll.scrollTop - box.offsetTop) / rowHeight) - 4);
    const visible = all.slice(first, first + Math.ceil(scroll.clientHeight / rowHeight) + 8);
    follow(box, visible, (request) => request.id, makeRow,
        (row, request, position) => showRow(row, request, first + position, all.length, longest));
    const cursor = box.items.get(state.cursor);
    setAttribute(box, "aria-activedescendant", cursor ? cursor.id : null);
    $("empty").hidden = all.length > 0;
    setText($("empty"), known > 0 ? "No request passes the filters." : "No request yet. Send one to the application, and it appears here.");
    setText($("counts"), `${state.overview.open ?? open.length} open · ${all.length === known ? known : `${all.length} of ${known}`} shown`
        + (state.forgotten ? ` · ${state.forgotten.toLocaleString("en")} forgotten` : ""));
    return all.length;
}

let rowNumber = 0;

function makeRow(request) {
    const row = make("div", "row", { role: "option", id: `row-${++rowNumber}` });
    row.parts = {};
    for (const name of ["dot", "title", "badge", "note", "time", "bar"]) {
        row.parts[name] = row.appendChild(make("span", name));
    }
    row.dataset.request = request.id;
    return row;
}

/** What a row's bar consists of: acquiring and waiting, releasing, the body, and the rest. */
function shares(request) {
    const end = endOf(request);
    const acquire = [];
    const release = [];
    for (const acquisition of list(request.acquisitions)) {
        acquire.push([acquisition.from, arrival(acquisition) ?? end]);
        if (acquisition.releasing != null) release.push([acquisition.releasing, acquisition.released ?? end]);
    }
    for (const call of list(request.calls)) if (call.kind === "wait") acquire.push([call.from, call.to ?? end]);
    const body = list(request.phases).filter((phase) => phase.name === "body").map((phase) => [phase.from, phase.to ?? end]);
    const total = Math.max(1, end - request.opened);
    const of = (intervals) => covered(intervals, request.opened, end) / total;
    const both = of([...acquire, ...release]);
    const all = of([...acquire, ...release, ...body]);
    const acquires = of(acquire);
    return { rest: 1 - all, acquire: acquires, release: both - acquires, body: all - both };
}

function stateOf(request) {
    if (request.closed == null) return { kind: "open", text: phaseOf(request) ?? "open" };
    const isBad = request.outcome !== "completed" || request.status >= 500 || (request.transport === "grpc" && request.status > 0);
    return {
        kind: isBad ? "bad" : request.status >= 400 || request.verdict === "rollback" ? "odd" : "good",
        text: request.status != null ? String(request.status) : endings[request.outcome] ?? request.outcome ?? "closed",
    };
}

function showRow(row, request, position, count, longest) {
    const { dot, title, badge, note, time, bar } = row.parts;
    const took = endOf(request) - request.opened;
    const { kind, text } = stateOf(request);
    setStyle(row, "transform", `translateY(${position * rowHeight}px)`);
    setAttribute(row, "aria-setsize", count);
    setAttribute(row, "aria-posinset", position + 1);
    setAttribute(row, "aria-selected", request.id === state.cursor ? "true" : "false");
    row.classList.toggle("shown", request.id === state.shown);
    row.dataset.state = kind;
    setText(dot, { open: "●", good: "✓", odd: "!", bad: "✕" }[kind]);
    setAttribute(dot, "aria-hidden", "true");
    setText(title, titleOf(request));
    setText(badge, text);
    const remarks = [];
    if (request.closed != null) {
        if (request.outcome !== "completed" && request.status != null) remarks.push(endings[request.outcome] ?? request.outcome);
        if (request.verdict === "rollback") remarks.push("rolled back");
    } else {
        const open = list(request.acquisitions).find((acquisition) => arrival(acquisition) == null);
        if (open) remarks.push(`acquiring ${open.key}`);
    }
    setText(note, remarks.join(", "));
    setText(time, duration(took));
    const parts = shares(request);
    setStyle(bar, "width", `${Math.max(1.5, 100 * Math.sqrt(took / longest))}%`);
    follow(bar, ["rest", "acquire", "release", "body"], (name) => name, (name) => make("i", name, { "aria-hidden": "true" }),
        (part, name) => setStyle(part, "flexGrow", String(Math.round(parts[name] * 1000) / 1000)));
    const name = `${titleOf(request)}, ${request.closed == null ? `open, ${text}` : text}, ${[...remarks, duration(took)].join(", ")}`;
    // A screen reader that stands on a row should not be told of each tenth of a second.
    if (request.closed != null || !row.hasAttribute("aria-label")) setAttribute(row, "aria-label", name);
}

// MARK: The overview

const most = 40;

/** Shows rows of text; each cell is an array of parts. */
function showTable(element, heads, items, key, cells, none) {
    const shown = items.slice(0, most);
    if (!element.table) {
        element.table = make("table");
        element.none = make("p", "none");
        const row = element.table.createTHead().insertRow();
        for (const head of heads) {
            const cell = make("th", "", { scope: "col" });
            cell.textContent = head;
            row.append(cell);
        }
        element.rows = element.table.createTBody();
        element.append(element.table, element.none);
    }
    element.table.hidden = shown.length === 0;
    const more = items.length > most ? `and ${items.length - most} more` : "";
    setText(element.none, shown.length ? more : none);
    element.none.hidden = shown.length > 0 && !more;
    follow(element.rows, shown, key, () => {
        const row = make("tr");
        heads.forEach((head) => row.append(make("td", "", { "data-head": head })));
        return row;
    }, (row, item) => cells(item).forEach((parts, position) => write(row.cells[position], parts)));
}

const requestCell = (id) => (id == null ? ["–"] : state.requests.has(id) ? [link(state.requests.get(id))] : [String(id)]);
const placeCell = (position) => (position ? [place(position)] : [""]);

function showOverview() {
    const { held, waiting, pools, overdue, leaks } = state.overview;
    setText($("held-count"), list(held).length ? String(held.length) : "");
    showTable($("held"), ["Key", "By", "For", "Asked for at"],
        list(held).toSorted((a, b) => a.since - b.since), (item) => `${item.request} ${item.acquisition}`,
        (item) => [[code(item.key), item.overdue ? ["strong", " overdue"] : ""], requestCell(item.request),
            [duration(now() - item.since)], placeCell(item.askedAt)], "Nothing is held.");
    showTable($("waiting"), ["Key", "Waiting", "Longest", "By"],
        list(waiting).toSorted((a, b) => a.longestSince - b.longestSince), (item) => item.key,
        (item) => [[code(item.key)], [String(item.waiters)], [duration(now() - item.longestSince)], requestCell(item.request)],
        "Nobody waits.");
    showTable($("pools"), ["Key", "Hold", "Acquire", "Wait"], list(pools), (item) => item.key,
        (item) => [[code(item.key)], [String(item.holding ?? 0)], [String(item.acquiring ?? 0)], [String(item.waiting ?? 0)]],
        "No key is in use.");
    showTable($("overdue"), ["Key", "What", "Limit", "By", "Passed"], list(overdue),
        (item, position) => `${item.request} ${item.key} ${item.what} ${item.at}`,
        (item) => [[code(item.key ?? "the whole point")], [String(item.what)], [duration(item.limit)], requestCell(item.request),
            [item.at == null ? "" : `${duration(now() - item.at)} ago`]], "Nothing is overdue.");
    showTable($("leaks"), ["Was held when its store was dropped", "Store", "Asked for at", "Seen"], list(leaks),
        (item) => `${item.request} ${item.key} ${item.at} ${item.askedAt}`,
        (item) => [[item.key ? code(item.key) : "nothing"], requestCell(item.request),
            placeCell(item.askedAt ?? item.declaration), [item.at == null ? "" : `${duration(now() - item.at)} ago`]],
        "No store was dropped without being closed.");
}

// MARK: The detail

const legend = [["acquire", "acquire"], ["wait", "a caller waits"], ["hold", "hold"], ["use", "use"], ["release", "release"], ["failed", "failed"]];

function showDetail() {
    const request = state.requests.get(state.shown) ?? (state.kept?.id === state.shown ? state.kept : null);
    $("detail").hidden = state.shown == null;
    $("overview").hidden = state.shown != null;
    document.body.classList.toggle("has-detail", state.shown != null);
    if (state.shown == null) return;
    if (!request) {
        setText($("detail-title"), `${state.shown} is not kept`);
        write($("detail-facts"), ["The server keeps the latest requests only, or has not seen this one."]);
        for (const id of ["why", "waterfall", "values", "legend", "detail-badges"]) {
            $(id).replaceChildren();
            $(id).items = null;
            $(id).body = null;
        }
        $("detail-error").hidden = true;
        return;
    }
    state.kept = request;
    const end = endOf(request);
    const total = end - request.opened;
    const { kind, text } = stateOf(request);
    setText($("detail-title"), titleOf(request));
    const badges = [[kind, text]];
    if (request.closed != null && request.status != null && request.outcome) badges.push([kind, endings[request.outcome] ?? request.outcome]);
    if (request.verdict) badges.push([request.verdict === "commit" ? "good" : "odd", verdicts[request.verdict] ?? request.verdict]);
    follow($("detail-badges"), badges, (badge, position) => String(position), () => make("span", "badge"), (element, [kind, text]) => {
        element.dataset.state = kind;
        setText(element, text);
    });
    const parent = state.requests.get(request.parent);
    write($("detail-facts"), [["strong", duration(total)], request.closed == null ? " so far" : "", " · id ", code(nameOf(request)),
        ` · opened ${clock(request.opened)}`, ...(request.parent == null ? [] : [" · child of ", parent ? link(parent) : String(request.parent)]),
        ...leftBy(request), state.requests.has(request.id) ? "" : " · no longer kept by the server"]);
    $("detail-error").hidden = !request.error;
    setText($("detail-error"), request.error ?? "");
    for (const [id, path] of [["detail-json", "export.json"], ["detail-trace", "trace.json"]]) {
        setAttribute($(id), "href", `${at(path)}?id=${encodeURIComponent(request.id)}`);
    }
    showReasons(request, total);
    showWaterfall(request);
    const values = list(request.values);
    $("values").hidden = $("values-title").hidden = values.length === 0;
    follow($("values"), values, (value, position) => `${position}`, () => {
        const row = make("div");
        row.append(make("dt"), make("dd"));
        return row;
    }, (row, value) => {
        setText(row.firstChild, value.name);
        setText(row.lastChild, value.value ?? "not shown: its key is not marked as loggable");
        row.lastChild.classList.toggle("none", value.value == null);
    });
    $("detail-dropped").hidden = !request.dropped;
    setText($("detail-dropped"), request.dropped ? `${counted(request.dropped, "part")} of it over the bound of one request are not kept.` : "");
}

/** Of a job's store, the request that left the job. */
function leftBy(request) {
    if (request.leftBy == null) return [];
    const origin = state.requests.get(request.leftBy);
    return [" · left by ", origin ? link(origin) : `request ${request.leftBy}`];
}

function clock(us) {
    if (!state.startedAt) return duration(us);
    return new Date(Date.parse(state.startedAt) + us / 1000).toLocaleTimeString("en-GB", {
        hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3,
    });
}

function showReasons(request, total) {
    const least = Math.max(100, total * 0.03);
    let all = reasons(request).filter((reason) => reason.us >= least).slice(0, 5);
    setText($("why-title"), request.closed == null ? "Why it takes so long" : "Why it took so long");
    if (all.length === 0) all = [{ us: total, parts: [`It took ${duration(total)}; nothing in it stands out.`] }];
    follow($("why"), all, (reason, position) => String(position), () => {
        const item = make("li");
        item.append(make("span", "share"), make("span", "meter", { "aria-hidden": "true" }), make("span", "text"));
        item.children[1].append(make("i"));
        return item;
    }, (item, reason) => {
        const share = Math.min(1, reason.us / Math.max(1, total));
        setText(item.children[0], `${duration(reason.us)} of ${duration(total)}`);
        setStyle(item.children[1].firstChild, "width", `${Math.round(share * 100)}%`);
        write(item.children[2], reason.parts);
    });
}

function showWaterfall(request) {
    const all = lanes(request);
    const from = request.opened;
    const to = Math.max(endOf(request), ...all.flatMap((lane) => lane.bars.map((bar) => bar.to)));
    const length = Math.max(1, to - from);
    const percent = (time) => `${(Math.min(1, Math.max(0, (time - from) / length)) * 100).toFixed(3)}%`;
    follow($("legend"), legend, ([kind]) => kind, ([kind, text]) => {
        const item = make("li");
        item.append(make("span", `bar ${kind}`), make("span"));
        item.lastChild.textContent = text;
        return item;
    });
    const box = $("waterfall");
    if (!box.body) {
        box.head = make("div", "lane head", { role: "row" });
        for (const [name, text] of [["name", "What"], ["track", ""], ["time", "Took"]]) {
            const cell = make("div", name, { role: "columnheader" });
            cell.textContent = text;
            box.head.append(cell);
        }
        setAttribute(box.head.children[1], "aria-label", "When");
        box.body = make("div", "lanes", { role: "rowgroup" });
        box.replaceChildren(box.head, box.body);
    }
    const marks = ticks(length, box.head.children[1].clientWidth > 420 ? 8 : 4);
    box.style.setProperty("--tick", `${marks.length > 1 ? (marks[1] / length) * 100 : 100}%`);
    const width = box.head.children[1].clientWidth;
    follow(box.head.children[1], marks, (tick) => String(tick),
        () => make("span", "tick"), (element, tick) => {
            setStyle(element, "left", `${(tick / length) * 100}%`);
            setText(element, (1 - tick / length) * width < 56 ? "" : tick === 0 ? "0" : duration(tick).replace(/\.0+ /, " "));
        });
    follow(box.body, all, (lane) => lane.id, makeLane, (element, lane) => showLane(element, lane, percent, from, length));
}

function makeLane() {
    const row = make("div", "lane", { role: "row" });
    row.append(make("div", "name", { role: "rowheader" }), make("div", "track", { role: "cell" }), make("div", "time", { role: "cell" }));
    const [name, track] = row.children;
    name.append(make("span", "what"), make("span", "place"));
    track.append(make("div", "bars"), make("div", "note"));
    return row;
}

function showLane(row, lane, percent, from, length) {
    const [name, track, time] = row.children;
    row.dataset.kind = lane.kind;
    setAttribute(row, "data-depth", Math.min(lane.depth, 6));
    write(name.children[0], [lane.link != null ? ["link", lane.name, lane.link] : lane.kind === "key" ? code(lane.name) : lane.name]);
    setText(name.children[1], lane.place ?? "");
    setAttribute(name, "title", lane.declaration ? `${lane.name}, declared at ${lane.declaration}` : null);
    setText(time, duration((lane.to ?? Math.max(...lane.bars.map((bar) => bar.to))) - lane.from));
    time.classList.toggle("running", lane.bars.some((bar) => bar.isOpen));
    const [bars, note] = track.children;
    const marks = lane.marks.map((mark) => ({ kind: "mark", from: mark.at, to: mark.at, word: mark.text }));
    follow(bars, [...lane.bars, ...marks], (bar, position) => `${bar.kind} ${position}`, (bar) => {
        const element = make("span", `bar ${bar.kind}`, { role: "img" });
        element.append(make("span"));
        return element;
    }, (element, bar) => {
        const us = bar.to - bar.from;
        const isMark = bar.kind === "mark";
        const text = isMark ? `${bar.word} at ${duration(bar.from - from)}`
            : `${bar.word} ${duration(us)}${bar.isOpen ? " so far" : ""}, from ${duration(bar.from - from)} to ${duration(bar.to - from)}`
                + (bar.place ? `, at ${bar.place}` : "");
        setStyle(element, "left", isMark ? percent(bar.from) : `min(${percent(bar.from)}, 100% - 2px)`);
        if (!isMark) setStyle(element, "width", `${((us / length) * 100).toFixed(3)}%`);
        element.dataset.from = bar.from;
        element.dataset.to = bar.to;
        element.classList.toggle("running", Boolean(bar.isOpen));
        setText(element.firstChild, isMark || us / length < 0.07 ? "" : us / length < 0.24 ? bar.word : `${bar.word} ${duration(us)}`);
        if (!bar.isOpen || !element.hasAttribute("aria-label")) {
            setAttribute(element, "aria-label", text);
            setAttribute(element, "title", text);
        }
    });
    write(note, lane.note);
    note.hidden = lane.note.length === 0;
}

// MARK: Drawing, at most once a frame

let isDirty = false;

function draw() {
    if (isDirty) return;
    isDirty = true;
    requestAnimationFrame(() => {
        isDirty = false;
        showList();
        if (state.shown == null) showOverview();
        showDetail();
    });
}

// What is open gets longer while nothing else happens.
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let lastTick = 0;
setInterval(() => {
    const isMoving = state.isRunning && [...state.requests.values()].some((request) => request.closed == null);
    if (!isMoving || performance.now() - lastTick < (calm.matches ? 1000 : 200)) return;
    lastTick = performance.now();
    draw();
}, 100);

function announce(text) { setText($("announcements"), text); }

// MARK: The server

let source = null;
let isPaused = false;
let attempts = 0;
let retry = 0;

function setConnection(name, text) {
    const element = $("connection");
    if (element.dataset.state === name && $("connection-text").textContent === text) return;
    if (element.dataset.state !== name && name !== "connecting") announce(text);
    element.dataset.state = name;
    setText($("connection-text"), text);
}

function setClock(time) {
    state.now = time ?? state.now;
    state.received = performance.now();
    state.isRunning = true;
}

function take(snapshot) {
    state.startedAt = snapshot.startedAt;
    state.capacity = snapshot.capacity;
    state.forgotten = snapshot.forgotten ?? 0;
    state.overview = snapshot.overview ?? {};
    state.requests = new Map(list(snapshot.requests).map((request) => [request.id, request]));
    setClock(snapshot.now);
    follow($("keys"), [...indexedAfterChange().byKey.keys()].sort(), (key) => key, (key) => {
        const option = make("option");
        option.value = key;
        return option;
    });
    draw();
}

function indexedAfterChange() {
    index = null;
    return indexed();
}

function takeChange(change) {
    for (const id of list(change.removed)) state.requests.delete(id);
    let hasNewKey = false;
    for (const request of list(change.requests)) {
        state.requests.set(request.id, request);
        for (const { key } of list(request.acquisitions)) hasNewKey ||= !$("keys").items?.has(key);
    }
    if (change.overview) state.overview = change.overview;
    if (change.forgotten != null) state.forgotten = change.forgotten;
    else state.forgotten += list(change.removed).length;
    index = null;
    setClock(change.now);
    if (hasNewKey) {
        follow($("keys"), [...indexed().byKey.keys()].sort().slice(0, 200), (key) => key, (key) => {
            const option = make("option");
            option.value = key;
            return option;
        });
    }
    draw();
}

function connect() {
    clearTimeout(retry);
    source?.close();
    source = new EventSource(at("events"));
    const mine = source;
    source.addEventListener("snapshot", (event) => {
        attempts = 0;
        take(JSON.parse(event.data));
        setConnection("live", "live");
    });
    source.addEventListener("change", (event) => {
        takeChange(JSON.parse(event.data));
        setConnection("live", "live");
    });
    source.addEventListener("error", () => {
        if (mine !== source || isPaused) return;
        stopClock();
        source.close();
        const wait = Math.min(10, 2 ** attempts++);
        retry = setTimeout(connect, wait * 1000);
        load(mine);
        draw();
    });
}

/** Shows how it is now without a stream, of which the server has only so many. */
async function load(mine) {
    let snapshot = null;
    try {
        const response = await fetch(at("snapshot"));
        if (response.ok) snapshot = await response.json();
    } catch { /* It is said below. */ }
    if (mine !== source || isPaused || $("connection").dataset.state === "live" && state.isRunning) return;
    if (!snapshot) return setConnection("lost", "no connection, trying again");
    take(snapshot);
    stopClock();
    setConnection("stale", `as of ${new Date().toLocaleTimeString("en-GB")}: no stream of changes, trying again`);
}

function stopClock() {
    state.now = now();
    state.isRunning = false;
}

function setPaused(paused) {
    isPaused = paused;
    setAttribute($("pause"), "aria-pressed", paused);
    setText($("pause"), paused ? "Go on" : "Pause");
    if (paused) {
        stopClock();
        clearTimeout(retry);
        source?.close();
        source = null;
        setConnection("paused", `paused at ${new Date().toLocaleTimeString("en-GB")}`);
    } else {
        setConnection("connecting", "connecting");
        connect();
    }
    draw();
}

// MARK: What the address says

const inAddress = { route: "filter-route", outcome: "filter-outcome", key: "filter-key", least: "filter-least" };

function readAddress() {
    const parameters = new URLSearchParams(location.hash.slice(1));
    for (const [name, id] of Object.entries(inAddress)) $(id).value = parameters.get(name) ?? "";
    state.shown = parameters.get("id");
    if (state.shown != null) state.cursor = state.shown;
    draw();
}

function writeAddress() {
    const parameters = new URLSearchParams();
    for (const [name, id] of Object.entries(inAddress)) if ($(id).value) parameters.set(name, $(id).value);
    if (state.shown != null) parameters.set("id", state.shown);
    const text = parameters.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}

// MARK: What the reader does

const isNarrow = matchMedia("(max-width: 899px)");

function show(id, movesFocus = true) {
    state.shown = id;
    if (id != null && rows.includes(id)) state.cursor = id;
    writeAddress();
    showDetail();
    draw();
    if (id != null && (movesFocus || isNarrow.matches)) $("detail-title").focus({ preventScroll: !isNarrow.matches });
    if (id != null && isNarrow.matches) scrollTo(0, 0);
    if (id == null) $("list").focus({ preventScroll: true });
}

function move(to) {
    if (rows.length === 0) return;
    const position = Math.min(rows.length - 1, Math.max(0, to));
    state.cursor = rows[position];
    const scroll = $("scroll");
    const top = position * rowHeight + $("list").offsetTop;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    if (top + rowHeight > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = top + rowHeight - scroll.clientHeight;
    if (state.shown != null && !isNarrow.matches) {
        state.shown = state.cursor;
        writeAddress();
    }
    draw();
}

function act(key) {
    const position = rows.indexOf(state.cursor);
    switch (key) {
        case "j": case "ArrowDown": move(position + 1); break;
        case "k": case "ArrowUp": move(position < 0 ? 0 : position - 1); break;
        case "Home": move(0); break;
        case "End": move(rows.length - 1); break;
        case "Enter": if (position >= 0) show(state.cursor); break;
        case "Escape": if (state.shown != null) show(null); else return false; break;
        case "/": $("filter-route").focus(); $("filter-route").select(); break;
        case "p": setPaused(!isPaused); break;
        case "?": $("help").showModal(); break;
        default: return false;
    }
    return true;
}

document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
    const target = event.target;
    if (target.matches("input, select")) {
        if (event.key === "Escape" || (event.key === "Enter" && target.matches("input"))) {
            $("list").focus();
            if (rows.length && !rows.includes(state.cursor)) move(0);
            event.preventDefault();
        }
        return;
    }
    // A button does what it says, and the detail scrolls.
    if (event.key === "Enter" && target.matches("button, a")) return;
    if (target.closest("#detail, #overview") && /^(Arrow|Home|End)/.test(event.key)) return;
    if (act(event.key)) event.preventDefault();
});

document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-request]");
    if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    show(target.dataset.request, !target.matches(".row"));
});

let announcing = 0;

$("filters").addEventListener("input", () => {
    writeAddress();
    $("scroll").scrollTop = 0;
    draw();
    clearTimeout(announcing);
    announcing = setTimeout(() => announce(counted(rows.length, "request")), 600);
});
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("filters").addEventListener("reset", () => requestAnimationFrame(() => {
    writeAddress();
    draw();
}));
$("scroll").addEventListener("scroll", draw, { passive: true });
$("pause").addEventListener("click", () => setPaused(!isPaused));
$("help-button").addEventListener("click", () => $("help").showModal());
$("detail-close").addEventListener("click", () => show(null));
addEventListener("hashchange", readAddress);
addEventListener("resize", draw);
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => { if (event.persisted && !isPaused) connect(); });

readAddress();
connect();
