// Follows what changes, over a socket while there is one, and by asking from time to time while there is none.
// A socket may not open, close abruptly, go silent, or be closed because it does not keep up: the page goes on all the same.

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60000;
// A phone with three seconds of latency needs about nine until it is greeted.
const GREETED_WITHIN_MS = 15000;
const ANSWERED_WITHIN_MS = 20000;
// After so many heartbeats that did not come nobody is there.
const SILENCE = 2.5;
const RESTARTS = 1012;
const KEEPS_NOT_UP = 1013;

// socket, ask: addresses. askMs: how often is asked meanwhile, as a function. whileHidden: also in a tab that nobody looks at.
// snapshot(all) and change(what is otherwise) are called as things come; a snapshot may come at any time, and says nothing new perhaps.
export function follow({ socket: address, ask, askMs, whileHidden = false, snapshot, change }) {
  let socket = null;
  let version = "";
  let failures = 0;
  let isLive = false;
  let silent = 0;
  let opening = 0;
  let asking = 0;
  let silenceMs = GREETED_WITHIN_MS;
  let ended = false;

  function wanted() {
    return !ended && (whileHidden || !document.hidden);
  }

  function open() {
    clearTimeout(opening);
    if (!wanted() || socket) return;
    const mine = socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}${address}${version ? `?have=${encodeURIComponent(version)}` : ""}`);
    silenceMs = GREETED_WITHIN_MS;
    listenForSilence(mine);
    mine.addEventListener("message", (event) => { if (mine === socket) hear(mine, JSON.parse(event.data)); });
    // What is closed abruptly, and what could not be opened, says no code that is of use.
    mine.addEventListener("close", (event) => lose(mine, event.code));
  }

  function hear(mine, said) {
    if (said.kind === "hello") silenceMs = said.heartbeat_ms * SILENCE;
    listenForSilence(mine);
    if ((said.kind === "change" && !follows(said.version)) || (said.kind === "same" && said.version !== version)) {
      // Something is missing between, or was shown since that is older than what this socket goes on from: the whole is asked for.
      version = "";
      lose(mine);
      return;
    }
    if (said.version === undefined) return;
    version = said.version;
    failures = 0;
    live(true);
    if (said.kind === "snapshot") snapshot(said);
    if (said.kind === "change") change(said);
  }

  // A version is a name and a number.
  function follows(next) {
    const [name, number] = version.split(".");
    return next === `${name}.${Number(number) + 1}`;
  }

  function listenForSilence(mine) {
    clearTimeout(silent);
    silent = setTimeout(() => lose(mine), silenceMs);
  }

  function lose(mine, code) {
    if (mine !== socket) return;
    drop();
    if (!wanted()) return;
    // Spread out, so that a restart of the server does not bring everybody back in the same second.
    const wait = code === KEEPS_NOT_UP ? LONGEST_WAIT_MS : Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
    if (code !== RESTARTS) failures += 1;
    opening = setTimeout(open, wait * (0.5 + Math.random()));
    askNow();
  }

  function drop() {
    clearTimeout(silent);
    const old = socket;
    socket = null;
    live(false);
    // A connection that is dead already would wait for the other side's goodbye; nobody listens to it any more.
    old?.close();
  }

  function live(now) {
    isLive = now;
    document.documentElement.dataset.live = now ? "socket" : "asking";
    if (now) clearTimeout(asking);
  }

  async function askNow() {
    clearTimeout(asking);
    if (!wanted() || isLive) return;
    try {
      const response = await fetch(ask, { credentials: "omit", signal: AbortSignal.timeout(ANSWERED_WITHIN_MS) });
      // The socket may have been quicker: what it said is newer.
      if (response.ok && !isLive && !ended) {
        const said = await response.json();
        if (!isLive) take(said);
      }
    } catch {
      // No network: asked again later.
    }
    clearTimeout(asking);
    if (!isLive) asking = setTimeout(askNow, askMs() * (0.75 + Math.random() / 2));
  }

  function take(said) {
    version = said.version ?? "";
    snapshot(said);
  }

  function stop() {
    clearTimeout(opening);
    clearTimeout(asking);
    drop();
  }

  // The network is back, or somebody looks again: nobody waits for a clock.
  function again() {
    if (!wanted()) return stop();
    failures = 0;
    open();
    askNow();
  }

  document.addEventListener("visibilitychange", again);
  addEventListener("online", again);
  addEventListener("pagehide", stop);
  addEventListener("pageshow", (event) => { if (event.persisted) again(); });
  live(false);
  open();
  asking = setTimeout(askNow, askMs());
  return () => { ended = true; stop(); };
}
