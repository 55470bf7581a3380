// A stream of what happens to one's own order, which survives what phones do: sleep, lost networks, hidden tabs.
// The server ends each stream after some minutes and sends a snapshot on every new one, so nothing is ever missed for long.

const LONGEST_WAIT_MS = 30000;
// A stream that has not begun after so long, or that misses so many heartbeats, is dead, whatever the network says of it.
const BEGINS_WITHIN_MS = 15000;
const SILENCE = 2.5;

export function listen(address, handlers) {
  let source = null;
  let failures = 0;
  let timer = 0;
  let silent = 0;
  let silenceMs = BEGINS_WITHIN_MS;
  let ended = false;

  function open() {
    if (ended || source || document.hidden) return;
    source = new EventSource(address);
    silenceMs = BEGINS_WITHIN_MS;
    listenForSilence();
    const all = { "still-here": ({ heartbeat_ms: beat }) => { silenceMs = beat * SILENCE; }, ...handlers };
    for (const [name, handle] of Object.entries(all)) {
      source.addEventListener(name, (event) => {
        failures = 0;
        handle(JSON.parse(event.data));
        listenForSilence();
      });
    }
    source.addEventListener("error", lose);
  }

  function listenForSilence() {
    clearTimeout(silent);
    silent = setTimeout(lose, silenceMs);
  }

  function lose() {
    close();
    // Spread out, so that a restart of the server does not bring everybody back in the same second.
    const wait = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** failures) * (0.5 + Math.random());
    failures += 1;
    clearTimeout(timer);
    timer = setTimeout(open, wait);
  }

  function close() {
    clearTimeout(silent);
    source?.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close(); else open();
  });
  // The network is back: nobody waits for a clock.
  addEventListener("online", () => { clearTimeout(timer); open(); });
  addEventListener("pagehide", close);
  open();
  return () => { ended = true; clearTimeout(timer); close(); };
}
