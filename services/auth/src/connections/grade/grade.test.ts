import { describe, expect, test } from '@jest/globals';
import type { Connection } from '../connection.ts';
import type { Clause } from '../kinds/clause.ts';
import { gradeOf } from './grade.ts';

const connection: Connection = {
  name: 'Acme',
  kind: 'oidc',
  status: 'active',
  settings: {},
  issuer: 'https://idp.example',
  domains: [],
  trustEmail: false,
  jit: { enabled: false, defaultRoles: [] },
  attributes: {},
  identifier: null,
  secretSetAt: '2026-01-01T00:00:00Z',
  createdAt: '2026-01-01T00:00:00Z',
};
const clause = (level: Clause['level'], holds: Clause['holds']): Clause => ({
  id: 'of_kind',
  level,
  clause: 'Something',
  who: 'both',
  holds,
  why: 'Because',
  whatToDo: null,
});
const holdsOf = (changed: Partial<Connection>, id: string) =>
  gradeOf({ ...connection, ...changed }, []).clauses.find(one => one.id === id)?.holds;

describe('the level', () => {
  test('is reached where no clause of it is broken, and no higher one while signals are not received', () => {
    expect(gradeOf(connection, [clause('SL1', true)]).level).toBe('SL1');
  });

  test('is none where one clause of the first is broken', () => {
    expect(gradeOf(connection, [clause('SL1', true), clause('SL1', false)]).level).toBe('none');
  });

  test('is not lowered by what cannot be known from here, which is told', () => {
    const { level, clauses } = gradeOf(connection, [clause('SL1', null)]);
    expect(level).toBe('SL1');
    expect(clauses).toContainEqual(clause('SL1', null));
  });

  test('is lost with an identifier in place of the subject', () => {
    const identifier = { type: 'email', attribute: 'email', normalize: [] } as const;
    expect(gradeOf({ ...connection, identifier: { ...identifier, normalize: [] } }, []).level).toBe('none');
  });
});

test('clauses stand in the order of their levels', () => {
  const order = gradeOf(connection, [clause('SL3', false), clause('SL1', true)]).clauses.map(({ level }) => level);
  expect(order).toEqual(order.toSorted());
});

test.each([
  ['subject_and_tenant', true],
  ['account_linking', true],
  ['session_lifetime', true],
  ['break_glass', null],
  ['session_ended_on_request', false],
  ['session_reestablished_on_request', false],
  ['changes_sent', false],
  ['changes_received', false],
])('%s is %j of a connection without settings', (id, holds) => {
  expect(holdsOf({}, id)).toBe(holds);
});

test('says for which addresses people are linked', () => {
  const { clauses } = gradeOf({ ...connection, domains: ['acme.example'] }, []);
  expect(clauses.find(({ id }) => id === 'account_linking')?.why).toContain('acme.example');
});
