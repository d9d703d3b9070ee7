import { expect, test } from '@jest/globals';
import { judgeEgress } from './egress.ts';
import type { Finding, Name } from './finding.ts';

const finding = (service: Name, status: Finding['status'], detail: string, code = 'egress'): Finding => ({
  service,
  from: 'inside',
  code,
  status,
  detail,
  advice: null,
});
const refused = 'idp is not reached: it is in a private network, which REEVE_ALLOWED_NETWORKS may open';
const statuses = (findings: readonly Finding[]) => judgeEgress(findings).map(({ status }) => status);

test('a place that is open for one purpose alone is a warning of the services of others', () => {
  expect(statuses([finding('auth', 'ok', ''), finding('audit', 'failed', refused)])).toEqual(['ok', 'warning']);
});

test('a place that nobody reaches is a failure of all', () => {
  const all = [finding('auth', 'failed', 'idp is not reached: ECONNREFUSED'), finding('audit', 'failed', refused)];
  expect(statuses(all)).toEqual(['failed', 'failed']);
});

test('what is let through and does not answer is a failure, and so is anything else', () => {
  const others = [finding('audit', 'failed', 'idp is not reached: ECONNREFUSED')];
  const clock = finding('audit', 'failed', 'REEVE_ALLOWED_NETWORKS', 'clock');
  expect(statuses([finding('auth', 'ok', ''), ...others, clock])).toEqual(['ok', 'failed', 'failed']);
});
