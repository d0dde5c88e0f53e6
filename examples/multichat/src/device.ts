// The first that fits: Edge and Opera call themselves Chrome as well, Chrome calls itself Safari, and Android calls itself Linux.
const browsers = { Edg: 'Edge', OPR: 'Opera', Firefox: 'Firefox', Chrome: 'Chrome', Safari: 'Safari' };
const systems = { Android: 'Android', iPhone: 'iPhone', iPad: 'iPad', Windows: 'Windows', 'Mac OS X': 'macOS', Linux: 'Linux' };

/** What a person would call the device whose browser sends this `User-Agent`, e.g. `Firefox on Linux`. */
export function deviceOf(userAgent = ''): string {
  const nameIn = (names: Record<string, string>) => Object.entries(names).find(([sign]) => userAgent.includes(sign))?.[1];
  const [browser = 'A device', system] = [nameIn(browsers), nameIn(systems)];
  return system === undefined ? browser : `${browser} on ${system}`;
}
