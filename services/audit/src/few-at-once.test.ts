import { EventEmitter } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { newId, type TenantId } from '@reeve/contracts';
import { createGiveWay, type Reply, type Route, tenantRoute } from '@reeve/service-kit';
import type { Request, Response } from 'express';
import { fewAtOnce } from './few-at-once.ts';

type Asked = Parameters<Route['handle']>[0];
type Work = ReturnType<typeof Promise.withResolvers<Reply<unknown>>>;

/** A route that takes as long as a test wants. */
function serve(limits: { ofOneTenant: number; inAll?: number }) {
  const giveWay = createGiveWay();
  const works: Work[] = [];
  const route = fewAtOnce(giveWay)(limits)(
    tenantRoute<'/v1/tenants/{tenantId}/long', unknown>({
      method: 'get',
      path: '/v1/tenants/{tenantId}/long',
      summary: 'Take long',
      action: 'audit:read',
      handle() {
        const work = Promise.withResolvers<Reply<unknown>>();
        works.push(work);
        return work.promise;
      },
    }),
  );
  return {
    route,
    giveWay,
    ask(tenantId: TenantId) {
      const response = new EventEmitter() as Response;
      giveWay.noteRequest({} as Request, response, () => undefined);
      const reply = route.handle({ tenantId, response } as Asked);
      return { reply, work: works.at(-1) as Work };
    },
  };
}

const refused = { code: 'rate_limited', status: 429, retryAfterSeconds: 5 };
const done = { body: {} };
const [one, other] = [newId('tenant'), newId('tenant')];

describe('of what takes long', () => {
  test('a tenant has so much at a time, is sent away with more at once, and keeps nobody else from it', async () => {
    const { ask } = serve({ ofOneTenant: 2, inAll: 4 });
    const own = [ask(one), ask(one)];
    await expect(ask(one).reply).rejects.toMatchObject(refused);
    const others = ask(other);
    for (const { work } of [...own, others]) work.resolve(done);
    expect(await Promise.all([...own, others].map(({ reply }) => reply))).toEqual([done, done, done]);
  });

  test('the process does so much at a time, whosever it is', async () => {
    const { ask } = serve({ ofOneTenant: 1, inAll: 2 });
    const first = ask(one);
    ask(other);
    const third = newId('tenant');
    await expect(ask(third).reply).rejects.toMatchObject(refused);
    first.work.resolve(done);
    await first.reply;
    const later = ask(third);
    later.work.resolve(done);
    expect(await later.reply).toBe(done);
  });

  test('one route takes nothing from another', async () => {
    const [verify, rebuild] = [serve({ ofOneTenant: 1, inAll: 1 }), serve({ ofOneTenant: 1, inAll: 1 })];
    verify.ask(one);
    const { reply, work } = rebuild.ask(one);
    work.resolve(done);
    expect(await reply).toBe(done);
  });

  test('nothing counts any more that failed', async () => {
    const { ask } = serve({ ofOneTenant: 1, inAll: 1 });
    const failing = ask(one);
    failing.work.reject(new Error('a record is missing'));
    await expect(failing.reply).rejects.toThrow('a record is missing');
    const next = ask(one);
    next.work.resolve(done);
    expect(await next.reply).toBe(done);
  });

  test.each(['ends', 'breaks off'])('a stream counts until it %s', async how => {
    const { ask } = serve({ ofOneTenant: 1, inAll: 1 });
    const { reply, work } = ask(one);
    const ended = Promise.withResolvers<void>();
    work.resolve({ stream: () => ended.promise });
    const given = await reply;
    if (!('stream' in given)) throw new Error('it does not stream');
    const sent = given.stream(new EventEmitter() as Response);
    await expect(ask(one).reply).rejects.toMatchObject(refused);
    if (how === 'ends') ended.resolve();
    else ended.reject(new Error('its reader has gone'));
    await Promise.allSettled([sent]);
    const next = ask(one);
    next.work.resolve(done);
    expect(await next.reply).toBe(done);
  });

  test('a stream counts no more that does not even begin', async () => {
    const { ask } = serve({ ofOneTenant: 1, inAll: 1 });
    const { reply, work } = ask(one);
    work.resolve({
      stream() {
        throw new Error('its reader has gone');
      },
    });
    const given = await reply;
    if (!('stream' in given)) throw new Error('it does not stream');
    await expect(async () => given.stream(new EventEmitter() as Response)).rejects.toThrow('its reader has gone');
    const next = ask(one);
    next.work.resolve(done);
    expect(await next.reply).toBe(done);
  });

  test('nothing is waited for by what gives way to requests', async () => {
    const { ask, giveWay } = serve({ ofOneTenant: 1, inAll: 1 });
    ask(one);
    expect(await Promise.race([giveWay.toRequests().then(() => 'free'), pause(20, 'busy')])).toBe('free');
  });

  test('the answer with which more is sent away is declared', () => {
    expect(serve({ ofOneTenant: 1, inAll: 4 }).route.atMost).toBe('1 at a time of a tenant, 4 of all tenants');
    expect(serve({ ofOneTenant: 4 }).route.atMost).toBe('4 at a time of a tenant');
  });
});
