// A stream of live changes that survives what phones do: sleep, lost networks, hidden tabs.
// The server ends each stream after some minutes and sends a snapshot on every new one, so nothing is ever missed for long.

const LONGEST_WAIT_MS = 30000;

export function listen(address, handlers) {
  let source = null;
  let failures = 0;
  let timer = 0;
  let ended = false;

  function open() {
    if (ended || source || document.hidden) return;
    source = new EventSource(address);
    source.addEventListener("open", () => { failures = 0; });
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
    }
    source.addEventListener("error", () => {
      close();
      // Spread out, so that a restart of the server does not bring everybody back in the same second.
      const wait = Math.min(LONGEST_WAIT_MS, 1000 * 2 ** failures) * (0.5 + Math.random());
      failures += 1;
      clearTimeout(timer);
      timer = setTimeout(open, wait);
    });
  }

  function close() {
    source?.close();
    source = null;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close(); else open();
  });
  addEventListener("pagehide", close);
  open();
  return () => { ended = true; clearTimeout(timer); close(); };
}
