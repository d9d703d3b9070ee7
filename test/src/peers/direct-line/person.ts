// A person who chats by Direct Line without a page: says something, hears what comes, and sends what a page would send.
import { eventually } from '@reeve/testing/eventually';
import type { Activity, Set } from './conversations.ts';
import type { DirectLine } from './direct-line.ts';

const cardType = 'application/vnd.microsoft.card.oauth';

export async function chatAs({ domain, newToken }: DirectLine, userId: string) {
  const begun = (await ask(`${domain}/conversations`, newToken(userId), {})) as {
    body: { conversationId: string; token: string };
  };
  const { conversationId, token } = begun.body;
  const activities = `${domain}/conversations/${conversationId}/activities`;

  const said = async (): Promise<Activity[]> => {
    const { body } = (await ask(activities, token)) as { body: Set };
    return body.activities.filter(({ from, type }) => from?.role === 'bot' && type === 'message');
  };

  async function heard<T>(what: string, find: (activities: Activity[]) => T | undefined): Promise<T> {
    let found: T | undefined;
    await eventually(
      what,
      async () => {
        found = find(await said());
        return found !== undefined;
      },
      20_000,
    );
    return found as T;
  }

  return {
    conversationId,
    say: (text: string) => ask(activities, token, { type: 'message', text, from: { id: 'who I say I am' } }),
    invoke: (name: string, value: unknown) => ask(activities, token, { type: 'invoke', name, value }),
    said,
    hears: (pattern: RegExp) =>
      heard(`it says ${pattern}`, all => all.map(({ text }) => text).find(text => pattern.test(text ?? ''))),
    /** The `count`-th sign-in card. */
    card: (count = 1) =>
      heard('there is a card', all => cardsIn(all)[count - 1]) as Promise<{
        connectionName: string;
        buttons: { value: string }[];
        tokenExchangeResource?: { id: string; uri: string };
      }>,
    cards: async () => cardsIn(await said()).length,
  };
}

const cardsIn = (activities: readonly Activity[]) =>
  activities.flatMap(({ attachments = [] }) =>
    attachments.filter(({ contentType }) => contentType === cardType).map(({ content }) => content),
  );

async function ask(url: string, token: string, body?: object): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: await response.json() };
}
