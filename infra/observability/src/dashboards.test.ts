import { expect, test } from '@jest/globals';
import { dashboardFile } from './dashboard-files.ts';
import { dashboards } from './dashboards.ts';

type File = { uid: string; panels: { id: number; gridPos: { x: number; y: number; w: number; h: number } }[] };

test.each(dashboards.map(one => [one.name, one] as const))(
  '%s has panels that cover none of one another',
  (name, one) => {
    const { uid, panels } = JSON.parse(dashboardFile(one)) as File;
    expect(uid).toBe(`reeve-${name}`);
    expect(panels).toHaveLength(one.panels.length);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const places = panels.map(({ gridPos: { x, y, w } }) => (x + w <= 24 ? `${x} ${y}` : 'outside'));
    expect(places).not.toContain('outside');
    expect(new Set(places).size).toBe(panels.length);
  },
);

test('each panel says which Prometheus it asks', () => {
  for (const one of dashboards)
    for (const panel of (
      JSON.parse(dashboardFile(one)) as { panels: { datasource: unknown; targets: { datasource: unknown }[] }[] }
    ).panels)
      for (const { datasource } of [panel, ...panel.targets])
        expect(datasource).toEqual({ type: 'prometheus', uid: '${datasource}' });
});
