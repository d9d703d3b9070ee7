// What a service measures of itself, as Prometheus reads it.
export type Sample = { name: string; labels: Record<string, string>; value: number };

const line = /^(?<name>[a-zA-Z_:][\w:]*)(?:\{(?<labels>.*)\})? (?<value>\S+)/;
const label = /(?<name>[a-zA-Z_]\w*)="(?<value>(?:[^"\\]|\\.)*)"/g;

/** Prometheus' text format. Labels that say which service it is, as every sample has them, are left out. */
function samplesIn(text: string): Sample[] {
  return text.split('\n').flatMap(each => {
    const { name, labels = '', value } = line.exec(each)?.groups ?? {};
    if (name === undefined) return [];
    const all = [...labels.matchAll(label)].map(({ groups }) => [groups?.['name'] ?? '', groups?.['value'] ?? '']);
    const own = all.filter(([key]) => !key?.startsWith('otel_scope_'));
    return [{ name, labels: Object.fromEntries(own) as Record<string, string>, value: Number(value) }];
  });
}

export async function scrape(url: string): Promise<Sample[]> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return samplesIn(await response.text());
}

/** Of all series of a name that have these labels; null where there are none. */
export function sumOf(samples: readonly Sample[], name: string, labels: Record<string, string> = {}): number | null {
  const found = samples.filter(
    one => one.name === name && Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  );
  return found.length === 0 ? null : found.reduce((sum, { value }) => sum + value, 0);
}
