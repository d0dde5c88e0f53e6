// The first that fits: Edge and Opera call themselves Chrome as well, Chrome calls itself Safari, and Android calls itself Linux.
const browsers = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari'];
const systems = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS X', 'Linux'];
const names: Readonly<Record<string, string>> = { Edg: 'Edge', OPR: 'Opera', 'Mac OS X': 'macOS' };

/** What a person would call the device whose browser sends this `User-Agent`, e.g. `Firefox on Linux`. */
export function deviceOf(userAgent = ''): string {
  const [browser, system] = [browsers, systems].map((signs) => {
    const sign = signs.find((each) => userAgent.includes(each));
    return sign && (names[sign] ?? sign);
  });
  if (browser === undefined) return system === undefined ? 'A device' : `A device with ${system}`;
  return system === undefined ? browser : `${browser} on ${system}`;
}
