/** What the client uses of its surroundings: those of a page, of a worker, or of Node, Bun and Deno, where only some of it is there. */
interface Surroundings {
  readonly navigator?: { readonly onLine?: boolean };
  readonly document?: EventSource & { readonly hidden?: boolean; readonly baseURI?: string };
  readonly location?: { readonly href: string };
  readonly WebSocket?: unknown;
  readonly addEventListener?: EventSource['addEventListener'];
}

interface EventSource {
  addEventListener(type: string, listener: () => void, options: { readonly signal: AbortSignal }): void;
}

/** They are read when they are needed: tests put others in their place. */
export const here = globalThis as Surroundings;

/** Whether it is certain that there is no network. */
export function isOffline(): boolean {
  return here.navigator?.onLine === false;
}

/** Calls `look` when the network comes or goes, and when the page becomes visible, until `signal` is aborted. */
export function whenWorthALook(look: () => void, signal: AbortSignal): void {
  const { document } = here;
  const onVisible = (): void => {
    if (!document?.hidden) look();
  };
  for (const type of ['online', 'offline']) here.addEventListener?.(type, look, { signal });
  document?.addEventListener('visibilitychange', onVisible, { signal });
}
