// What the tests of this package share: where the store is, who acts, and what was published.
import { type Cause, emptyContext, type Message } from '@reeve/contracts';
import type { Store } from '@reeve/store';
import { engines } from '@reeve/testing';

export const uri = engines().mongodb;

export const cause: Cause = {
  actor: { type: 'service', id: 'test', name: null, via: 'system' },
  context: emptyContext,
  correlationId: 'c-1',
};

/** From now on what the store publishes comes into the list. */
export const publishTo = (store: Store, published: Message[]): void =>
  store.startPublishing({
    publish: messages => Promise.resolve(void published.push(...messages)),
    findPublished: () => Promise.resolve(new Set()),
    once: false,
  });
