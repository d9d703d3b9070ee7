// The dashboards in the form that Grafana reads.
import { LegendDisplayMode, LegendPlacement, VizLegendOptionsBuilder } from '@grafana/grafana-foundation-sdk/common';
import { DashboardBuilder, DatasourceVariableBuilder } from '@grafana/grafana-foundation-sdk/dashboard';
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries';
import type { Dashboard, Panel } from './dashboards.ts';

/** Whoever imports it says which Prometheus. */
const datasource = { type: 'prometheus', uid: '${datasource}' };
/** Of the 24 columns of Grafana, for two panels beside each other. */
const [width, height] = [12, 8];

export function dashboardFile({ name, title, about, panels }: Dashboard): string {
  const builder = new DashboardBuilder(`Reeve: ${title}`)
    .uid(`reeve-${name}`)
    .description(about)
    .tags(['reeve'])
    .readonly()
    .time({ from: 'now-6h', to: 'now' })
    .refresh('1m')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'));
  for (const [index, panel] of panels.entries()) builder.withPanel(panelOf(panel, index));
  return `${JSON.stringify(builder.build(), null, 2)}\n`;
}

function panelOf({ title, about, unit, queries }: Panel, index: number): PanelBuilder {
  const builder = new PanelBuilder()
    .id(index + 1)
    .title(title)
    .description(about)
    .unit(unit)
    .min(0)
    .datasource(datasource)
    .legend(
      new VizLegendOptionsBuilder()
        .showLegend(true)
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .calcs([]),
    )
    .gridPos({ x: (index % 2) * width, y: Math.floor(index / 2) * height, w: width, h: height });
  for (const [at, { expr, legend }] of queries.entries())
    builder.withTarget(
      new DataqueryBuilder()
        .datasource(datasource)
        .expr(expr)
        .legendFormat(legend)
        .refId(String.fromCharCode(65 + at)),
    );
  return builder;
}
