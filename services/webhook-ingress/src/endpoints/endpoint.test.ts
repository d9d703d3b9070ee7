import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { defaultSettings as defaultSignatures } from '@reeve/webhook-signatures';
import {
  adjust,
  defaultSettings,
  disable,
  type Endpoint,
  enable,
  endpoints,
  idSource,
  liveSecrets,
  open,
  rotate,
} from './endpoint.ts';

const id = newId('endpoint');
const now = new Date('2026-01-01T12:00:00.000Z');
const after = (seconds: number) => new Date(now.getTime() + seconds * 1_000).toISOString();
const secret = (name: string, expiresAt: string | null = null) => ({
  id: name,
  createdAt: now.toISOString(),
  expiresAt,
});
const endpoint: Endpoint = {
  ...defaultSettings,
  connectorId: 'partner',
  installationId: null,
  scheme: 'standard',
  signature: null,
  status: 'active',
  secrets: [secret('first')],
  createdAt: now.toISOString(),
};

describe('rotating', () => {
  const rotated = (from: Endpoint, overlapSeconds: number, name = 'fresh') =>
    rotate(id, from, { fresh: secret(name), overlapSeconds, now });

  test('puts the new secret first and ends the others after the overlap', () => {
    expect(rotated(endpoint, 60)?.state.secrets).toEqual([secret('fresh'), secret('first', after(60))]);
    expect(rotated(endpoint, 60)?.events).toMatchObject([
      { type: 'endpoint.secret_rotated', details: { secretId: 'fresh', previousExpiresAt: after(60) } },
    ]);
  });

  test('lets nothing work longer than it was to, and drops what has ended', () => {
    const old = {
      ...endpoint,
      secrets: [secret('soon', after(10)), secret('later', after(100)), secret('over', after(-1))],
    };
    expect(rotated(old, 60)?.state.secrets).toEqual([
      secret('fresh'),
      secret('soon', after(10)),
      secret('later', after(60)),
    ]);
  });

  test('without an overlap leaves the new one alone in force', () => {
    const state = rotated(endpoint, 0)?.state ?? endpoint;
    expect(liveSecrets(state, now).map(one => one.id)).toEqual(['fresh']);
  });

  test('leaves at most five in force, and says so instead of ending one early', () => {
    const having = (count: number) => ({
      ...endpoint,
      secrets: [...Array.from({ length: count }, (_, index) => secret(`s${index}`)), secret('over', after(-1))],
    });
    expect(rotated(having(4), 60)?.state.secrets).toHaveLength(5);
    for (const count of [5, 150]) {
      expect(() => rotated(having(count), 60)).toThrow(expect.objectContaining({ code: 'secret_limit' }));
      expect(liveSecrets(rotated(having(count), 0)?.state ?? endpoint, now)).toEqual([secret('fresh')]);
    }
  });

  test('to what is in force already changes nothing', () => {
    const state = rotated(endpoint, 60)?.state ?? endpoint;
    expect(rotated(state, 0)).toBeNull();
  });
});

describe('changing', () => {
  test('names in its event what changed, and is none where nothing does', () => {
    const settings = { toleranceSeconds: 60, contentTypes: [], limits: { perSecond: 5 } };
    expect(adjust(id, endpoint, settings)?.events).toMatchObject([
      { details: { changed: ['toleranceSeconds', 'limits'] } },
    ]);
    expect(adjust(id, endpoint, { contentTypes: [], limits: { perSecond: 1_000 } })).toBeNull();
  });

  test('between active and disabled happens once, and says why', () => {
    const disabled = disable(id, endpoint, 'uninstalled');
    expect(disabled).toMatchObject({ state: { status: 'disabled' }, events: [{ reason: { code: 'uninstalled' } }] });
    const state = disabled?.state ?? endpoint;
    expect([disable(id, state, 'requested'), enable(id, endpoint)]).toEqual([null, null]);
    expect(enable(id, state)).toMatchObject({ state: { status: 'active' }, events: [{ type: 'endpoint.enabled' }] });
  });
});

test.each([
  ['{body}', 'header:x-id', false],
  ['{body}', 'body:/id', true],
  ['{id}.{body}', null, true],
  ['{id}.{body}', 'header:x-other', false],
  ['{id}.{body}', 'body:/id', true],
  // As endpoints of earlier builds may have it: where the body begins is not certain, nor what is in it.
  ['{id}{body}', null, false],
  ['{id}{body}', 'body:/id', false],
] as const)('with what is signed as %s, that the id at %s is signed is %s', (template, idFrom, signed) => {
  const signature = { ...defaultSignatures.hmac, template, idHeader: 'x-id' };
  expect(idSource({ scheme: 'hmac', signature, idFrom }).signed).toBe(signed);
});

test('a new endpoint is active, and its event has no secret', () => {
  const { state, events } = open(id, endpoint, 'requested');
  expect(state.status).toBe('active');
  expect(JSON.stringify(events)).not.toContain('first');
});

test('an endpoint of the first version gets the settings that it lacks', () => {
  const { trustUnsignedIds: _, onGap: __, signature: ___, ...stored } = { ...endpoint, toleranceSeconds: 77 };
  expect(endpoints.upgrade?.(stored, 1)).toEqual({ ...endpoint, toleranceSeconds: 77 });
});
