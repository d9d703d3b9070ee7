// Every query of dashboards and rules, and the series that it reads.
import { parser } from '@prometheus-io/lezer-promql';
import { dashboards } from './dashboards.ts';
import { groups, isAlert } from './rules.ts';

export type Asked = { where: string; expr: string };
/** Labels by which it chooses or groups. */
export type Series = { name: string; labels: string[] };

const rateInterval = '5m';

/** With what Grafana puts in. */
export function allQueries(): Asked[] {
  const ofDashboards = dashboards.flatMap(({ name, panels }) =>
    panels.flatMap(({ title, queries }) =>
      queries.map(({ expr }) => ({
        where: `${name}: ${title}`,
        expr: expr.replaceAll('$__rate_interval', rateInterval),
      })),
    ),
  );
  const ofRules = groups.flatMap(({ rules }) =>
    rules.map(rule => ({ where: isAlert(rule) ? rule.alert : rule.record, expr: rule.expr })),
  );
  return [...ofDashboards, ...ofRules];
}

/**
 * What a query reads. Labels that it groups by are those of the first series in what is grouped. Throws a SyntaxError
 * for what is no PromQL.
 */
export function seriesIn(expr: string): Series[] {
  const tree = parser.parse(expr);
  const found: Series[] = [];
  const grouping: { to: number; labels: string[] }[] = [];
  const text = (from: number, to: number) => expr.slice(from, to);
  tree.iterate({
    enter(node) {
      if (node.type.isError) throw new SyntaxError(`not PromQL at ${node.from}: ${expr}`);
      if (node.name === 'AggregateExpr') {
        const labels =
          node.node.getChild('AggregateModifier')?.getChild('GroupingLabels')?.getChildren('LabelName') ?? [];
        grouping.push({ to: node.to, labels: labels.map(({ from, to }) => text(from, to)) });
      }
      if (node.name !== 'VectorSelector') return;
      const name = node.node.getChild('Identifier');
      const matchers = node.node.getChild('LabelMatchers')?.getChildren('UnquotedLabelMatcher') ?? [];
      const chosen = matchers.flatMap(matcher => {
        const label = matcher.getChild('LabelName');
        return label ? [text(label.from, label.to)] : [];
      });
      const grouped = grouping.filter(({ to }) => to >= node.to).flatMap(({ labels }) => labels);
      found.push({ name: name ? text(name.from, name.to) : '', labels: [...new Set([...chosen, ...grouped])] });
    },
  });
  return found;
}
