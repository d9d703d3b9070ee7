// A client of the Model Context Protocol that others wrote, in a thread of its own.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

export const clientNames = ['@modelcontextprotocol/sdk', '@modelcontextprotocol/client'] as const;
export type ClientName = (typeof clientNames)[number];

export type Settings = {
  name: ClientName;
  /** Where they are installed. */
  modules: string;
  /** Of the server. */
  url: string;
  issuer: string;
  /** Of one that is registered. */
  clientId?: string;
  /** Where one that nobody registered says what it is. */
  documentUrl?: string;
};

export type Asked =
  | { ask: 'connect'; given?: undefined }
  /** The query with which the browser has come back. */
  | { ask: 'finish'; given: string }
  | { ask: 'call'; given: { tool: string; args: object } }
  | { ask: 'keep'; given: Partial<Kept> };

export type Kept = {
  /** Where people were to be sent, the newest last. */
  sentTo: string[];
  verifier: string;
  /** Which authorization server was asked. */
  discovered?: object;
  client?: { client_id: string; issuer: string };
  tokens?: { access_token: string; refresh_token?: string; scope?: string };
};

/** `unauthorized` where a person has to be sent to a browser. */
export type Answer = { text?: string | undefined; error?: string; kept: Kept };

export type McpClient = Awaited<ReturnType<typeof startMcpClient>>;

export async function startMcpClient(settings: Settings) {
  const worker = new Worker(new URL('./mcp-client-worker.ts', import.meta.url), { workerData: settings });
  await once(worker, 'online');

  async function ask(asked: Asked): Promise<Answer> {
    const answered = once(worker, 'message');
    worker.postMessage(asked);
    const [answer] = (await answered) as [Answer];
    return answer;
  }

  return {
    connect: () => ask({ ask: 'connect' }),
    finish: (answer: URLSearchParams) => ask({ ask: 'finish', given: String(answer) }),
    call: (tool: string, args: object = {}) => ask({ ask: 'call', given: { tool, args } }),
    keep: (given: Partial<Kept>) => ask({ ask: 'keep', given }),
    stop: () => worker.terminate(),
  };
}
